// Package fusebill is a client of the Fusebill (now Stax Bill) API, as far as HubSpot latches need
// it: the latch and unlatch calls, one customer, and lists of customers.
//
// A client is made once and shared; all its methods may be called concurrently:
//
//	client, err := fusebill.NewClient(apiKey, fusebill.WithUserAgent("report/1.0"))
//	customer, err := client.Customer(ctx, 2554529)
//	customer, err = client.Latch(ctx, 2554529, fusebill.Latch{HubSpotID: 101})
//
// # Errors
//
// An answer that refuses a call is an [*APIError] with the service's own words; the end of the
// quota is a [*RateLimitError]; an answer that cannot be understood is a [*MalformedAnswerError]. A
// write that failed after it may have reached the service is wrapped in an [*OutcomeUnknownError]:
// the caller has to read the customer to know its current latch.
//
// The predicates, such as [IsKeyRefused], [IsNotFound] and [IsConflict], decide what a status
// means; status.go has a table of all of them. Callers do not compare status codes.
//
// # Retries
//
// Every call is idempotent (the latch call sets both IDs, always), so the client tries each again
// after a network error, a server error, or an answer that is not whole: [WithMaxRetries] times,
// with growing waits. Other refusals are final.
//
// # Rate limits
//
// The client paces its calls: it sends those that the account's minute allows at once, and the
// others in the next minute. It waits out a refusal (429) of the minute's limit without using up a
// retry. A refusal of the day's limit is final, and until the day is over later calls fail without
// being sent.
//
// # Secrets
//
// The API key is in a header of the requests and nowhere else. A server may echo it; every text
// that comes from a server is masked before it becomes part of an error, a log record or a
// customer.
//
// This package does not decide which call to make when, does not share reads, and knows nothing of
// Terraform.
package fusebill
