package provider

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

var (
	_ datasource.DataSource                     = (*customerDataSource)(nil)
	_ datasource.DataSourceWithConfigure        = (*customerDataSource)(nil)
	_ datasource.DataSourceWithConfigValidators = (*customerDataSource)(nil)
)

// customerDataSource implements fusebill_customer, which looks up one customer.
type customerDataSource struct {
	data *providerData // nil if the provider is not configured
}

type customerDataModel struct {
	ID               types.String `tfsdk:"id"`
	Reference        types.String `tfsdk:"reference"`
	FirstName        types.String `tfsdk:"first_name"`
	LastName         types.String `tfsdk:"last_name"`
	CompanyName      types.String `tfsdk:"company_name"`
	PrimaryEmail     types.String `tfsdk:"primary_email"`
	Status           types.String `tfsdk:"status"`
	HubSpotID        types.String `tfsdk:"hubspot_id"`
	HubSpotCompanyID types.String `tfsdk:"hubspot_company_id"`
}

func newCustomerDataSource() datasource.DataSource { return &customerDataSource{} }

func (d *customerDataSource) Metadata(
	_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse,
) {
	resp.TypeName = req.ProviderTypeName + "_customer"
}

func (d *customerDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	const (
		exactly = " to look for. Letter case and white space matter, and no character is a wildcard."
		toFind  = " to look for." + idNote
		reads   = " To find the holder, the provider reads the whole account, with one call for each 1,000 customers. " +
			"Other data sources of the same run use the result for ten minutes."
	)
	id := func(description string, kind idKind) schema.Attribute {
		return schema.StringAttribute{
			MarkdownDescription: description,
			Optional:            true,
			Computed:            true,
			Validators:          []validator.String{idValidator{kind}},
		}
	}
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{
			MarkdownDescription: description,
			Optional:            true,
			Computed:            true,
			Validators: []validator.String{
				stringvalidator.RegexMatches(regexp.MustCompile(`\S`), "must not be empty"),
			},
		}
	}
	attributes := customerAttributes()
	attributes["id"] = id(
		"ID of the customer"+toFind+" The ID is in the URL of the customer's page in Fusebill.", idOfCustomer)
	attributes["reference"] = text("Reference" + exactly +
		" The reference is your own ID for the customer, and several customers may have the same one.")
	attributes["primary_email"] = text("Primary email address" + exactly)
	attributes["hubspot_id"] = id("ID of the HubSpot contact"+toFind+reads, idOfContact)
	attributes["hubspot_company_id"] = id("ID of the HubSpot company"+toFind+reads, idOfCompany)
	resp.Schema = schema.Schema{
		MarkdownDescription: "Looks up one Fusebill customer, with its HubSpot latch. Set exactly one of `id`, " +
			"`reference`, `primary_email`, `hubspot_id` and `hubspot_company_id`. The other attributes report the " +
			"customer's values, `null` if it has none. It is an error if no customer or more than one customer matches.",
		Attributes: attributes,
	}
}

func (d *customerDataSource) Configure(
	_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse,
) {
	d.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

func (d *customerDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(
		path.MatchRoot("id"), path.MatchRoot("reference"), path.MatchRoot("primary_email"),
		path.MatchRoot("hubspot_id"), path.MatchRoot("hubspot_company_id"),
	)}
}

func (d *customerDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config customerDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	customer, fault := d.find(ctx, config.lookup())
	if fault != nil {
		resp.Diagnostics.Append(fault)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, newCustomerDataModel(customer))...)
}

// lookup holds the criterion of a search: an ID, a filter, or a claim.
type lookup struct {
	argument string
	phrase   string // the argument and its value, as part of a sentence
	id       int64
	filter   fusebill.Filter
	claim    fusebill.Claim
}

// lookup returns the criterion of the one argument that is set. ConfigValidators refuses any other
// number of arguments.
func (m customerDataModel) lookup() lookup {
	switch {
	case !m.ID.IsNull():
		return lookup{argument: "id", id: idIn(m.ID)}
	case !m.Reference.IsNull():
		reference := m.Reference.ValueString()
		return lookup{
			argument: "reference",
			phrase:   fmt.Sprintf("the reference %q", reference),
			filter:   fusebill.Filter{Reference: reference},
		}
	case !m.PrimaryEmail.IsNull():
		email := m.PrimaryEmail.ValueString()
		return lookup{
			argument: "primary_email",
			phrase:   fmt.Sprintf("the primary email address %q", email),
			filter:   fusebill.Filter{PrimaryEmail: email},
		}
	case !m.HubSpotID.IsNull():
		return lookup{argument: "hubspot_id", claim: fusebill.Claim{Kind: fusebill.Contact, ID: idIn(m.HubSpotID)}}
	default:
		return lookup{
			argument: "hubspot_company_id",
			claim:    fusebill.Claim{Kind: fusebill.Company, ID: idIn(m.HubSpotCompanyID)},
		}
	}
}

