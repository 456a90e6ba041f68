package provider

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

const (
	contactsAttribute  = "hubspot_ids"
	companiesAttribute = "hubspot_company_ids"
	unlistedAttribute  = "unlisted"
)

// setRows are the rows of a latch set, and the two maps that declare them.
type setRows struct {
	latches             map[int64]fusebill.Latch // by customer; an unknown ID counts as none
	partly              map[int64]bool           // customers with an unknown ID
	unknown             bool                     // a map is unknown, so more customers may be listed
	contacts, companies idMap
}

// idMap is one of the two maps of a set.
type idMap struct {
	stringMap
	attribute string
	isNull    bool
	isUnknown bool
}

// maxListed is the largest number of customers that a message names.
const maxListed = 20

func newSetRows() setRows {
	empty := func(attribute string) idMap {
		return idMap{stringMap: stringMap{Known: make(map[string]*string)}, attribute: attribute, isNull: true}
	}
	return setRows{
		latches: make(map[int64]fusebill.Latch), partly: make(map[int64]bool),
		contacts: empty(contactsAttribute), companies: empty(companiesAttribute),
	}
}

// parseRows reads the two maps. It returns an error for each invalid key or value, on its path.
func parseRows(contacts, companies types.String) (setRows, diag.Diagnostics) {
	rows := newSetRows()
	var diags diag.Diagnostics
	for _, m := range []struct {
		*idMap
		value types.String
	}{{&rows.contacts, contacts}, {&rows.companies, companies}} {
		m.isNull, m.isUnknown = m.value.IsNull(), m.value.IsUnknown()
		rows.unknown = rows.unknown || m.isUnknown
		if m.isNull || m.isUnknown {
			continue
		}
		parsed, err := unpackStringMap(m.value.ValueString())
		if err != nil {
			diags.AddAttributeError(path.Root(m.attribute), "Invalid map of IDs", sentence(err))
			return rows, diags
		}
		m.stringMap = parsed
	}
	rows.latches = make(map[int64]fusebill.Latch, len(rows.contacts.Known))
	faults := faultList{summary: "Invalid HubSpot latch"}
	rows.read(rows.contacts, &faults, func(l *fusebill.Latch, id int64) { l.HubSpotID = id })
	rows.read(rows.companies, &faults, func(l *fusebill.Latch, id int64) { l.HubSpotCompanyID = id })
	return rows, append(diags, faults.errors()...)
}

// read adds the IDs of one of the two maps.
func (r *setRows) read(m idMap, faults *faultList, set func(l *fusebill.Latch, id int64)) {
	var invalid []string
	for key, text := range m.Known {
		customerID, ok := parseID(key)
		if !ok {
			invalid = append(invalid, key)
			continue
		}
		l := r.latches[customerID]
		if text != nil && *text != "" {
			id, ok := parseID(*text)
			if !ok {
				invalid = append(invalid, key)
				continue
			}
			set(&l, id)
		}
		r.latches[customerID] = l
	}
	for key := range m.Unknown {
		customerID, ok := parseID(key)
		if !ok {
			invalid = append(invalid, key)
			continue
		}
		r.latches[customerID] = r.latches[customerID] //nolint:staticcheck // It adds the key.
		r.partly[customerID] = true
	}
	slices.Sort(invalid)
	for _, key := range invalid {
		faults.add(m.elementPath(key), m.fault(key))
	}
}

// fault explains why the element with a key is invalid.
func (m *idMap) fault(key string) string {
	if fault := idFault(key, idOfCustomer); fault != "" {
		return fmt.Sprintf("A key of %s must be the ID of a Fusebill customer. %s", m.attribute, fault)
	}
	kind := idOfContact
	if m.attribute == companiesAttribute {
		kind = idOfCompany
	}
	return fmt.Sprintf("The value of %s[%q] must be the ID of a HubSpot %s. %s", m.attribute, key, kind,
		idFault(m.text(key), kind))
}

// check returns an error for each row that no apply could make: a customer with neither ID, and a
// customer that claims the contact or company of another row.
func (r *setRows) check() diag.Diagnostics {
	empty := faultList{summary: "HubSpot latch without a contact and a company"}
	twice := faultList{summary: "HubSpot contact or company is declared twice"}
	holders := make(map[fusebill.Claim]int64, len(r.latches))
	for _, id := range r.customers() {
		l := r.latches[id]
		if l.IsZero() && !r.mayBePartly(id) {
			empty.add(r.elementPath(id), fmt.Sprintf("Neither %s nor %s has an ID for %s; null and the empty string mean "+
				"none.\n\nGive it at least one ID, or leave it out of both maps.",
				contactsAttribute, companiesAttribute, customerName(id)))
		}
		for _, claim := range l.Claims() {
			if other, ok := holders[claim]; ok {
				twice.add(mapOf(claim).AtMapKey(strconv.FormatInt(id, 10)), fmt.Sprintf("HubSpot %s is declared for %s and for "+
					"%s. Only one customer can be latched to a contact or a company.\n\nRemove it from one of the two.",
					claim, customerName(other), customerName(id)))
				continue
			}
			holders[claim] = id
		}
	}
	return append(empty.errors(), twice.errors()...)
}

