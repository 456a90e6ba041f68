package fusebillsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// update answers PUT customers, which sets most fields that its body leaves out to null.
func (s *Simulator) update(c *call) *answer {
	if a := c.refuseBody(); a != nil {
		return a
	}
	next, err := parseUpdate(c.body)
	if err != nil {
		return badRequest(err)
	}
	rules := c.behavior.changeRules()
	rules.keepModified = false
	r, err := s.store.change(next.ID, rules, func(current *Customer) {
		next.Status, next.MonthlyRevenueCents = current.Status, current.MonthlyRevenueCents
		next.Created, next.Modified = current.Created, current.Modified
		if c.behavior.UpdateKeepsLatch {
			next.HubSpotID, next.HubSpotCompanyID = current.HubSpotID, current.HubSpotCompanyID
		}
		*current = next
	})
	return c.changed(next.ID, r, err)
}

// parseUpdate reads a customer object, of which only the ID is required.
func parseUpdate(body []byte) (Customer, error) {
	members, err := decodeObject(body)
	if err != nil {
		return Customer{}, err
	}
	var c Customer
	ids := map[string]*int64{
		"id": &c.ID, "hubspotid": &c.HubSpotID, "hubspotcompanyid": &c.HubSpotCompanyID,
		"quickbooksid": &c.QuickBooksID,
	}
	texts := map[string]*string{
		"firstname": &c.FirstName, "lastname": &c.LastName, "companyname": &c.CompanyName, "title": &c.Title,
		"reference": &c.Reference, "primaryemail": &c.PrimaryEmail, "primaryphone": &c.PrimaryPhone,
	}
	for _, m := range members {
		name := strings.ToLower(m.name)
		if id, ok := ids[name]; ok {
			*id, err = decodeID(m.value)
		} else if text, ok := texts[name]; ok {
			*text, err = decodeText(m.value)
		}
		if err != nil {
			return Customer{}, fmt.Errorf("%s: %w", m.name, err)
		}
	}
	if c.ID == 0 {
		return Customer{}, errors.New("id is required")
	}
	return c, nil
}

// decodeText reads a string, a number or null.
func decodeText(value json.RawMessage) (string, error) {
	var text any
	if err := json.Unmarshal(value, &text); err != nil {
		return "", err
	}
	switch text := text.(type) {
	case nil:
		return "", nil
	case string:
		return text, nil
	case float64:
		return string(value), nil
	default:
		return "", errors.New("not a string")
	}
}