func (d *customerDataSource) find(ctx context.Context, by lookup) (fusebill.Customer, diag.Diagnostic) {
	switch {
	case by.id != 0:
		return d.findByID(ctx, by)
	case by.claim != fusebill.Claim{}:
		return d.findHolder(ctx, by)
	default:
		return d.findByFilter(ctx, by)
	}
}

func (d *customerDataSource) findByID(ctx context.Context, by lookup) (fusebill.Customer, diag.Diagnostic) {
	customer, err := d.data.reader.Customer(ctx, by.id)
	if err == nil {
		return customer, nil
	}
	fault := attempt{doing: "read", customerID: by.id}.diagnostic(err)
	if fusebill.IsNotFound(err) {
		fault = diag.WithPath(path.Root(by.argument), fault)
	}
	return customer, fault
}

func (d *customerDataSource) findHolder(ctx context.Context, by lookup) (fusebill.Customer, diag.Diagnostic) {
	customer, err := d.data.reader.FindHolder(ctx, by.claim)
	switch {
	case err != nil:
		return customer, attempt{doing: fmt.Sprintf("find the customer that is latched to %s", by.claim)}.diagnostic(err)
	case customer.ID == 0:
		return customer, by.fault("No such customer", fmt.Sprintf("No customer of the account is latched to %s.\n\nCheck "+
			"that it is the ID of a HubSpot %s, the last number in the URL of its page, and that the API key belongs to "+
			"the right account.", by.claim, by.claim.Kind))
	default:
		return customer, nil
	}
}

func (d *customerDataSource) findByFilter(ctx context.Context, by lookup) (fusebill.Customer, diag.Diagnostic) {
	customers, err := d.data.reader.Find(ctx, by.filter)
	switch {
	case err != nil:
		return fusebill.Customer{}, attempt{doing: "find the customer with " + by.phrase}.diagnostic(err)
	case len(customers) == 0:
		return fusebill.Customer{}, by.fault("No such customer", fmt.Sprintf("No customer of the account has %s.\n\n"+
			"Check that it is written exactly as in Fusebill, letter case and white space included, and that the API key "+
			"belongs to the right account.", by.phrase))
	case len(customers) > 1:
		return fusebill.Customer{}, by.fault("Several such customers", fmt.Sprintf("%d customers of the account have %s, "+
			"but this data source reads one:\n\n%s\n\nLook up the right one by its id, or give it another %s in Fusebill. "+
			"To read all of them, use fusebill_customers.",
			len(customers), by.phrase, candidates(customers), strings.ReplaceAll(by.argument, "_", " ")))
	default:
		return customers[0], nil
	}
}

func (by lookup) fault(summary, detail string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root(by.argument), summary, detail)
}

// maxCandidates is the number of customers that an error lists individually.
const maxCandidates = 10

// candidates returns a line for each customer. It quotes the names, which may hold any characters.
func candidates(customers []fusebill.Customer) string {
	var lines []string
	for _, c := range customers[:min(len(customers), maxCandidates)] {
		line := fmt.Sprintf("  %d", c.ID)
		if name := nameOf(c); name != "" {
			line += fmt.Sprintf(" %q", name)
		}
		if c.Status != "" {
			line += fmt.Sprintf(" (%s)", c.Status)
		}
		lines = append(lines, line)
	}
	if rest := len(customers) - maxCandidates; rest > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more", rest))
	}
	return strings.Join(lines, "\n")
}

func newCustomerDataModel(c fusebill.Customer) customerDataModel {
	return customerDataModel{
		ID:               idOrNull(c.ID),
		Reference:        textOrNull(c.Reference),
		FirstName:        textOrNull(c.FirstName),
		LastName:         textOrNull(c.LastName),
		CompanyName:      textOrNull(c.CompanyName),
		PrimaryEmail:     textOrNull(c.PrimaryEmail),
		Status:           textOrNull(c.Status),
		HubSpotID:        idOrNull(c.Latch.HubSpotID),
		HubSpotCompanyID: idOrNull(c.Latch.HubSpotCompanyID),
	}
}
