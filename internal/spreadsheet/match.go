package spreadsheet

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Customer has the attributes of a customer that are matched with records.
type Customer struct {
	ID, Reference, CompanyName, PrimaryEmail string
}

// Rule is one way to match customers with the records of an export.
type Rule struct {
	attribute string // of the customer, a key of attributes
	column    string // header in the export
}

// attribute is a property of a customer that a rule can compare with a column.
type attribute struct {
	of func(Customer) string
	// keys returns the parts of a cell that are compared, in a form that is equal for equal parts.
	keys func(cell string) []string
}

// attributes are the attributes of customers that rules name.
var attributes = map[string]attribute{
	"id":            {func(c Customer) string { return c.ID }, whole},
	"reference":     {func(c Customer) string { return c.Reference }, whole},
	"primary_email": {func(c Customer) string { return c.PrimaryEmail }, addresses},
	"company_name":  {func(c Customer) string { return c.CompanyName }, name},
}

// whole compares cells as they are, except for white space around them.
func whole(cell string) []string { return []string{strings.TrimSpace(cell)} }

// name ignores letter case and repeated white space.
func name(cell string) []string { return []string{foldCase(strings.Join(strings.Fields(cell), " "))} }

// addresses splits a cell with several email addresses, and ignores letter case.
func addresses(cell string) []string {
	return strings.FieldsFunc(foldCase(cell), func(r rune) bool { return r == ';' || r == ',' || unicode.IsSpace(r) })
}

// foldCase returns a string that is equal for all strings that differ in letter case only, as
// [strings.EqualFold] compares them.
func foldCase(text string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, text)
}

// ParseRule reads a rule in the form "attribute = column".
func ParseRule(text string) (Rule, error) {
	attribute, column, _ := strings.Cut(text, "=")
	rule := Rule{strings.TrimSpace(attribute), strings.TrimSpace(column)}
	if _, ok := attributes[rule.attribute]; !ok || headerKey(rule.column) == "" {
		return Rule{}, fmt.Errorf("%q is not a rule. A rule is an attribute of a customer (id, reference, primary_email or "+
			"company_name), an equals sign, and the header of a column, such as \"primary_email = Email\"", text)
	}
	return rule, nil
}

// Result is the outcome of a match. Every customer is in one of Matches, Unmatched and Ambiguous,
// or its only candidate is in Contested.
type Result struct {
	Matches     map[string]string   // from customer to record
	Unmatched   []string            // customers
	Ambiguous   map[string][]string // from customer to records
	Contested   map[string][]string // from record to customers
	RecordNames map[string]string   // of all records above
}

// recordColumns are the names of the column with the ID of a record.
var recordColumns = []string{"Record ID", "Record ID - Contact", "Record ID - Company", "hs_object_id"}

// Match finds the record of each customer in an export of HubSpot. The first rule by which a
// customer fits any record decides; these records are the customer's candidates. A customer is
// matched with its only candidate, unless another customer has the same candidate. An error is a
// *FileError.
func Match(customers []Customer, export string, rules []Rule, readID ReadID) (Result, error) {
	records, err := readExport(export, rules, readID)
	if err != nil {
		return Result{}, err
	}
	result := Result{
		Matches: map[string]string{}, Unmatched: []string{}, Ambiguous: map[string][]string{},
		Contested: map[string][]string{}, RecordNames: map[string]string{},
	}
	candidates := make([][]int, len(customers)) // by customer, indices of records in ascending order
	wantedBy := make([][]string, len(records.ids))
	for i, c := range customers {
		candidates[i] = records.candidates(c, rules)
		for _, record := range candidates[i] {
			wantedBy[record] = append(wantedBy[record], c.ID)
			result.RecordNames[records.ids[record]] = records.names[record]
		}
	}
	for i, c := range customers {
		switch own := candidates[i]; {
		case len(own) == 0:
			result.Unmatched = append(result.Unmatched, c.ID)
		case len(own) > 1:
			for _, record := range own {
				result.Ambiguous[c.ID] = append(result.Ambiguous[c.ID], records.ids[record])
			}
		case len(wantedBy[own[0]]) == 1:
			result.Matches[c.ID] = records.ids[own[0]]
		}
	}
	for record, wanting := range wantedBy {
		if len(wanting) > 1 {
			result.Contested[records.ids[record]] = wanting
		}
	}
	return result, nil
}

// export holds the records of an export.
type export struct {
	ids, names []string
	byKey      []map[string][]int // by rule and key, indices of records in ascending order
}

// candidates returns the records that fit a customer by the first rule by which any does.
func (e export) candidates(c Customer, rules []Rule) []int {
	for i, rule := range rules {
		var found []int
		compared := attributes[rule.attribute]
		for _, key := range compared.keys(compared.of(c)) {
			found = append(found, e.byKey[i][key]...)
		}
		if slices.Sort(found); len(found) > 0 {
			return slices.Compact(found)
		}
	}
	return nil
}

const exportAgain = "HubSpot exports each record once. Export the records again."

func readExport(text string, rules []Rule, readID ReadID) (export, error) {
	t, err := openTable(text, func(header string) bool {
		return hasName(header, recordColumns) ||
			slices.ContainsFunc(rules, func(rule Rule) bool { return hasName(header, []string{rule.column}) })
	})
	if err != nil {
		return export{}, err
	}
	ids := idColumn{noun: "record", read: readID, lines: map[string]int{}, twice: exportAgain}
	if ids.index, err = t.find(recordColumns...); err != nil {
		return export{}, err
	}
	if ids.index < 0 {
		return export{}, t.missing(recordColumns[0],
			"Export the contacts or companies from HubSpot as a CSV file, with headers in English.")
	}
	var e export
	columns := make([]int, len(rules))
	for i, rule := range rules {
		if columns[i], err = t.find(rule.column); err != nil {
			return export{}, err
		}
		if columns[i] < 0 {
			return export{}, t.missing(rule.column,
				"Use the name of a column in the rule, or export the records with all of their properties.")
		}
		e.byKey = append(e.byKey, map[string][]int{})
	}
	nameOf := t.recordName()
	var errs FileError
	t.rows(&errs, func(r row) {
		record := len(e.ids)
		e.ids = append(e.ids, ids.id(t, r, &errs))
		e.names = append(e.names, nameOf(r))
		for i, rule := range rules {
			for _, key := range attributes[rule.attribute].keys(r.cell(columns[i])) {
				if key != "" {
					e.byKey[i][key] = append(e.byKey[i][key], record)
				}
			}
		}
	})
	return e, errs.orNil()
}

// recordName returns a function that returns a readable name of the record on a line: the name and
// address of a contact, or the name of a company.
func (t table) recordName() func(row) string {
	column := func(name string) int {
		return slices.IndexFunc(t.header, func(header string) bool { return hasName(header, []string{name}) })
	}
	first, last, email, company := column("First Name"), column("Last Name"), column("Email"), column("Company name")
	return func(r row) string {
		person := strings.TrimSpace(r.cell(first) + " " + r.cell(last))
		address := r.cell(email)
		switch {
		case person != "" && address != "":
			return person + " <" + address + ">"
		case person+address != "":
			return person + address
		default:
			return r.cell(company)
		}
	}
}
