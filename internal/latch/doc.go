// Package latch changes HubSpot latches of Fusebill customers, in an order in which no latch is
// lost or taken by surprise.
//
// Terraform neither orders independent resources nor announces later changes. So one [Coordinator]
// for each process holds a graph: the changes under way, by customer, and the claims between them.
// A change goes through these phases: it is queued until other changes of its customer have ended,
// reading, waiting for the holders of what it claims, ready, and working. The rules:
//
//   - A change writes once nobody else holds what it claims, or where it may take that from holders
//     that no change is about.
//   - Each write, also one that restores, is based on a read of its customer that is at most
//     customers.MaxAgeBeforeWrite old.
//   - Where changes wait for each other in a ring, one of them releases first. It does so only
//     where the graph holds all that the ring waits for. Otherwise the release might be in vain,
//     and it waits without having released anything.
//   - A change that fails restores what it has released or taken, unless somebody else has changed
//     that customer since.
//   - A change that restores has nothing reserved that others wait for, so two changes never wait
//     for each other for ever.
//   - Where nothing goes on for a while, one waits in vain and ends with an error. The others go
//     on.
//
// The words of this package:
//
//   - claim: a contact, a company, or a customer's latch, which only one change can have;
//   - holder: the customer that holds a claim now;
//   - prior, declared, current: the latch in the state, in the configuration, in the account;
//   - change: bringing one customer from its prior to its declared latch;
//   - run: the changes of one call of [Coordinator.Apply];
//   - release, take, restore: remove one's own claim, move one from another customer, put it back;
//   - open: a change that has released something and has not brought its declared latch yet;
//   - ring: changes that wait for each other's claims in a circle;
//   - settling: a waiting change whose claims will be free, since the graph holds all it waits for;
//   - stall: a time in which every change under way waits.
//
// A latch that is changed by its resource, by a set, and by an action takes the same way. This
// package reads through package customers, and makes no HTTP request.
package latch
