package fusebillsim

import (
	"fmt"
	"time"
)

// Customer is a customer of the account, with its latch.
type Customer struct {
	ID int64

	// HubSpotID and HubSpotCompanyID are the contact and the company that the
	// customer is latched to; 0 means none.
	HubSpotID, HubSpotCompanyID int64

	FirstName, LastName, CompanyName string
	PrimaryEmail, PrimaryPhone       string
	Title                            string // Mr, Mrs, Ms, Miss or Dr
	Reference                        string // the account holder's own ID; need not be unique
	QuickBooksID                     int64  // 0: none
	MonthlyRevenueCents              int64  // monthlyRecurringRevenue in hundredths

	// Status is Draft, Active, Hold, Suspended or Cancelled.
	Status string

	Created, Modified time.Time
}

// AddCustomers puts customers into the account, in place of any with the same IDs. Empty Status,
// Created and Modified become Active and the current time. It panics if an ID is out of range, or
// if another customer holds a contact or a company.
func (s *Simulator) AddCustomers(customers ...Customer) {
	s.store.add(customers)
}

// Customer returns the customer with this ID, and whether there is one.
func (s *Simulator) Customer(id int64) (Customer, bool) {
	r, ok := s.store.get(id)
	if !ok {
		return Customer{}, false
	}
	return r.Customer, true
}

// Customers returns all customers, ordered by ID.
func (s *Simulator) Customers() []Customer {
	var all []Customer
	s.store.view(func(t table) {
		all = make([]Customer, len(t))
		for i, r := range t {
			all[i] = r.Customer
		}
	})
	return all
}

// SetLatch latches a customer as another user of the account would; 0 means no contact or no
// company. It is not counted as a call. It takes an ID that another customer holds from that
// customer. SetLatch panics if there is no such customer or if an ID is negative.
func (s *Simulator) SetLatch(id, hubSpotID, hubSpotCompanyID int64) {
	if hubSpotID < 0 || hubSpotCompanyID < 0 {
		panic(fmt.Sprintf("fusebillsim: SetLatch(%d, %d, %d): negative ID", id, hubSpotID, hubSpotCompanyID))
	}
	rules := changeRules{take: true, keepModified: s.behavior.Load().LatchKeepsModified}
	if _, err := s.store.latch(latch{id, hubSpotID, hubSpotCompanyID}, rules); err != nil {
		panic(fmt.Sprintf("fusebillsim: SetLatch(%d, %d, %d): %v", id, hubSpotID, hubSpotCompanyID, err))
	}
}

// DeleteCustomer removes a customer with its latch, if there is one.
func (s *Simulator) DeleteCustomer(id int64) {
	s.store.delete(id)
}
