package fusebillsim

import (
	"fmt"
	"strings"
	"time"
)

// firstSampleID is the lowest ID of sample customers.
const firstSampleID = 2_500_000

// AddSampleCustomers adds n plausible customers without latches, and returns their IDs in ascending
// order. They are the same in every run, and no other customer has their IDs.
func (s *Simulator) AddSampleCustomers(n int) []int64 {
	s.sampling.Lock()
	defer s.sampling.Unlock()
	var ids []int64
	s.store.view(func(t table) { ids = t.freeIDs(firstSampleID, n) })
	customers := make([]Customer, n)
	for i, id := range ids {
		customers[i] = sampleCustomer(id)
	}
	s.AddCustomers(customers...)
	return ids
}

// sampleCustomer returns a customer whose fields are all derived from the ID.
func sampleCustomer(id int64) Customer {
	firstNames := [...]string{"Ada", "Björn", "Chloé", "Dmitri", "Esi", "Farid", "Grace", "Hiro", "Inés", "John", "Kavya"}
	lastNames := [...]string{"Adeyemi", "Brown", "Castillo", "Doe", "Eriksson", "Fischer", "Ōno", "O'Neil", "Singh"}
	trades := [...]string{"Bicycles", "Coffee", "Dental", "Freight", "Labs", "Printing", "Software"}
	statuses := [...]string{
		"Active", "Active", "Active", "Draft", "Active", "Active", "Hold", "Active", "Suspended", "Active", "Cancelled",
	}

	i := id - firstSampleID
	first := firstNames[i%int64(len(firstNames))]
	last := lastNames[i%int64(len(lastNames))]
	trade := trades[i%int64(len(trades))]
	created := time.Date(2020, time.January, 6, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * 7 * time.Minute)
	return Customer{
		ID:           id,
		FirstName:    first,
		LastName:     last,
		CompanyName:  fmt.Sprintf("%s %s %d", last, trade, i+1),
		PrimaryEmail: fmt.Sprintf("billing+%d@%s.example", i+1, strings.ToLower(trade)),
		Reference:    fmt.Sprintf("C-%06d", i+1),
		Status:       statuses[i%int64(len(statuses))],
		Created:      created,
		Modified:     created,
	}
}
