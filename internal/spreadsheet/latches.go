package spreadsheet

import "fmt"

// ReadID reads a cell as the ID of one kind of object.
type ReadID func(cell string) (id string, err *IDError)

// IDError explains why a cell is not an ID.
type IDError struct {
	Reason   string // a sentence without its full stop, with the cell in quotes
	Kind     string // equal for mistakes that share their next step
	NextStep string
}

// Latches are the latches of a file. The keys of both maps are IDs of customers.
type Latches struct {
	Contacts, Companies map[string]string
}

// The names of the columns. The first of each is the one that the documentation uses.
var (
	customerColumns = []string{"fusebill_id", "customer_id", "fusebill_customer_id"}
	contactColumns  = []string{"hubspot_id", "contact_id", "hubspot_contact_id"}
	companyColumns  = []string{"hubspot_company_id", "company_id"}
)

// ReadLatches reads a file with a line for each customer. An error is a *FileError.
func ReadLatches(text string, customer, contact, company ReadID) (Latches, error) {
	customers := idColumn{
		noun: "customer", names: customerColumns, read: customer, lines: map[string]int{},
		twice: "Keep one line for each customer, with both its contact and its company.",
	}
	contacts := idColumn{
		noun: "contact", names: contactColumns, read: contact, lines: map[string]int{},
		twice: "A contact can belong to one customer only. Remove its ID from one of the two lines.",
	}
	companies := idColumn{
		noun: "company", names: companyColumns, read: company, lines: map[string]int{},
		twice: "A company can belong to one customer only. Remove its ID from one of the two lines.",
	}
	t, err := openTable(text, func(header string) bool {
		return hasName(header, customerColumns) || hasName(header, contactColumns) || hasName(header, companyColumns)
	})
	if err != nil {
		return Latches{}, err
	}
	for _, c := range []*idColumn{&customers, &contacts, &companies} {
		if c.index, err = t.find(c.names...); err != nil {
			return Latches{}, err
		}
	}
	const needed = "The file needs the columns fusebill_id and hubspot_id, fusebill_id and hubspot_company_id, or all " +
		"three. Commas, semicolons or tabs separate them."
	switch {
	case customers.index < 0:
		return Latches{}, t.missing("fusebill_id", needed)
	case contacts.index < 0 && companies.index < 0:
		return Latches{}, t.missing("hubspot_id or hubspot_company_id", needed)
	}
	latches := Latches{Contacts: map[string]string{}, Companies: map[string]string{}}
	var errs FileError
	t.rows(&errs, func(r row) {
		customerID := customers.id(t, r, &errs)
		if r.cell(contacts.index) == "" && r.cell(companies.index) == "" && customerID != "" {
			errs.add(lineError{
				line:     r.line,
				reason:   fmt.Sprintf("customer %s has neither a contact nor a company", customerID),
				kind:     "neither",
				nextStep: "Fill in the ID of a contact or a company, or remove the line.",
			})
		}
		if r.cell(contacts.index) != "" {
			latches.Contacts[customerID] = contacts.id(t, r, &errs)
		}
		if r.cell(companies.index) != "" {
			latches.Companies[customerID] = companies.id(t, r, &errs)
		}
	})
	if err := errs.orNil(); err != nil {
		return Latches{}, err
	}
	return latches, nil
}

// idColumn is a column of IDs, each of which may be on one line only.
type idColumn struct {
	noun  string
	names []string
	read  ReadID
	index int            // negative: the file does not have this column
	lines map[string]int // by ID
	twice string         // the next step after an ID on two lines
}

// id returns the ID on a line. It is empty after an error.
func (c *idColumn) id(t table, r row, errs *FileError) string {
	id, idErr := c.read(r.cell(c.index))
	if idErr != nil {
		errs.add(lineError{r.line, t.column(c.index), idErr.Reason, c.noun + " " + idErr.Kind, idErr.NextStep})
		return ""
	}
	if first, ok := c.lines[id]; ok {
		reason := fmt.Sprintf("%s %s is on line %d too", c.noun, id, first)
		errs.add(lineError{r.line, t.column(c.index), reason, c.noun + " twice", c.twice})
		return ""
	}
	c.lines[id] = r.line
	return id
}
