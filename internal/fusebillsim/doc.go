// Package fusebillsim simulates, in memory, the part of the Fusebill (Stax Bill)
// API that this provider uses: reading and listing customers, latching them to
// HubSpot contacts and companies, and unlatching them. Tests, benchmarks and the
// demo talk to it in place of the vendor's service.
//
// A [Simulator] is an [http.Handler] for use behind a real server, and
// [Simulator.Transport] gives an [http.RoundTripper] that reaches it without a
// socket, which is what a testing/synctest bubble needs:
//
//	sim := fusebillsim.New(fusebillsim.Config{APIKey: "a2V5"})
//	ids := sim.AddSampleCustomers(3)
//	client := &http.Client{Transport: sim.Transport()}
//	// … call the code under test, with the base URL https://fusebill.test/v1 …
//	sim.Customer(ids[0]) // what became of the customer
//	sim.Writes()         // how many latch and unlatch calls were made
//
// The simulator is meant to be as hard on a client as the service is. Facts come
// from the vendor's public reference. What the reference leaves open is a switch
// in [Behavior], and what can go wrong in between is a [Fault] to inject.
//
// Here live the state, the wire format and the rules of the service. What a
// client makes of them (retries, pacing, caching) does not.
//
// # Choices
//
// Where the reference is silent and no switch seemed worth its cost, the
// simulator does this:
//
//   - A latch call whose Content-Type is not application/json gets 415, a body
//     above 1 MiB 413, a HubSpot or customer ID below 1 gets 400.
//   - A customer ID in a path that is no 64-bit integer gets 400.
//   - String filters are case-sensitive; names and enumerated values are not.
//   - sortOrder without sortExpression, or the reverse, gets 400.
//   - A request without the right key gets 401 and counts toward no rate limit.
//   - A customer's modifiedTimestamp moves only when a call changes something.
//   - An unknown route gets 404 and a text that starts "fusebillsim: no such
//     route", before anything else is checked, so that a test fails loudly.
package fusebillsim
