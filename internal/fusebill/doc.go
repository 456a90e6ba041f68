// Package fusebill is a client of the parts of the Fusebill (now Stax Bill) API that HubSpot
// latches need: the latch and unlatch calls, reads of one customer, and lists of customers. The
// comments call https://developer.staxbill.com/reference the API reference.
//
// A client is made once and shared; all its methods may be called concurrently:
//
//	client, err := fusebill.NewClient(apiKey, fusebill.WithUserAgent("report/1.0"))
//	customer, err := client.Customer(ctx, 2554529)
//	customer, err = client.Latch(ctx, 2554529, fusebill.Latch{HubSpotID: 101})
//
// # Errors
//
// An answer that refuses a call is an [*APIError] with the service's own words. A used-up quota is
// a [*RateLimitError]. An answer that cannot be understood is a [*MalformedAnswerError]. The error
// of a write that may have reached the service is wrapped in an [*OutcomeUnknownError]: the caller
// has to read the customer to know its current latch.
//
// The predicates, such as [IsKeyRefused], [IsNotFound] and [IsConflict], decide what a status
// means; status.go has a table of all of them. Callers do not compare status codes.
//
// # Retries
//
// Every call is idempotent, because the latch call always sets both IDs. So the client retries each
// call after a network error, a server error, or an incomplete answer: up to [WithMaxRetries]
// times, with growing waits. Other refusals are final.
//
// # Rate limits
//
// The client paces its calls: it sends the calls that the quota of the current minute allows at
// once, and the others in the next minute. After a refusal (429) by the limit of a minute it waits
// for the next minute, which does not count as a retry. A refusal by the limit of a day is final,
// and later calls of that day fail without being sent.
//
// # Secrets
//
// The API key is in a header of the requests and nowhere else. A server may echo it, so the client
// masks every text from a server before it becomes part of an error, a log record or a customer.
//
// This package does not decide which calls to make, does not share reads, and does not depend on
// Terraform.
package fusebill
