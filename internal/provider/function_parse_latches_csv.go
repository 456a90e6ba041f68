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

// parseLatchesCSVFunction is parse_latches_csv: csvdecode accepts no byte order mark and no
// semicolons, and reports a wrong header once for each line.
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
		MarkdownDescription: "Given the content of a CSV file with one line for each customer, returns an object with " +
			"`hubspot_ids` and `hubspot_company_ids`, the two maps of a " +
			"[`fusebill_hubspot_latches`](../resources/hubspot_latches.md). An empty cell is not in its map.\n\n" +
			"The first line is the header. The function finds these columns by their header, in any order, and ignores " +
			"all others:\n\n" +
			"| column | other headers for it | holds |\n|---|---|---|\n" +
			"| `fusebill_id` | `customer_id`, `fusebill_customer_id` | the ID of the customer |\n" +
			"| `hubspot_id` | `contact_id`, `hubspot_contact_id` | the ID or the URL of its HubSpot contact |\n" +
			"| `hubspot_company_id` | `company_id` | the ID or the URL of its HubSpot company |\n\n" +
			"Letter case, spaces and punctuation of a header do not matter. One of the last two columns may be missing. " +
			"Cells are separated by commas, semicolons or tabs. A byte order mark, either kind of line end, blank lines, " +
			"and spaces around cells are accepted.\n\n" +
			"Anything that could latch the wrong contact is an error: a number that a spreadsheet has rounded " +
			"(`1.23457E+10`), decimals, leading zeros, the URL of another kind of record, a customer, contact or company " +
			"on two lines, a line without any ID of HubSpot, a line with more cells than the header, a missing column, " +
			"and a file without latches. The error lists the first twenty, with line and column, and counts the others.",
		Parameters: []function.Parameter{
			function.StringParameter{
				Name:                "csv",
				MarkdownDescription: "Content of the file, such as `file(\"${path.module}/latches.csv\")`.",
			},
		},
		Return: function.ObjectReturn{AttributeTypes: parsedLatchesTypes},
	}
}

// parsedLatchesTypes are the types of the result. Its attributes have the names of those of a set.
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
	// Set would convert each element three times, and take most of the time of a large file.
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

// argumentError is the error for an argument of a function. The CLI adds the full stop.
func argumentError(argument int64, err error) *function.FuncError {
	return function.NewArgumentFuncError(argument, strings.TrimSuffix(sentence(err), "."))
}

// readCell reads a cell with an ID of this kind, or with the URL of such a record.
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
