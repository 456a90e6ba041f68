package provider

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var _ function.Function = (*parseHubSpotURLFunction)(nil)

// parseHubSpotURLFunction implements parse_hubspot_url, which reads the ID of a record from the URL
// of its page in HubSpot.
type parseHubSpotURLFunction struct{}

func newParseHubSpotURLFunction() function.Function { return &parseHubSpotURLFunction{} }

func (*parseHubSpotURLFunction) Metadata(
	_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse,
) {
	resp.Name = "parse_hubspot_url"
}

func (*parseHubSpotURLFunction) Definition(
	_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse,
) {
	resp.Definition = function.Definition{
		Summary: "Reads the IDs in the URL of a HubSpot contact or company",
		MarkdownDescription: "Reads the URL of a contact's or company's record in HubSpot, as copied from a browser. " +
			"Returns an object with `portal_id` (the ID of the HubSpot account), `object_type` (`contact` or `company`) " +
			"and `id` (the ID of the record, for `hubspot_id` or `hubspot_company_id` of a latch). All three are " +
			"strings, so compare `portal_id` to an ID in quotes. Any other URL is an error.",
		Parameters: []function.Parameter{
			function.StringParameter{
				Name: "url",
				MarkdownDescription: "URL of the record, such as `https://app.hubspot.com/contacts/6246015/contact/101` " +
					"or `https://app-eu1.hubspot.com/contacts/6246015/record/0-2/202`. The function ignores white space " +
					"around the URL, and the part after the record's ID.",
			},
		},
		Return: function.ObjectReturn{
			AttributeTypes: map[string]attr.Type{
				"portal_id":   types.StringType,
				"object_type": types.StringType,
				"id":          types.StringType,
			},
		},
	}
}

func (*parseHubSpotURLFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error != nil {
		return
	}
	record, err := parseHubSpotURL(text)
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, strings.TrimSuffix(sentence(err), ".")) // The CLI adds the full stop.
		return
	}
	resp.Error = resp.Result.Set(ctx, record)
}

// hubSpotRecord holds the parts of the URL of a record.
type hubSpotRecord struct {
	PortalID   string `tfsdk:"portal_id"`
	ObjectType string `tfsdk:"object_type"`
	ID         string `tfsdk:"id"`
}

// hubSpotHost matches HubSpot's own host and those of its regions, such as app-eu1.hubspot.com.
var hubSpotHost = regexp.MustCompile(`^app(-[a-z0-9]+)?\.hubspot\.com$`)

// parseHubSpotURL reads the URL of a contact's or company's record.
func parseHubSpotURL(text string) (hubSpotRecord, error) {
	record, err := readHubSpotURL(strings.TrimSpace(text))
	if err != nil {
		return hubSpotRecord{}, fmt.Errorf("the URL of a HubSpot contact or company is wanted, such as "+
			"https://app.hubspot.com/contacts/6246015/contact/101 or https://app.hubspot.com/contacts/6246015/record/0-2/202, "+
			"not %q: %w", text, err)
	}
	return record, nil
}

func readHubSpotURL(text string) (record hubSpotRecord, err error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http":
		return record, errors.New("it is not a URL that begins with https://")
	case u.User != nil || !hubSpotHost.MatchString(strings.ToLower(u.Host)):
		return record, errors.New("its host is not app.hubspot.com or that of a region, such as app-eu1.hubspot.com")
	}
	// The path stays escaped, because an escaped slash does not separate parts.
	path, isContacts := strings.CutPrefix(u.EscapedPath(), "/contacts/")
	portal, path, _ := strings.Cut(path, "/")
	object, path, _ := strings.Cut(path, "/")
	if !isContacts || object == "" {
		return record, errors.New("its path is not that of a record")
	}
	if object == "record" {
		object, path, _ = strings.Cut(path, "/")
	}
	switch object {
	case "contact", "0-1":
		record.ObjectType = "contact"
	case "company", "0-2":
		record.ObjectType = "company"
	default:
		return record, fmt.Errorf("it is of %q, which is neither a contact (contact, 0-1) nor a company (company, 0-2)",
			object)
	}
	id, _, _ := strings.Cut(path, "/")
	if id == "" {
		return record, fmt.Errorf("there is no ID of a %s in it", record.ObjectType)
	}
	for _, part := range []struct {
		name, text string
		id         *string
	}{{"portal", portal, &record.PortalID}, {record.ObjectType, id, &record.ID}} {
		if _, ok := parseID(part.text); !ok {
			return record, fmt.Errorf("its %s is %q, which is not an ID: a whole number from 1 to %d",
				part.name, part.text, int64(math.MaxInt64))
		}
		*part.id = part.text
	}
	return record, nil
}
