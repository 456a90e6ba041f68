// Package fusebill is a client of the Fusebill (now Stax Bill) API, as far as HubSpot latches need it: the latch and
// unlatch calls, one customer, and lists of customers.
//
// A client is made once and shared; all its methods may be called concurrently:
//
//	client, err := fusebill.NewClient(apiKey, fusebill.WithUserAgent("report/1.0"))
//	customer, err := client.Customer(ctx, 2554529)
//	customer, err = client.Latch(ctx, 2554529, fusebill.Latch{HubSpotID: 101, HubSpotCompanyID: 202})
//
// # Errors
//
// An answer that refuses a call is an [*APIError] with the service's own words; the quota's end is a [*RateLimitError];
// an answer that can't be understood is a [*MalformedAnswerError]. A write that failed after it may have reached the
// service is wrapped in an [*OutcomeUnknownError]: the caller has to read before it can say what holds.
//
// # Retries
//
// Every call here is idempotent (the latch call sets both IDs, always), so each is tried again after a network error, a
// 5xx, or an answer that isn't whole: [WithMaxRetries] times, with growing waits. Other refusals are final at once.
//
// # Rate limits
//
// Calls are paced: those that the account's minute allows go at once, the others wait for the next minute, and a refusal
// (429) of the minute's limit is waited out without using up a retry. A refusal of the day's limit is final, and until
// the day is over later calls fail without being sent.
//
// What doesn't live here: which call to make when, sharing of reads, and anything of Terraform. That is package latch's
// and package provider's.
package fusebill
