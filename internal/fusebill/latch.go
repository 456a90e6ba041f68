package fusebill

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
)

// Latch links a customer to a HubSpot contact, a HubSpot company, or both. HubSpot's IDs begin at
// 1; 0 stands for none (the API's null), so latches compare with ==.
type Latch struct {
	HubSpotID        int64 // the contact's visitor ID (vid)
	HubSpotCompanyID int64
}

// IsZero reports whether the customer is latched to nothing.
func (l Latch) IsZero() bool { return l == Latch{} }

// String returns the latch as messages show it: "contact 101 and company 202".
func (l Latch) String() string {
	switch {
	case l.IsZero():
		return "nothing"
	case l.HubSpotCompanyID == 0:
		return fmt.Sprintf("contact %d", l.HubSpotID)
	case l.HubSpotID == 0:
		return fmt.Sprintf("company %d", l.HubSpotCompanyID)
	default:
		return fmt.Sprintf("contact %d and company %d", l.HubSpotID, l.HubSpotCompanyID)
	}
}

// latchRequest is the body of the latch call
// (https://developer.staxbill.com/reference/latch-customer-1). A field that is left out removes its
// mapping, as null does. The client always sends both fields, so a log shows the requested latch.
type latchRequest struct {
	FusebillID       int64  `json:"fusebillId"`
	HubSpotID        *int64 `json:"hubSpotId"`
	HubSpotCompanyID *int64 `json:"hubSpotCompanyId"`
}

// Latch sets both IDs of a customer, removes those that are 0, and returns the customer as the
// service answered. It is idempotent. The service refuses an ID that HubSpot does not know with a
// 400.
func (c *Client) Latch(ctx context.Context, customerID int64, latch Latch) (Customer, error) {
	return c.customer(ctx, customerID, call{
		method: http.MethodPost,
		path:   "HubSpot/latchCustomer",
		body: latchRequest{
			FusebillID:       customerID,
			HubSpotID:        nullIfZero(latch.HubSpotID),
			HubSpotCompanyID: nullIfZero(latch.HubSpotCompanyID),
		},
		write: true,
	})
}

// Unlatch removes both IDs of a customer and returns the customer as the service answered.
func (c *Client) Unlatch(ctx context.Context, customerID int64) (Customer, error) {
	return c.customer(ctx, customerID, call{
		method: http.MethodPost,
		path:   "HubSpot/UnlatchCustomer/" + strconv.FormatInt(customerID, 10),
		write:  true,
	})
}

func nullIfZero(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
