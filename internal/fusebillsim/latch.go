package fusebillsim

import (
	"errors"
	"mime"
	"net/http"
)

// latch answers POST HubSpot/latchCustomer.
func (s *Simulator) latch(c *call) *answer {
	if t, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return errorAnswer(http.StatusUnsupportedMediaType, "The request's Content-Type is not application/json.")
	}
	if len(c.body) > maxBody {
		return errorAnswer(http.StatusRequestEntityTooLarge, "The request body is too large.")
	}
	l, err := parseLatch(c.body)
	if err != nil {
		return badRequest(err)
	}
	if _, ok := s.store.get(l.customer); !ok {
		return noSuchCustomer(l.customer)
	}
	if text := c.behavior.hubSpotError(l); text != "" {
		return errorAnswer(http.StatusBadRequest, text)
	}
	return s.setLatch(c, l)
}

// unlatch answers POST HubSpot/UnlatchCustomer/{id}.
func (s *Simulator) unlatch(c *call) *answer {
	id, err := parsePathID(c.pathID)
	if err != nil {
		return badRequest(err)
	}
	return s.setLatch(c, latch{customer: id})
}

// setLatch makes the change and answers with the customer.
func (s *Simulator) setLatch(c *call, l latch) *answer {
	r, err := s.store.latch(l, c.behavior.Conflict == ConflictMoves)
	switch {
	case errors.Is(err, errNoCustomer):
		return noSuchCustomer(l.customer)
	case err != nil && c.behavior.Conflict == ConflictStatus400:
		return errorAnswer(http.StatusBadRequest, "An error occurred while updating the customer")
	case err != nil:
		return errorAnswer(http.StatusConflict, err.Error())
	}
	if c.has(FaultDifferentAnswer) {
		r = otherLatch(r)
	}
	return newAnswer(http.StatusOK, jsonType, r.encode(formatFor(c.behavior, false)))
}

// hubSpotError returns HubSpot's error for a contact or company that it does not
// have, or "".
func (b *Behavior) hubSpotError(l latch) string {
	switch {
	case b.UnknownContacts[l.contact]: // the text, with its slip, is the vendor's
		return "The was an error getting the contact from HubSpot: resource not found"
	case b.UnknownCompanies[l.company]:
		return "The was an error getting the company from HubSpot: resource not found"
	default:
		return ""
	}
}
