package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/spreadsheet"
)

var _ function.Function = (*parseLatchesCSVFunction)(nil)

// parseLatchesCSVFunction implements parse_latches_csv, which reads latches from a CSV file.
// Terraform's csvdecode accepts neither a byte order mark nor semicolons, and it does not notice a
// wrong header: the configuration then fails once for each line.
type parseLatchesCSVFunction struct{}

func newParseLatchesCSVFunction() function.Function { return &parseLatchesCSVFunction{} }

func (*parseLatchesCSVFunction) Metadata(
	_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse,
) {
	resp.Name = "parse_latches_csv"
}

func (*parseLatchesCSVFunction) Definition(
	_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse,
) {
	resp.Definition = function.Definition{
		Summary: "Reads latches from a CSV file that a spreadsheet has written",
		MarkdownDescription: "Reads a CSV file with one line for each customer. Returns an object with `hubspot_ids` and " +
			"`hubspot_company_ids`, the two maps of a " +
			"[`fusebill_hubspot_latches`](../resources/hubspot_latches.md). Empty cells are left out.\n\n" +
			"The first line is the header. The function finds these columns by their header, in any order, and ignores " +
			"all others:\n\n" +
			"| column | other headers | content |\n|---|---|---|\n" +
			"| `fusebill_id` | `customer_id`, `fusebill_customer_id` | the ID of the customer |\n" +
			"| `hubspot_id` | `contact_id`, `hubspot_contact_id` | the ID or the URL of its HubSpot contact |\n" +
			"| `hubspot_company_id` | `company_id` | the ID or the URL of its HubSpot company |\n\n" +
			"Letter case, spaces and punctuation of a header do not matter. One of the last two columns may be missing. " +
			"Cells are separated by commas, semicolons or tabs. A byte order mark, either kind of line end, blank lines, " +
			"and spaces around cells are accepted.\n\n" +
			"Anything that might latch the wrong contact or company is an error: a number that a spreadsheet has rounded " +
			"(`1.23457E+10`), decimals, leading zeros, the URL of another kind of record, a customer, contact or company " +
			"on two lines, a line without any HubSpot ID, a line with more cells than the header, a missing column, " +
			"and a file without latches. The error lists the first twenty mistakes, with line and column, and " +
			"counts the others.",
		Parameters: []function.Parameter{
			function.StringParameter{
				Name:                "csv",
				MarkdownDescription: "Content of the file, such as `file(\"${path.module}/latches.csv\")`.",
			},
		},
		Return: function.ObjectReturn{AttributeTypes: parsedLatchesTypes},
	}
}

// parsedLatchesTypes are the types of the result, whose attributes have the names of the two maps
// of a set.
var parsedLatchesTypes = map[string]attr.Type{
	contactsAttribute:  types.MapType{ElemType: types.StringType},
	companiesAttribute: types.MapType{ElemType: types.StringType},
}

func (*parseLatchesCSVFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error != nil {
		return
	}
	latches, err := parseLatchesCSV(text)
	if err != nil {
		resp.Error = argumentError(0, err)
		return
	}
	// The values are made here, because Set would convert each element three times. For a large
	// file, that would take longer than everything else.
	resp.Result = function.NewResultData(types.ObjectValueMust(parsedLatchesTypes, map[string]attr.Value{
		contactsAttribute:  stringMapValue(latches.Contacts),
		companiesAttribute: stringMapValue(latches.Companies),
	}))
}

func stringMapValue(texts map[string]string) types.Map {
	elements := make(map[string]attr.Value, len(texts))
	for key, text := range texts {
		elements[key] = types.StringValue(text)
	}
	return types.MapValueMust(types.StringType, elements)
}

func parseLatchesCSV(text string) (spreadsheet.Latches, error) {
	return spreadsheet.ReadLatches(text, idOfCustomer.readCell, idOfContact.readCell, idOfCompany.readCell)
}

// argumentError returns the error for an argument of a function. It has no full stop, because the
// CLI adds one.
func argumentError(argument int64, err error) *function.FuncError {
	return function.NewArgumentFuncError(argument, strings.TrimSuffix(sentence(err), "."))
}

// readCell reads a cell that holds an ID of this kind, or the URL of a record of this kind.
func (k idKind) readCell(cell string) (string, *spreadsheet.IDError) {
	if _, ok := parseID(cell); ok {
		return cell, nil
	}
	if strings.Contains(cell, "hubspot.com/") {
		address := cell
		if !strings.Contains(address, "://") {
			address = "https://" + address
		}
		if record, err := readHubSpotURL(address); err == nil && record.ObjectType == string(k) {
			return record.ID, nil
		}
	}
	reason, nextStep := k.explain(cell)
	return "", &spreadsheet.IDError{
		Reason:   fmt.Sprintf("%s is not the ID of a %s %s: %s", quoteStart(cell), k.system(), k, reason),
		Kind:     reason,
		NextStep: nextStep,
	}
}
