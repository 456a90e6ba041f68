package fusebillsim

import (
	"errors"
	"mime"
	"net/http"
)

// latch answers POST HubSpot/latchCustomer.
func (s *Simulator) latch(c *call) *answer {
	if a := c.refuseBody(); a != nil {
		return a
	}
	l, err := parseLatch(c.body)
	if err != nil {
		return badRequest(err)
	}
	if _, ok := s.store.get(l.customer); !ok {
		return noSuchCustomer(c.behavior, l.customer)
	}
	merged := s.store.afterMerges(l)
	if text := c.behavior.hubSpotError(l, merged); text != "" {
		return errorAnswer(http.StatusBadRequest, text)
	}
	if c.behavior.Merged == MergedAnswersNewID {
		l = merged
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
	r, err := s.store.latch(l, c.behavior.changeRules())
	return c.changed(l.customer, r, err)
}

// changed answers a write: with the customer as it is now, or with the reason that the store gave.
func (c *call) changed(id int64, r *record, err error) *answer {
	switch {
	case errors.Is(err, errNoCustomer):
		return noSuchCustomer(c.behavior, id)
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

// refuseBody returns the answer to a body that is not JSON or too large, or nil.
func (c *call) refuseBody() *answer {
	if t, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return errorAnswer(http.StatusUnsupportedMediaType, "The request's Content-Type is not application/json.")
	}
	if len(c.body) > maxBody {
		return errorAnswer(http.StatusRequestEntityTooLarge, "The request body is too large.")
	}
	return nil
}

// hubSpotError returns HubSpot's error for a contact or company that it does not have, or "".
func (b *Behavior) hubSpotError(l, merged latch) string {
	refuses := b.Merged == MergedRefused
	switch {
	case b.UnknownContacts[l.contact], refuses && merged.contact != l.contact: // The text, with its slip, is the vendor's.
		return "The was an error getting the contact from HubSpot: resource not found"
	case b.UnknownCompanies[l.company], refuses && merged.company != l.company:
		return "The was an error getting the company from HubSpot: resource not found"
	default:
		return ""
	}
}

func (b *Behavior) changeRules() changeRules {
	return changeRules{take: b.Conflict == ConflictMoves, keepModified: b.LatchKeepsModified}
}
