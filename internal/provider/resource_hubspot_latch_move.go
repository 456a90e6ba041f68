package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

var _ resource.ResourceWithMoveState = (*hubSpotLatchResource)(nil)

// moveSource is a resource of another provider by which people keep latches. It lists the places of
// the IDs in its state.
type moveSource struct {
	// provider is the last part of its provider's address. The parts before it do not count: forks
	// and mirrors keep the form of the state, and OpenTofu (1.10) gives the last part alone.
	provider string
	// places are attributes of the state. Answers of the service come before requests, because the
	// latch may have changed since the request.
	places []string
	// ofCustomers reports whether an object there may be a customer as the service answers it. The
	// id of such an object is the customer's ID.
	ofCustomers bool
}

// moveSources are the resources that can be moved from, by type.
//
// Some attributes are left out. In restapi_object, api_data and id have passed through a float (an
// api_data has 2.554529e+06 for 2554529). So may its data have, but api_response is exactly the
// answer. The output of terraform_data is its input.
var moveSources = map[string]moveSource{
	"restapi_object": {
		provider: "restapi", places: []string{"api_response", "data", "create_response"}, ofCustomers: true,
	},
	"restful_resource": {
		provider: "restful", places: []string{"output", "sensitive_output", "body"}, ofCustomers: true,
	},
	"terraform_data": {provider: "terraform", places: []string{"input", "triggers_replace"}},
	"null_resource":  {provider: "null", places: []string{"triggers"}},
}

// MoveState adopts a latch that another provider's resource has kept. It makes no call: Terraform
// reads the resource right after this, and starts from the IDs in the state.
func (r *hubSpotLatchResource) MoveState(context.Context) []resource.StateMover {
	return []resource.StateMover{{StateMover: moveLatch}}
}

func moveLatch(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
	source, ok := moveSources[req.SourceTypeName]
	if !ok || !strings.HasSuffix("/"+req.SourceProviderAddress, "/"+source.provider) {
		return // The framework tries the next mover, and then reports that there is none.
	}
	customerID, l, err := source.latch(req.SourceRawState.JSON)
	if err != nil {
		resp.Diagnostics.AddError("Moved resource holds no HubSpot latch",
			moveErrorDetail(req.SourceTypeName, source, customerID, err))
		return
	}
	moved := hubSpotLatchModel{FusebillID: idOrNull(customerID)}
	moved.setLatch(l)
	resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root("fusebill_id"), moved.FusebillID)...)
	resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root("hubspot_id"), moved.HubSpotID)...)
	resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root("hubspot_company_id"), moved.HubSpotCompanyID)...)
	resp.Diagnostics.Append(moved.setIdentity(ctx, resp.TargetIdentity)...)
}

// moveErrorDetail explains what the move looked for, and how to do without it.
func moveErrorDetail(typeName string, source moveSource, customerID int64, err error) string {
	byID := "by the customer's ID"
	if customerID == 0 {
		customerID = 2554529 // As in the documentation.
		byID += fmt.Sprintf(", here %d as an example", customerID)
	}
	return fmt.Sprintf("Could not move this %s to fusebill_hubspot_latch: %v. Looked for were fusebillId, hubSpotId and "+
		"hubSpotCompanyId, or fusebill_id, hubspot_id and hubspot_company_id, in %s.\n\n"+
		"Nothing was changed. Instead of moving it, import the latch %s:\n\n%s\n\n"+
		"and let Terraform forget the former resource, by a removed block with destroy = false or by terraform state rm: "+
		"destroying it may remove the latch.",
		typeName, err, strings.Join(source.places, ", "), byID, importBlock(customerID))
}

