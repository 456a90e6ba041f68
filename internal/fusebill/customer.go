package fusebill

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Customer is a customer of the account, with the fields that this project uses.
type Customer struct {
	ID           int64
	Reference    string // the ID that the account holder has given; it need not be unique
	FirstName    string
	LastName     string
	CompanyName  string
	PrimaryEmail string
	Status       string    // one of Statuses
	Created      time.Time // zero where the answer does not have it, or not in a known form
	Modified     time.Time // the time of the last change; zero likewise

	// Latch is nil if the response lacks one of the HubSpot keys, or has a value that cannot be
	// read. It then reports nothing about the latch, and the customer has to be read individually.
	Latch *Latch
}

// maxName is the maximum length of a name in runes, because a name is part of a sentence.
const maxName = 60

// Name returns the name of the customer for messages: the company name, or else the reference, or
// else "". It is never a person's name or email address, and has only one line.
func (c Customer) Name() string {
	name := []rune(cmp.Or(oneLine(c.CompanyName), oneLine(c.Reference)))
	if len(name) > maxName {
		return string(name[:maxName-1]) + "…"
	}
	return string(name)
}

// String returns the customer as messages show it: "customer 2554530 (Brown Coffee)". So logs do
// not show the fields with a person's name and email address.
func (c Customer) String() string {
	if name := c.Name(); name != "" {
		return fmt.Sprintf("customer %d (%s)", c.ID, name)
	}
	return fmt.Sprintf("customer %d", c.ID)
}

// Customer reads one customer. An error for which [IsNotFound] reports true is necessary, but not
// sufficient, to conclude that there is no such customer.
func (c *Client) Customer(ctx context.Context, id int64) (Customer, error) {
	return c.customer(ctx, id, call{method: http.MethodGet, path: "customers/" + strconv.FormatInt(id, 10)})
}

// customer makes a call whose answer is a customer, and checks that the answer has the requested
// ID.
func (c *Client) customer(ctx context.Context, id int64, call call) (Customer, error) {
	var customer Customer
	call.decode = func(body []byte) (err error) {
		if customer, err = decodeCustomer(body, c.mask); err == nil && customer.ID != id {
			err = &unexpectedJSONError{fmt.Sprintf("it is about customer %d, not %d", customer.ID, id)}
		}
		return err
	}
	if _, err := c.do(ctx, call); err != nil {
		return Customer{}, err
	}
	return customer, nil
}
