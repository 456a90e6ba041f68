package fusebill

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
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
	call.decode = func(body []byte) (err error) {
		if customer, err = decodeCustomer(body); err == nil && customer.ID != id {
			err = &unexpectedJSONError{fmt.Sprintf("it is about customer %d, not %d", customer.ID, id)}
		}
		return err
	}
	if _, err := c.do(ctx, call); err != nil {
		return Customer{}, err
	}
	return customer, nil
}
