package provider

import (
	"cmp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// filterAttributes returns the arguments of customerFilterModel.
func filterAttributes() map[string]schema.Attribute {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{MarkdownDescription: description, Optional: true}
	}
	return map[string]schema.Attribute{
		"statuses": schema.ListAttribute{
			MarkdownDescription: statusesDescription,
			ElementType:         types.StringType,
			Optional:            true,
		},
		"reference":      text(referenceDescription),
		"company_name":   text(companyNameDescription),
		"primary_email":  text(primaryEmailDescription),
		"modified_since": text(modifiedSinceDescription),
	}
}

// customerAttributes returns the attributes of a customer that data sources report.
func customerAttributes() map[string]schema.Attribute {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{MarkdownDescription: description, Computed: true}
	}
	const (
		orNull            = " `null` if there is none."
		customerReference = "Reference of the customer, your own ID for it. Several customers may have the same one."
	)
	return map[string]schema.Attribute{
		"id":                 text("ID of the customer."),
		"reference":          text(customerReference + orNull),
		"first_name":         text("First name of the person." + orNull),
		"last_name":          text("Last name of the person." + orNull),
		"company_name":       text("Name of the company." + orNull),
		"primary_email":      text("Primary email address." + orNull),
		"status":             text("Status: `Draft`, `Active`, `Hold`, `Suspended` or `Cancelled`." + orNull),
		"hubspot_id":         text("ID of the HubSpot contact that the customer is latched to." + orNull),
		"hubspot_company_id": text("ID of the HubSpot company that the customer is latched to." + orNull),
	}
}

// textOrNull returns null for an empty string: the service does not distinguish the two.
func textOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}

// nameOf returns the name of the company, or else of the person. It is empty if there is neither.
func nameOf(c fusebill.Customer) string {
	return cmp.Or(c.CompanyName, strings.TrimSpace(c.FirstName+" "+c.LastName))
}
