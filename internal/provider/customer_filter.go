package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// customerFilterModel holds the arguments that choose customers. They are the same in every data
// source and list resource that lists customers. Each of these has a schema of its own, because the
// framework has separate types of attributes for the kinds of schema.
type customerFilterModel struct {
	Statuses      types.List   `tfsdk:"statuses"`
	Reference     types.String `tfsdk:"reference"`
	CompanyName   types.String `tfsdk:"company_name"`
	PrimaryEmail  types.String `tfsdk:"primary_email"`
	ModifiedSince types.String `tfsdk:"modified_since"`
}

// Descriptions of the arguments, for their schemas.
const (
	statusesDescription = "Only customers with one of these statuses: `Draft`, `Active`, `Hold`, " +
		"`Suspended`, `Cancelled`."
	referenceDescription = "Only customers with exactly this reference, your own customer ID in Fusebill. " +
		"Letter case matters, and no character is a wildcard."
	companyNameDescription   = "Only customers with exactly this company name."
	primaryEmailDescription  = "Only customers with exactly this primary email address."
	modifiedSinceDescription = "Only customers that were changed at this time or later: a date, such as `2026-01-31`, " +
		"or a time, such as `2026-01-31T12:00:00Z`. A date begins at midnight UTC."
)

// filter returns the filter of the arguments. It ignores arguments that are not known yet.
func (m customerFilterModel) filter(ctx context.Context) (fusebill.Filter, diag.Diagnostics) {
	filter := fusebill.Filter{
		Reference:    m.Reference.ValueString(),
		CompanyName:  m.CompanyName.ValueString(),
		PrimaryEmail: m.PrimaryEmail.ValueString(),
	}
	var diags diag.Diagnostics
	diags.Append(m.statuses(ctx, &filter)...)
	for _, argument := range []struct {
		name  string
		value types.String
	}{{"reference", m.Reference}, {"company_name", m.CompanyName}, {"primary_email", m.PrimaryEmail}} {
		if isKnown(argument.value) && strings.TrimSpace(argument.value.ValueString()) == "" {
			diags.AddAttributeError(path.Root(argument.name), "Invalid filter",
				"It is empty. Leave it out, or set it to null, to take every customer.")
		}
	}
	if text := m.ModifiedSince; isKnown(text) {
		var err error
		if filter.ModifiedSince, err = parseTime(text.ValueString()); err != nil {
			diags.AddAttributeError(path.Root("modified_since"), "Invalid filter", sentence(err))
		}
	}
	return filter, diags
}

func (m customerFilterModel) statuses(ctx context.Context, filter *fusebill.Filter) diag.Diagnostics {
	if !isKnown(m.Statuses) {
		return nil
	}
	var texts []types.String
	diags := m.Statuses.ElementsAs(ctx, &texts, false)
	for i, text := range texts {
		status := text.ValueString()
		switch {
		case text.IsUnknown():
		// Letter case counts, because the API returns customers with this spelling.
		case !slices.Contains(fusebill.Statuses, status):
			diags.AddAttributeError(path.Root("statuses").AtListIndex(i), "Invalid filter",
				fmt.Sprintf("%q is no status of a customer. There are: %s.", status, strings.Join(fusebill.Statuses, ", ")))
		default:
			filter.Statuses = append(filter.Statuses, status)
		}
	}
	if len(texts) == 0 {
		diags.AddAttributeError(path.Root("statuses"), "Invalid filter",
			"It is empty, so no customer would match. Leave it out to take every customer.")
	}
	return diags
}

func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a date such as 2026-01-31 nor a time such as 2026-01-31T12:00:00Z", text)
}
