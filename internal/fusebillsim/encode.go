package fusebillsim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
)

// record is a customer together with its latest encoding, which is made on first use. It is safe
// for concurrent use and must not be copied.
type record struct {
	Customer
	encoded atomic.Pointer[encoding]
}

type encoding struct {
	format format
	body   []byte
}

// format is a way to encode a customer: a sum of the flags below.
type format int

const (
	idsAsStrings format = 1 << iota
	withoutHubSpotKeys
	withoutNewerKeys
	absoluteURIs
	malformedID // an object in place of the customer's ID
)

// formatFor returns the format that b asks for, in a list or for a single customer.
func formatFor(b *Behavior, inList bool) format {
	var f format
	if b.IDsAsStrings {
		f |= idsAsStrings
	}
	if inList && b.ListOmitsHubSpotKeys {
		f |= withoutHubSpotKeys
	}
	if b.OmitNewerKeys {
		f |= withoutNewerKeys
	}
	if b.AbsoluteURIs {
		f |= absoluteURIs
	}
	return f
}

// encode returns the JSON of the customer, which must not be changed.
func (r *record) encode(f format) []byte {
	if known := r.encoded.Load(); known != nil && known.format == f {
		return known.body
	}
	body := encodeCustomer(&r.Customer, f)
	r.encoded.Store(&encoding{f, body})
	return body
}

// wireCustomer is the customer object with all its keys: those of the vendor's example, in its
// order, and the newer ones.
type wireCustomer struct {
	FirstName                  *string         `json:"firstName"`
	MiddleName                 *string         `json:"middleName"`
	LastName                   *string         `json:"lastName"`
	CompanyName                *string         `json:"companyName"`
	Suffix                     *string         `json:"suffix"`
	PrimaryEmail               *string         `json:"primaryEmail"`
	PrimaryPhone               *string         `json:"primaryPhone"`
	SecondaryEmail             *string         `json:"secondaryEmail"`
	SecondaryPhone             *string         `json:"secondaryPhone"`
	Title                      *string         `json:"title"`
	Reference                  *string         `json:"reference"`
	Status                     string          `json:"status"`
	CustomerAccountStatus      string          `json:"customerAccountStatus"`
	Currency                   string          `json:"currency"`
	CustomerReference          wireReference   `json:"customerReference"`
	CustomerAcquisition        wireAcquisition `json:"customerAcquisition"`
	MonthlyRecurringRevenue    json.Number     `json:"monthlyRecurringRevenue"`
	NetMonthlyRecurringRevenue json.Number     `json:"netMonthlyRecurringRevenue"`
	SalesforceID               *string         `json:"salesforceId"`
	SalesforceAccountType      *string         `json:"salesforceAccountType"`
	SalesforceSynchStatus      string          `json:"salesforceSynchStatus"`
	NetsuiteID                 *string         `json:"netsuiteId"`
	NetsuiteCustomerType       string          `json:"netsuiteCustomerType"`
	PortalUserName             *string         `json:"portalUserName"`
	ParentID                   *int64          `json:"parentId"`
	QuickBooksLatchType        *string         `json:"quickBooksLatchType"`
	QuickBooksID               json.RawMessage `json:"quickBooksId"`
	QuickBooksSyncToken        *string         `json:"quickBooksSyncToken"`
	HubSpotID                  json.RawMessage `json:"hubSpotId,omitempty"`
	HubSpotCompanyID           json.RawMessage `json:"hubSpotCompanyId,omitempty"`
	ModifiedTimestamp          string          `json:"modifiedTimestamp"`
	ID                         json.RawMessage `json:"id"`
	URI                        string          `json:"uri"`
	*newerKeys
}

// newerKeys are keys that answers have today, but the vendor's example of the latch call does not.
type newerKeys struct {
	CanChangeCurrency   bool   `json:"canChangeCurrency"`
	NetsuiteSynchStatus string `json:"netsuiteSynchStatus"`
	IsParent            bool   `json:"isParent"`
	CreatedTimestamp    string `json:"createdTimestamp"`
}

