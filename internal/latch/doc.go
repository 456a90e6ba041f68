// Package latch changes the HubSpot latches of Fusebill customers, in an order in which no latch is
// lost and none is taken by surprise.
//
// Terraform does not order independent resources, and does not announce the changes that it starts
// later. So one [Coordinator] for each process keeps a graph of the changes under way and of the
// claims between them. A change is queued while another change of its customer is under way. Then
// it reads its customer, waits for the holders of its claims, is ready, and is worked on. The
// rules:
//
//   - A change writes its declared latch once no other customer holds what it claims. With
//     reassociation it may also take a claim from a customer for which no change declares it.
//   - Each write, also one of a restore, relies on a read of its customer that is at most
//     customers.MaxAgeBeforeWrite old.
//   - Where changes wait for each other in a ring, one of them releases first. It does so only
//     where the graph has every change that the ring waits for. Otherwise the release might be in
//     vain, so the change waits without having released anything.
//   - A change that fails restores what it has released or taken, unless somebody else has changed
//     that customer since.
//   - A restore that waits has reserved nothing, so two changes never wait for each other forever.
//   - In a stall, one change ends with an error after a while. The others go on.
//
// The words of this package:
//
//   - claim: a contact, a company, or a customer's latch, which only one change can have;
//   - holder: the customer that holds a claim now;
//   - prior, declared, current: the latch in the state, in the configuration, in the account;
//   - change, run: bringing one customer from its current to its declared latch; all changes of one
//     call of [Coordinator.Apply];
//   - release, take, restore: remove the customer's own claim; move a claim from another customer;
//     put back what was released or taken;
//   - reserve: keep other changes from a claim until a write has ended;
//   - open: a change that has released something, and has neither restored it nor brought its
//     declared latch;
//   - ring: changes that wait for each other's claims in a circle;
//   - settling: a waiting change whose claims will become free, because changes under way release
//     all of them;
//   - stall: a time in which every change under way waits.
//
// Single latches, latch sets and the unlatch action share the Coordinator. This package reads
// through package customers and writes through package fusebill.
package latch
