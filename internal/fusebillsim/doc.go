// Package fusebillsim simulates, in memory, the parts of the Fusebill (Stax Bill) API that this
// provider and generic REST providers use for latches: reading, listing and updating customers,
// latching them to HubSpot contacts and companies, and unlatching them. Tests, benchmarks and the
// demo use it in place of the vendor's service.
//
// A [Simulator] is an [http.Handler] for use behind a real server, and [Simulator.Transport]
// returns an [http.RoundTripper] that reaches it without a socket, as a testing/synctest bubble
// requires:
//
//	sim := fusebillsim.New(fusebillsim.Config{})
//	ids := sim.AddSampleCustomers(3)
//	client := &http.Client{Transport: sim.Transport()}
//	// … call the code under test, with the base URL https://fusebill.test/v1 …
//	sim.Customer(ids[0]) // the customer as it is now
//	sim.Writes()         // the number of latch and unlatch calls
//
// The simulator is as strict and as lenient with a client as the service is. Its facts come from
// the vendor's public reference (https://developer.staxbill.com/reference) and from public clients
// that run against production. An open question is a switch in [Behavior], and a failure of the
// network or the service is a [Fault] to inject.
//
// The package has the state, the wire format and the rules of the service. It has no part of a
// client: no retries, pacing or caching.
//
// # Choices
//
// The reference does not document the following, and a switch for it would not be worth its cost.
// The simulator makes these choices:
//
//   - A latch call whose Content-Type is not application/json gets 415, a body above 1 MiB 413, a
//     HubSpot or customer ID below 1 gets 400.
//   - A customer ID in a path that is no 64-bit integer gets 400.
//   - String filters are case-sensitive; names and enumerated values are not.
//   - The upper end of a range of times is exclusive, that of a range of numbers inclusive.
//   - sortOrder without sortExpression, or the reverse, gets 400.
//   - A request with a refused key, and an unknown route, count toward no rate limit.
//   - A customer's modifiedTimestamp changes only when a call changes something.
//   - An unknown route gets 404 before the key is checked, with the body of the service's
//     framework. [Simulator.Count] of [RouteUnknown] shows such calls to a test.
package fusebillsim
