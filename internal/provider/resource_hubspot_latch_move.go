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

// moveSource is a type of resource of another provider that people use to manage latches. It lists
// the attributes of its state that may hold the IDs.
type moveSource struct {
	// provider is the last part of the address of the provider. The other parts do not matter:
	// forks and mirrors keep the form of the state, and OpenTofu 1.10 passes only the last part.
	provider string
	// places are attributes of the state. Responses of the API come before requests, because the
	// latch may have changed since the request.
	places []string
	// ofCustomers reports whether a place may hold a customer as the API returns it. The attribute
	// id of such an object is the ID of the customer.
	ofCustomers bool
}

// moveSources are the resources that can be moved to a latch, by type.
//
// Some attributes of their states are missing here. The provider restapi has converted api_data and
// id to floating-point numbers and back, so an api_data may have 2.554529e+06 for 2554529. The same
// may be true of data, but api_response is exactly the response. The output of terraform_data is
// the same as its input.
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

// MoveState takes over a latch from the state of another provider's resource. It makes no call,
// because Terraform reads the resource next, and the plan starts from the IDs in the state.
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

// moveErrorDetail explains where a move looked for the IDs, and how to import the latch instead.
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

// latch reads a customer and its latch from a state. With an error it returns the customer, if that
// is known.
//
// All places must hold the same customer, because a guess might take over the latch of another one.
// For the latch, the first object with both IDs is enough, or else the first one with one ID,
// because Terraform reads the latch from Fusebill next.
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

// customerPath matches the path of a customer in the API, which is the ID of a restful_resource. If
// the argument output_attrs removes the customer from the output, no other place holds it.
var customerPath = regexp.MustCompile(`(?i)^(?:.*/)?customers/([0-9]+)$`)

func customerInPath(id any) int64 {
	text, _ := id.(string)
	if match := customerPath.FindStringSubmatch(text); match != nil {
		customerID, _ := parseID(match[1])
		return customerID
	}
	return 0
}

// movedIDs are the IDs in one object. 0 stands for no ID.
type movedIDs struct {
	customer int64
	latch    fusebill.Latch
	whole    bool // the object has both keys of the latch, null or not
}

// idsIn reads the IDs of an object. It ignores letter case and underscores in keys, because people
// and providers spell them differently.
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
	// An object without keys of a latch may be a part of a customer, and its ID another object's.
	if found.customer == 0 && s.ofCustomers && (hasContact || hasCompany) {
		found.customer = ids["id"]
	}
	return found, nil
}

// decodeID reads an ID that is a number or a string. Null, 0 and the empty string mean no ID. The
// triggers of a null_resource are strings, so they have the empty string instead of null.
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

// objectsIn returns a value that is an object, followed by those of its attributes that are
// objects.
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

// asObject reads an object in any of the forms that states have: the object itself, a string of
// JSON, or an object with the keys type and value, if the schema does not fix the type.
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

// decodeObject decodes a JSON object. It does not convert numbers to floats, so IDs keep every
// digit.
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
