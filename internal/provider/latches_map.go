package provider

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// latchMap is the value of latches: the latch of each customer, and the texts that it was written in.
type latchMap struct {
	latches map[int64]fusebill.Latch
	texts   latchTexts
	// whole says that no customer and no ID is unknown; those that are aren't among latches.
	whole bool
}

// maxListed is how many elements at fault are told one by one.
const maxListed = 20

// parseLatchMap reads a map and tells what is wrong with each key and value, on its path.
func parseLatchMap(value types.String) (latchMap, diag.Diagnostics) {
	texts, err := unpackTexts(value.ValueString())
	if err != nil {
		return latchMap{}, diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root(latchesAttribute), "Invalid latches", sentence(err))}
	}
	m := latchMap{latches: make(map[int64]fusebill.Latch, len(texts)), texts: texts, whole: !value.IsUnknown()}
	var faults elementFaults
	for key, text := range texts {
		id, err := parseID(key)
		if err != nil {
			faults.add(key, "", "the key must be the ID of a Fusebill customer, "+err.Error())
			continue
		}
		latch, attribute, err := text.parse()
		switch {
		case err != nil:
			faults.add(key, attribute, err.Error())
		case text.isUnknown():
			m.whole = false
		default:
			m.latches[id] = latch
		}
	}
	return m, faults.diagnostics("Invalid latch")
}

func (t latchText) isUnknown() bool {
	return t.mark == unknown || t.mark == known && (t.contact.mark == unknown || t.company.mark == unknown)
}

// parse returns the latch of an element, or the attribute at fault. What is unknown counts as none.
func (t latchText) parse() (latch fusebill.Latch, attribute string, err error) {
	if latch.HubSpotID, err = t.contact.parse(); err != nil {
		return latch, contactAttribute, err
	}
	if latch.HubSpotCompanyID, err = t.company.parse(); err != nil {
		return latch, companyAttribute, err
	}
	if latch.IsZero() && !t.isUnknown() {
		err = errors.New("at least one of hubspot_id and hubspot_company_id must be set; null and an empty text count as none")
	}
	return latch, "", err
}

func (id idText) parse() (int64, error) {
	if id.text == "" {
		return 0, nil
	}
	parsed, err := parseID(id.text)
	if err != nil {
		return 0, fmt.Errorf("it must be an ID of HubSpot, %w", err)
	}
	return parsed, nil
}

// parseID reads an ID in the one way to write it, so that no two keys are the same customer.
func parseID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 || strconv.FormatInt(id, 10) != text {
		return 0, fmt.Errorf("a whole number of 1 or more without leading zeros or white space, not %q", text)
	}
	return id, nil
}

// set makes a customer's element say what it is latched to. One that says so already stays as it is written.
func (m *latchMap) set(customerID int64, latch fusebill.Latch) {
	key := strconv.FormatInt(customerID, 10)
	if latch.IsZero() {
		delete(m.texts, key)
		delete(m.latches, customerID)
		return
	}
	if _, ok := m.texts[key]; ok && m.latches[customerID] == latch {
		return
	}
	m.latches[customerID] = latch
	m.texts[key] = latchText{mark: known, contact: newIDText(latch.HubSpotID), company: newIDText(latch.HubSpotCompanyID)}
}

func newIDText(id int64) idText {
	if id == 0 {
		return idText{mark: null}
	}
	return idText{mark: known, text: strconv.FormatInt(id, 10)}
}

// value is the map as the framework takes it.
func (m *latchMap) value() types.String { return types.StringValue(m.texts.pack()) }

// elementPath is where an element of latches, or an attribute in it, stands.
func elementPath(key, attribute string) path.Path {
	p := path.Root(latchesAttribute).AtMapKey(key)
	if attribute != "" {
		p = p.AtName(attribute)
	}
	return p
}

// elementFaults collects what is wrong with elements. The first ones are told in full, the rest as a number: thousands of
// messages would hide what they say.
type elementFaults struct {
	listed diag.Diagnostics
	rest   int
}

func (f *elementFaults) add(key, attribute, detail string) {
	f.addDiagnostic(diag.NewAttributeErrorDiagnostic(elementPath(key, attribute), "", fmt.Sprintf("Customer %s: %s.", key, detail)))
}

func (f *elementFaults) addDiagnostic(d diag.Diagnostic) {
	if len(f.listed) >= maxListed {
		f.rest++
		return
	}
	f.listed = append(f.listed, d)
}

// diagnostics are the faults under a common summary, where they have none of their own.
func (f *elementFaults) diagnostics(summary string) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, d := range f.listed {
		located, ok := d.(diag.DiagnosticWithPath)
		if ok && d.Summary() == "" {
			d = diag.NewAttributeErrorDiagnostic(located.Path(), summary, d.Detail())
		}
		diags.Append(d)
	}
	if f.rest > 0 {
		diags.AddAttributeError(path.Root(latchesAttribute), summary, fmt.Sprintf("%d more customers have errors like those above.", f.rest))
	}
	return diags
}

// warnings are the same for what doesn't stop a plan.
func (f *elementFaults) warnings(summary string) diag.Diagnostics {
	diags := slices.Clone(f.listed)
	if f.rest > 0 {
		diags.AddAttributeWarning(path.Root(latchesAttribute), summary, fmt.Sprintf("%d more customers have warnings like those above.", f.rest))
	}
	return diags
}
