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

// latchMap is the value of latches: the latch of each customer, and the texts that it was written in.
type latchMap struct {
	latches map[int64]fusebill.Latch
	texts   latchTexts
	unknown bool           // the map itself isn't known yet
	partly  map[int64]bool // customers of whose latch an ID isn't; it counts as none among latches
}

// maxListed is how many elements are told one by one.
const maxListed = 20

func newLatchMap(size int) latchMap {
	return latchMap{latches: make(map[int64]fusebill.Latch, size), texts: make(latchTexts, size), partly: make(map[int64]bool)}
}

// parseLatchMap reads a map and tells what is wrong with each key and value, on its path.
func parseLatchMap(value types.String) (latchMap, diag.Diagnostics) {
	texts, err := unpackTexts(value.ValueString())
	if err != nil {
		return newLatchMap(0), diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root(latchesAttribute), "Invalid latches", sentence(err))}
	}
	m := newLatchMap(len(texts))
	m.texts, m.unknown = texts, value.IsUnknown()
	invalid := make(map[string]string)
	for key, text := range texts {
		id, ok := parseID(key)
		if !ok {
			invalid[key] = fmt.Sprintf("The key %q isn't the ID of a Fusebill customer: %s.", key, idForm)
			continue
		}
		l, fault := text.parse()
		if fault != "" {
			invalid[key] = fmt.Sprintf("Customer %s: %s.", key, fault)
			continue
		}
		m.latches[id] = l
		if text.isUnknown() {
			m.partly[id] = true
		}
	}
	faults := elementFaults{summary: "Invalid HubSpot latch"}
	for _, key := range slices.Sorted(maps.Keys(invalid)) {
		faults.add(diag.NewAttributeErrorDiagnostic(elementPath(key), faults.summary, invalid[key]))
	}
	return m, faults.diagnostics()
}

func (t latchText) isUnknown() bool {
	return t.mark == unknown || t.mark == known && (t.contact.mark == unknown || t.company.mark == unknown)
}

// parse returns the latch of an element, or what is wrong with it. What is unknown counts as none.
func (t latchText) parse() (l fusebill.Latch, fault string) {
	contact, contactOK := t.contact.parse()
	company, companyOK := t.company.parse()
	l = fusebill.Latch{HubSpotID: contact, HubSpotCompanyID: company}
	switch {
	case !contactOK:
		fault = fmt.Sprintf("%s must be %s, not %q", contactAttribute, idForm, t.contact.text)
	case !companyOK:
		fault = fmt.Sprintf("%s must be %s, not %q", companyAttribute, idForm, t.company.text)
	case l.IsZero() && !t.isUnknown():
		fault = "one of hubspot_id and hubspot_company_id must be set; null and the empty text count as none"
	}
	return l, fault
}

func (id idText) parse() (int64, bool) {
	if id.text == "" {
		return 0, true
	}
	return parseID(id.text)
}

// claimedTwice refuses two customers of one map that claim the same contact or company.
func (m latchMap) claimedTwice() diag.Diagnostics {
	faults := elementFaults{summary: "HubSpot contact or company is declared twice"}
	holders := make(map[fusebill.Claim]int64)
	for _, id := range m.customers() {
		for _, claim := range m.latches[id].Claims() {
			other, ok := holders[claim]
			if !ok {
				holders[claim] = id
				continue
			}
			faults.add(diag.NewAttributeErrorDiagnostic(elementPath(strconv.FormatInt(id, 10)), faults.summary,
				fmt.Sprintf("HubSpot %s is declared for customer %d and for customer %d. Only one customer may hold a contact or a company.",
					claim, other, id)))
		}
	}
	return faults.diagnostics()
}

// customers returns the customers of the map in order, nil where it isn't known yet.
func (m latchMap) customers() []int64 {
	if m.unknown {
		return nil
	}
	ids := slices.AppendSeq(make([]int64, 0, len(m.latches)), maps.Keys(m.latches)) // Not nil, even where there are none.
	slices.Sort(ids)
	return ids
}

// set makes a customer's element say what it is latched to. One that says so already stays as it is written.
func (m *latchMap) set(customerID int64, l fusebill.Latch) {
	key := strconv.FormatInt(customerID, 10)
	if l.IsZero() {
		delete(m.texts, key)
		delete(m.latches, customerID)
		return
	}
	if _, ok := m.texts[key]; ok && m.latches[customerID] == l {
		return
	}
	m.latches[customerID] = l
	m.texts[key] = latchText{mark: known, contact: newIDText(l.HubSpotID), company: newIDText(l.HubSpotCompanyID)}
}

func newIDText(id int64) idText {
	if id == 0 {
		return idText{mark: null}
	}
	return idText{mark: known, text: strconv.FormatInt(id, 10)}
}

// value is the map as the framework takes it.
func (m *latchMap) value() types.String { return types.StringValue(m.texts.pack()) }

// elementPath is where an element of latches stands. A path to an attribute in it would make the CLI point at the resource.
func elementPath(key string) path.Path { return path.Root(latchesAttribute).AtMapKey(key) }

// elementFaults collects what is wrong with elements. The first ones are told in full, the rest as a number: thousands of
// messages would hide what they say.
type elementFaults struct {
	summary string // of the number
	listed  diag.Diagnostics
	rest    int
}

func (f *elementFaults) add(d diag.Diagnostic) {
	if len(f.listed) >= maxListed {
		f.rest++
		return
	}
	f.listed = append(f.listed, d)
}

// diagnostics are the faults where they are errors. Their number stands on no attribute, since the CLI would print all of it.
func (f *elementFaults) diagnostics() diag.Diagnostics {
	diags := slices.Clone(f.listed)
	if f.rest > 0 {
		diags.AddError(f.summary, f.more())
	}
	return diags
}

// warnings are the faults where they are warnings.
func (f *elementFaults) warnings() diag.Diagnostics {
	diags := slices.Clone(f.listed)
	if f.rest > 0 {
		diags.AddWarning(f.summary, f.more())
	}
	return diags
}

func (f *elementFaults) more() string { return fmt.Sprintf("And %d more like these.", f.rest) }

// listed names the first of some customers, and counts the rest.
func listed(customerIDs []int64) string {
	var ids []string
	for _, id := range customerIDs[:min(len(customerIDs), maxListed)] {
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	text := strings.Join(ids, ", ")
	if rest := len(customerIDs) - maxListed; rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}