// latch reads a customer and its latch from a state. An error comes with the customer if known.
//
// All places of the customer in the state must agree: a guess would adopt a stranger's latch. The
// latch itself is read from Fusebill next, so the first object that has both of its IDs is enough,
// or else the first that has one.
func (s moveSource) latch(state []byte) (customerID int64, l fusebill.Latch, err error) {
	attributes, ok := decodeObject(string(state))
	if !ok {
		return 0, l, errors.New("its state cannot be read")
	}
	whole := false
	for _, place := range s.places {
		for _, object := range objectsIn(attributes[place]) {
			ids, err := s.idsIn(object)
			if err != nil {
				return customerID, fusebill.Latch{}, fmt.Errorf("in its %s, %w", place, err)
			}
			if customerID != 0 && ids.customer != 0 && ids.customer != customerID {
				return 0, fusebill.Latch{}, fmt.Errorf("it holds two customers, %d and %d", customerID, ids.customer)
			}
			customerID = max(customerID, ids.customer)
			if !ids.latch.IsZero() && (l.IsZero() || ids.whole && !whole) {
				l, whole = ids.latch, ids.whole
			}
		}
	}
	if customerID == 0 && s.ofCustomers {
		customerID = customerInPath(attributes["id"])
	}
	switch {
	case customerID == 0:
		return 0, fusebill.Latch{}, errors.New("its state holds no ID of a Fusebill customer")
	case l.IsZero():
		return customerID, l, fmt.Errorf("its state holds no ID of a HubSpot contact or company for customer %d", customerID)
	}
	return customerID, l, nil
}

// customerPath matches a customer's path in the API, which is a restful_resource's own ID. It is
// the only place of the customer where output_attrs leaves the others out.
var customerPath = regexp.MustCompile(`(?i)^(?:.*/)?customers/([0-9]+)$`)

func customerInPath(id any) int64 {
	text, _ := id.(string)
	if match := customerPath.FindStringSubmatch(text); match != nil {
		customerID, _ := parseID(match[1])
		return customerID
	}
	return 0
}

// movedIDs are the IDs in one object; 0 is none.
type movedIDs struct {
	customer int64
	latch    fusebill.Latch
	whole    bool // both keys of the latch are there, null or not
}

// idsIn reads the IDs of an object, whose keys people and providers spell in their own ways.
func (s moveSource) idsIn(object map[string]any) (movedIDs, error) {
	ids := map[string]int64{}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		name := strings.ToLower(strings.ReplaceAll(key, "_", ""))
		id, ok := decodeID(object[key])
		switch name {
		case "fusebillid", "hubspotid", "hubspotcompanyid":
			if !ok {
				return movedIDs{}, fmt.Errorf("%s is not an ID: %s", key, idForm)
			}
			if former, twice := ids[name]; twice && former != id {
				return movedIDs{}, fmt.Errorf("%s is there twice, and differs", key)
			}
			ids[name] = id
		case "id":
			if ok {
				ids[name] = id
			}
		}
	}
	contact, hasContact := ids["hubspotid"]
	company, hasCompany := ids["hubspotcompanyid"]
	found := movedIDs{
		ids["fusebillid"], fusebill.Latch{HubSpotID: contact, HubSpotCompanyID: company}, hasContact && hasCompany,
	}
	// Objects inside of a customer have IDs as well, which are those of other things.
	if found.customer == 0 && s.ofCustomers && (hasContact || hasCompany) {
		found.customer = ids["id"]
	}
	return found, nil
}

// decodeID reads an ID that is a number or a string. Null, the empty string (as in triggers, which
// are strings) and 0 are none.
func decodeID(value any) (int64, bool) {
	var text string
	switch value := value.(type) {
	case nil:
		return 0, true
	case json.Number:
		text = value.String()
	case string:
		text = value
	default:
		return 0, false
	}
	if text == "" || text == "0" {
		return 0, true
	}
	return parseID(text)
}

// objectsIn returns the object that a value is, and those that are its values.
func objectsIn(value any) []map[string]any {
	object, ok := asObject(value)
	if !ok {
		return nil
	}
	objects := []map[string]any{object}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if inner, ok := asObject(object[key]); ok {
			objects = append(objects, inner)
		}
	}
	return objects
}

// asObject reads an object as states have it: as it is, as JSON in a string, or beside its type
// where the schema leaves the type open.
func asObject(value any) (map[string]any, bool) {
	switch value := value.(type) {
	case string:
		return decodeObject(value)
	case map[string]any:
		inner, hasValue := value["value"]
		_, hasType := value["type"]
		if hasValue && hasType && len(value) == 2 {
			return asObject(inner)
		}
		return value, true
	default:
		return nil, false
	}
}

// decodeObject decodes a JSON object without a float: IDs keep every digit.
func decodeObject(text string) (map[string]any, bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil || object == nil {
		return nil, false
	}
	_, err := decoder.Token()
	return object, errors.Is(err, io.EOF)
}