type wireReference struct {
	Reference1         *string         `json:"reference1"`
	Reference2         *string         `json:"reference2"`
	Reference3         *string         `json:"reference3"`
	SalesTrackingCodes []string        `json:"salesTrackingCodes"`
	ID                 json.RawMessage `json:"id"`
	URI                string          `json:"uri"`
}

type wireAcquisition struct {
	AdContent   *string         `json:"adContent"`
	Campaign    *string         `json:"campaign"`
	Keyword     *string         `json:"keyword"`
	LandingPage *string         `json:"landingPage"`
	Medium      *string         `json:"medium"`
	Source      *string         `json:"source"`
	ID          json.RawMessage `json:"id"`
	URI         string          `json:"uri"`
}

// absoluteBase comes before the path of an absolute uri.
const absoluteBase = "https://secure.fusebill.com/v1"

// timestampLayout is how .NET writes a time: seven digits after the point.
const timestampLayout = "2006-01-02T15:04:05.0000000Z"

func encodeCustomer(c *Customer, f format) []byte {
	id := encodeID(c.ID, f)
	base := ""
	if f&absoluteURIs != 0 {
		base = absoluteBase
	}
	uri := base + "/customers/" + strconv.FormatInt(c.ID, 10)
	revenue := json.Number(fmt.Sprintf("%d.%02d00", c.MonthlyRevenueCents/100, c.MonthlyRevenueCents%100))
	w := wireCustomer{
		FirstName:             orNull(c.FirstName),
		LastName:              orNull(c.LastName),
		CompanyName:           orNull(c.CompanyName),
		PrimaryEmail:          orNull(c.PrimaryEmail),
		PrimaryPhone:          orNull(c.PrimaryPhone),
		Title:                 orNull(c.Title),
		Reference:             orNull(c.Reference),
		Status:                c.Status,
		CustomerAccountStatus: "Good",
		Currency:              "USD",
		CustomerReference: wireReference{
			SalesTrackingCodes: []string{},
			ID:                 id,
			URI:                base + "/" + strconv.FormatInt(c.ID, 10),
		},
		CustomerAcquisition:        wireAcquisition{ID: id, URI: uri},
		MonthlyRecurringRevenue:    revenue,
		NetMonthlyRecurringRevenue: revenue,
		SalesforceSynchStatus:      "Enabled",
		QuickBooksID:               encodeID(c.QuickBooksID, f),
		ModifiedTimestamp:          c.Modified.UTC().Format(timestampLayout),
		ID:                         id,
		URI:                        uri,
	}
	if f&withoutHubSpotKeys == 0 {
		w.HubSpotID = encodeID(c.HubSpotID, f)
		w.HubSpotCompanyID = encodeID(c.HubSpotCompanyID, f)
	}
	if f&withoutNewerKeys == 0 {
		w.newerKeys = &newerKeys{
			CanChangeCurrency:   c.Status == "Draft",
			NetsuiteSynchStatus: "Disabled",
			CreatedTimestamp:    c.Created.UTC().Format(timestampLayout),
		}
		w.Title = &c.Title // An empty title is "" in newer answers.
	}
	if f&malformedID != 0 {
		w.ID = json.RawMessage(`{"value":` + string(id) + `}`)
	}
	return mustMarshal(w)
}

func encodeID(id int64, f format) json.RawMessage {
	switch {
	case id == 0:
		return json.RawMessage("null")
	case f&idsAsStrings != 0:
		return strconv.AppendQuote(nil, strconv.FormatInt(id, 10))
	default:
		return strconv.AppendInt(nil, id, 10)
	}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// mustMarshal encodes a value of this package, for which there is no error.
func mustMarshal(v any) []byte {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("fusebillsim: encoding %T: %v", v, err))
	}
	return encoded
}
