package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/spreadsheet"
)

var _ function.Function = (*matchHubSpotExportFunction)(nil)

// matchHubSpotExportFunction implements match_hubspot_export, which finds the HubSpot records of
// customers. An expression in HCL would compare each customer with each record, which takes minutes
// for thousands of them.
type matchHubSpotExportFunction struct{}

func newMatchHubSpotExportFunction() function.Function { return &matchHubSpotExportFunction{} }

func (*matchHubSpotExportFunction) Metadata(
	_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse,
) {
	resp.Name = "match_hubspot_export"
}

func (*matchHubSpotExportFunction) Definition(
	_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse,
) {
	text := types.StringType
	lists := types.MapType{ElemType: types.ListType{ElemType: text}}
	resp.Definition = function.Definition{
		Summary: "Finds the HubSpot contacts or companies of customers in an export of HubSpot",
		MarkdownDescription: "Finds the record of each customer in an export of HubSpot's contacts or companies. For " +
			"each customer, the function tries the rules in order until one matches a record of the export. All records that " +
			"match by this rule are the candidates of the customer. The function never chooses between several candidates. " +
			"It returns an object:\n\n" +
			"| attribute | type | content |\n|---|---|---|\n" +
			"| `matches` | map of strings | from the ID of a customer to the ID of its only candidate, if no other " +
			"customer has the same candidate; use it as `hubspot_ids` or `hubspot_company_ids` of a set |\n" +
			"| `unmatched` | list of strings | the IDs of customers without a candidate |\n" +
			"| `ambiguous` | map of lists | from the ID of a customer with several candidates to their IDs |\n" +
			"| `contested` | map of lists | from the ID of a record that is a candidate of several customers to their IDs |\n" +
			"| `record_names` | map of strings | from the ID of each record in the attributes above to its name in the " +
			"export, for reviews |",
		Parameters: []function.Parameter{
			function.ListParameter{
				Name: "customers",
				MarkdownDescription: "Customers, as [`fusebill_customers`](../data-sources/customers.md) lists them. The " +
					"function uses the attributes `id`, `reference`, `company_name` and `primary_email`.",
				ElementType: types.ObjectType{AttrTypes: map[string]attr.Type{
					"id": text, "reference": text, "company_name": text, "primary_email": text,
				}},
			},
			function.StringParameter{
				Name: "export",
				MarkdownDescription: "Content of a CSV file that HubSpot has exported, with the column `Record ID`. The " +
					"function finds columns by their header, as [`parse_latches_csv`](parse_latches_csv.md) does.",
			},
		},
		VariadicParameter: function.StringParameter{
			Name: "rules",
			MarkdownDescription: "Rules of the form `attribute = column`, such as `primary_email = Email`, the most reliable " +
				"one first. At least one is needed. The attribute is `id` or `reference` (compared exactly), `primary_email` " +
				"(letter case does not matter; a cell may hold several addresses), or `company_name` (letter case and repeated " +
				"spaces do not matter). The column is a header of the export. Empty values match nothing.",
		},
		Return: function.ObjectReturn{
			AttributeTypes: map[string]attr.Type{
				"matches":      types.MapType{ElemType: text},
				"unmatched":    types.ListType{ElemType: text},
				"ambiguous":    lists,
				"contested":    lists,
				"record_names": types.MapType{ElemType: text},
			},
		},
	}
}

// matchCustomer is a customer in the first argument of the function.
type matchCustomer struct {
	ID           types.String `tfsdk:"id"`
	Reference    types.String `tfsdk:"reference"`
	CompanyName  types.String `tfsdk:"company_name"`
	PrimaryEmail types.String `tfsdk:"primary_email"`
}

// matchResult is the result of the function.
type matchResult struct {
	Matches     map[string]string   `tfsdk:"matches"`
	Unmatched   []string            `tfsdk:"unmatched"`
	Ambiguous   map[string][]string `tfsdk:"ambiguous"`
	Contested   map[string][]string `tfsdk:"contested"`
	RecordNames map[string]string   `tfsdk:"record_names"`
}

func (*matchHubSpotExportFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var listed []matchCustomer
	var export string
	var texts []string
	if resp.Error = req.Arguments.Get(ctx, &listed, &export, &texts); resp.Error != nil {
		return
	}
	customers, err := customersToMatch(listed)
	if err != nil {
		resp.Error = argumentError(0, err)
		return
	}
	if len(texts) == 0 {
		resp.Error = function.NewFuncError("match_hubspot_export needs at least one rule, such as \"primary_email = Email\"")
		return
	}
	var rules []spreadsheet.Rule
	for i, text := range texts {
		rule, err := spreadsheet.ParseRule(text)
		if err != nil {
			resp.Error = argumentError(int64(2+i), err)
			return
		}
		rules = append(rules, rule)
	}
	result, err := spreadsheet.Match(customers, export, rules, readRecordID)
	if err != nil {
		resp.Error = argumentError(1, err)
		return
	}
	resp.Error = resp.Result.Set(ctx, matchResult(result))
}

func customersToMatch(listed []matchCustomer) ([]spreadsheet.Customer, error) {
	customers := make([]spreadsheet.Customer, len(listed))
	seen := make(map[string]bool, len(listed))
	for i, c := range listed {
		id := c.ID.ValueString()
		switch {
		case idFault(id, idOfCustomer) != "":
			return nil, fmt.Errorf("customer %d of the list: %s", i+1, idFault(id, idOfCustomer))
		case seen[id]:
			return nil, fmt.Errorf("customer %s is in the list twice", id)
		}
		seen[id] = true
		customers[i] = spreadsheet.Customer{
			ID: id, Reference: c.Reference.ValueString(), CompanyName: c.CompanyName.ValueString(),
			PrimaryEmail: c.PrimaryEmail.ValueString(),
		}
	}
	return customers, nil
}

// readRecordID reads a cell of the column Record ID. The export may be of contacts or of companies.
func readRecordID(cell string) (string, *spreadsheet.IDError) {
	if _, ok := parseID(cell); ok {
		return cell, nil
	}
	reason, _ := idOfContact.explain(cell)
	return "", &spreadsheet.IDError{
		Reason: fmt.Sprintf("%s is not the ID of a HubSpot record: %s", quoteStart(cell), reason),
		NextStep: "HubSpot exports whole numbers in this column. Export the records again, and do not open the file in a " +
			"spreadsheet program before.",
	}
}
