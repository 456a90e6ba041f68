package fusebill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Customer is a customer of the account, with the fields that this project uses.
type Customer struct {
	ID           int64
	Reference    string // the account holder's own ID; the service doesn't force it to be unique
	FirstName    string
	LastName     string
	CompanyName  string
	PrimaryEmail string
	Status       string    // one of Statuses
	Modified     time.Time // when it was last changed; zero where the answer doesn't say it in a way that can be read

	// Latch is nil where the answer didn't carry both HubSpot keys, as entries of a list may not. That says nothing
	// about the latch: read the customer by itself.
	Latch *Latch
}

// Customer reads one customer. Only an [APIError] for which [IsNotFound] holds says that there is none.
func (c *Client) Customer(ctx context.Context, id int64) (Customer, error) {
	return c.customer(ctx, id, call{method: http.MethodGet, path: "customers/" + strconv.FormatInt(id, 10)})
}

// customer makes a call that answers with the customer of that ID, and checks that it does.
func (c *Client) customer(ctx context.Context, id int64, call call) (Customer, error) {
	var customer Customer
	call.answer = &customer
	if _, err := c.do(ctx, call); err != nil {
		return Customer{}, err
	}
	var err error
	switch {
	case customer.ID != id:
		err = fmt.Errorf("the answer is about customer %d, not %d", customer.ID, id)
	case customer.Latch == nil:
		err = fmt.Errorf("the answer for customer %d lacks hubSpotId or hubSpotCompanyId", id)
	default:
		return customer, nil
	}
	err = fmt.Errorf("%s %s: %w", call.method, call.path, &MalformedAnswerError{Err: err})
	if call.write {
		err = &OutcomeUnknownError{Err: err}
	}
	return Customer{}, err
}

// UnmarshalJSON decodes the service's customer object. It is lenient as the API description asks: letter case of keys
// is ignored, IDs come as numbers or numeric strings, unknown keys are skipped. An object without an ID is an error.
func (c *Customer) UnmarshalJSON(data []byte) error {
	var wire struct {
		ID               wireID
		HubSpotID        wireID
		HubSpotCompanyID wireID
		Reference        string
		FirstName        string
		LastName         string
		CompanyName      string
		PrimaryEmail     string
		Status           string
		Modified         wireTime `json:"modifiedTimestamp"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.ID.value == 0 {
		return errors.New("a customer without an ID")
	}
	*c = Customer{
		ID:           wire.ID.value,
		Reference:    wire.Reference,
		FirstName:    wire.FirstName,
		LastName:     wire.LastName,
		CompanyName:  wire.CompanyName,
		PrimaryEmail: wire.PrimaryEmail,
		Status:       status(wire.Status),
		Modified:     wire.Modified.Time,
	}
	if wire.HubSpotID.present && wire.HubSpotCompanyID.present {
		c.Latch = &Latch{HubSpotID: wire.HubSpotID.value, HubSpotCompanyID: wire.HubSpotCompanyID.value}
	}
	return nil
}

// wireID is an ID as the service writes it. It tells a null (present, 0) from an absent key (not present), and never
// passes through a float.
type wireID struct {
	value   int64
	present bool
}

func (id *wireID) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		*id = wireID{present: true}
		return nil
	}
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = strings.TrimSpace(unquoted)
	}
	value, err := strconv.ParseUint(text, 10, 63) // No sign, and no more than an int64 holds.
	if err != nil {
		return fmt.Errorf("not an ID: %s", excerpt(data))
	}
	*id = wireID{value: int64(value), present: true}
	return nil
}

// status is one text for all customers of a status, of whom an account has tens of thousands.
func status(text string) string {
	for _, known := range Statuses {
		if text == known {
			return known
		}
	}
	return text
}

// wireTime is a time as the service writes it: UTC, with or without saying so. It's information beside the point, so that
// another form is no error.
type wireTime struct{ time.Time }

func (t *wireTime) UnmarshalJSON(data []byte) error {
	text, _ := strconv.Unquote(string(data))
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if parsed, err := time.Parse(layout, text); err == nil {
			t.Time = parsed.UTC()
			break
		}
	}
	return nil
}