// mayBePartly reports whether an ID of a listed customer is unknown, or may be in an unknown map.
func (r *setRows) mayBePartly(customerID int64) bool { return r.unknown || r.partly[customerID] }

// customers returns the known customers, sorted by ID.
func (r *setRows) customers() []int64 { return slices.Sorted(maps.Keys(r.latches)) }

// missingFrom returns the customers that the other rows do not list. It returns none if the other
// rows are not known.
func (r *setRows) missingFrom(other setRows) []int64 {
	if other.unknown {
		return nil
	}
	return slices.DeleteFunc(r.customers(), func(id int64) bool { return other.lists(id) })
}

func (r *setRows) lists(customerID int64) bool {
	_, ok := r.latches[customerID]
	return ok
}

// put sets a customer's latch in the maps. It does not write an element that already has the ID,
// nor an empty one if there is no ID: a plan must return these as they were declared.
func (r *setRows) put(customerID int64, l fusebill.Latch) {
	key := strconv.FormatInt(customerID, 10)
	if l.IsZero() {
		r.contacts.remove(key)
		r.companies.remove(key)
		delete(r.latches, customerID)
		return
	}
	r.contacts.put(key, l.HubSpotID)
	r.companies.put(key, l.HubSpotCompanyID)
	r.latches[customerID] = l
}

func (m *idMap) put(key string, id int64) {
	text := m.text(key)
	switch {
	case id == 0 && text != "":
		m.remove(key)
	case id != 0 && text != strconv.FormatInt(id, 10):
		text = strconv.FormatInt(id, 10)
		m.Known[key], m.isNull, m.isUnknown = &text, false, false
		delete(m.Unknown, key)
	}
}

func (m *idMap) remove(key string) {
	delete(m.Known, key)
	delete(m.Unknown, key)
}

// values returns the two maps as attributes.
func (r *setRows) values() (contacts, companies types.String) {
	return r.contacts.value(), r.companies.value()
}

func (m *idMap) value() types.String {
	if m.isNull {
		return types.StringNull()
	}
	return m.stringMap.value()
}

// elementPath returns the path of a customer's element, in a map that has one.
func (r *setRows) elementPath(customerID int64) path.Path {
	key := strconv.FormatInt(customerID, 10)
	_, hasContact := r.contacts.Known[key]
	_, hasCompany := r.companies.Known[key]
	if hasCompany && !hasContact {
		return r.companies.elementPath(key)
	}
	return r.contacts.elementPath(key)
}

func (m *idMap) elementPath(key string) path.Path { return path.Root(m.attribute).AtMapKey(key) }

// mapOf returns the path of the map that declares a claim.
func mapOf(claim fusebill.Claim) path.Path {
	if claim.Kind == fusebill.Contact {
		return path.Root(contactsAttribute)
	}
	return path.Root(companiesAttribute)
}

// faultList gathers faults of rows. It keeps the first ones and counts the others, because nobody
// reads thousands of messages.
type faultList struct {
	summary string // of the message that counts the others
	first   []diag.DiagnosticWithPath
	rest    int
}

func (f *faultList) add(at path.Path, detail string) {
	f.addDiagnostic(at, diag.NewErrorDiagnostic(f.summary, detail))
}

func (f *faultList) addDiagnostic(at path.Path, d diag.Diagnostic) {
	if len(f.first) >= maxListed {
		f.rest++
		return
	}
	f.first = append(f.first, diag.NewAttributeErrorDiagnostic(at, d.Summary(), d.Detail()))
}

func (f *faultList) count() int { return len(f.first) + f.rest }

// errors returns the faults as errors. The count of the others is on no attribute, because the CLI
// would print the whole map with it.
func (f *faultList) errors() diag.Diagnostics {
	var diags diag.Diagnostics
	for _, d := range f.first {
		diags.Append(d)
	}
	if f.rest > 0 {
		diags.AddError(f.summary, f.more())
	}
	return diags
}

// warnings returns the faults as warnings.
func (f *faultList) warnings() diag.Diagnostics {
	var diags diag.Diagnostics
	for _, d := range f.first {
		diags.AddAttributeWarning(d.Path(), d.Summary(), d.Detail())
	}
	if f.rest > 0 {
		diags.AddWarning(f.summary, f.more())
	}
	return diags
}

func (f *faultList) more() string {
	return fmt.Sprintf("%d more rows have a fault like these.", f.rest)
}

// customerName names a customer in messages.
func customerName(customerID int64) string { return fmt.Sprintf("customer %d", customerID) }

// listed names up to maxListed customers and counts the others.
func listed(customerIDs []int64) string {
	var names []string
	for _, id := range customerIDs[:min(len(customerIDs), maxListed)] {
		names = append(names, customerName(id))
	}
	text := strings.Join(names, ", ")
	if rest := len(customerIDs) - maxListed; rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}
