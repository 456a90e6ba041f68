package latch_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

func TestModel_cases(t *testing.T) {
	t.Parallel()
	renamed := rows{}
	for id := range int64(200) {
		renamed[1+id] = contact(1001 + id)
	}
	permuted := rows{}
	for id := range int64(200) { // Four rings of fifty.
		permuted[1+id] = contact(1001 + (id+4)%200)
	}
	for _, c := range slices.Concat([]modelCase{
		{
			name: "a ring goes through a set and a single latch",
			resources: []*resource{
				set("s", rows{1: contact(101), 2: contact(102)}, rows{1: contact(102), 2: contact(103)}),
				single("a", rows{3: contact(103)}, rows{3: contact(101)}),
			},
			want: rows{1: contact(102), 2: contact(103), 3: contact(101)},
		},
		{
			name: "a ring goes through two sets",
			resources: []*resource{
				set("s", rows{1: contact(101), 2: contact(102)}, rows{1: contact(102), 2: contact(103)}),
				set("u", rows{3: contact(103), 4: contact(104)}, rows{3: contact(104), 4: contact(101)}),
			},
			want: rows{1: contact(102), 2: contact(103), 3: contact(104), 4: contact(101)},
		},
		{
			name: "a ring of contacts crosses a ring of companies in three sets",
			resources: []*resource{
				set("s", rows{1: both(101, 201), 2: both(102, 202)}, rows{1: both(103, 202), 2: both(101, 205)}),
				set("u", rows{3: both(103, 203), 4: both(104, 204)}, rows{3: both(102, 201), 4: both(105, 203)}),
				set("v", rows{5: both(105, 205)}, rows{5: both(104, 204)}),
			},
			want: rows{1: both(103, 202), 2: both(101, 205), 3: both(102, 201), 4: both(105, 203), 5: both(104, 204)},
		},
		{name: "a swap", resources: swap(), want: declared(swap()), check: writes(3)},
		{
			name: "a ring with a company that an outsider holds is not entered",
			resources: []*resource{
				single("a", rows{1: contact(101)}, rows{1: both(102, 209)}),
				single("b", rows{2: contact(102)}, rows{2: contact(101)}),
			},
			others: rows{9: both(0, 209)},
			want:   rows{1: contact(101), 2: contact(102), 9: both(0, 209)}, failed: []string{"a", "b"}, check: writes(0),
		},
		{
			name:      "the same in a set",
			resources: []*resource{set("s", rows{1: contact(101), 2: contact(102)}, rows{1: both(102, 209), 2: contact(101)})},
			others:    rows{9: both(0, 209)},
			want:      rows{1: contact(101), 2: contact(102), 9: both(0, 209)}, failed: []string{"s"}, check: writes(0),
		},
		{
			name:      "the same in a set whose last customer is in the way",
			resources: []*resource{set("s", rows{1: contact(101), 2: contact(102)}, rows{1: contact(102), 2: both(101, 209)})},
			others:    rows{9: both(0, 209)},
			want:      rows{1: contact(101), 2: contact(102), 9: both(0, 209)}, failed: []string{"s"}, check: writes(0),
		},
		{
			name: "customers are swapped",
			resources: []*resource{
				single("a", rows{1: contact(101)}, rows{2: contact(101)}),
				single("b", rows{2: contact(102)}, rows{1: contact(102)}),
			},
			want: rows{1: contact(102), 2: contact(101)},
		},
		{
			name: "a latch goes to the customer of a removed resource",
			resources: []*resource{
				single("a", rows{1: contact(101)}, rows{2: contact(101)}), single("b", rows{2: contact(102)}, nil),
			},
			want: rows{2: contact(101)},
		},
		{
			name: "latches go from customer to customer",
			resources: []*resource{
				single("a", rows{1: contact(101)}, rows{2: contact(101)}),
				single("b", rows{2: contact(102)}, rows{3: contact(102)}),
			},
			want: rows{2: contact(101), 3: contact(102)},
		},
		{
			name: "a replaced resource leaves what another one declares",
			resources: []*resource{
				single("a", rows{1: contact(101)}, rows{2: contact(102)}), single("b", nil, rows{1: contact(101)}),
			},
			want: rows{1: contact(101), 2: contact(102)},
		},
		{
			name: "the same with create_before_destroy",
			resources: []*resource{
				single("a", rows{1: contact(101)}, rows{2: contact(102)}, createFirst), single("b", nil, rows{1: contact(101)}),
			},
			want: rows{1: contact(101), 2: contact(102)},
		},
		{
			name:      "a tainted latch is created again",
			resources: []*resource{single("a", rows{1: contact(101)}, rows{1: contact(102)}, tainted)},
			want:      rows{1: contact(102)},
		},
		{
			name:      "a contact moves to the new customer with create_before_destroy",
			resources: []*resource{single("a", rows{1: contact(101)}, rows{2: contact(101)}, createFirst)},
			want:      rows{1: contact(101)}, failed: []string{"a"}, check: writes(0),
		},
		{
			name:      "the same with allow_reassociation",
			resources: []*resource{single("a", rows{1: contact(101)}, rows{2: contact(101)}, createFirst, reassociate)},
			want:      rows{2: contact(101)},
		},
		{
			name: "a holder waits for a slow dependency, with an explicit timeout",
			resources: []*resource{
				single("a", rows{1: contact(101)}, rows{1: contact(102)}, explicit(30*time.Minute)),
				single("b", rows{2: contact(102)}, rows{2: contact(103)}, slow(9*time.Second)),
			},
			want: rows{1: contact(102), 2: contact(103)},
		},
		{
			name: "a holder waits for a slow dependency, without a timeout",
			resources: []*resource{
				single("a", rows{1: contact(101)}, rows{1: contact(102)}),
				single("b", rows{2: contact(102)}, rows{2: contact(103)}, slow(9*time.Second)),
			},
			want: rows{1: contact(101), 2: contact(103)}, failed: []string{"a"},
		},
		{
			name: "a dependency goes against the direction of the move",
			resources: []*resource{
				single("a", rows{1: contact(101)}, rows{1: contact(102)}),
				single("b", rows{2: contact(102)}, rows{2: contact(103)}, dependsOn("a")),
			},
			want: rows{1: contact(101), 2: contact(102)}, failed: []string{"a"}, check: writes(0),
		},
		{
			name:      "a set is renamed",
			resources: []*resource{set("old", renamed, nil), set("new", nil, renamed)},
			want:      renamed, check: writes(0),
		},
		{
			name:      "a set is renamed, and the new name comes first",
			resources: []*resource{set("new", nil, renamed), set("old", renamed, nil)},
			want:      renamed, check: writes(0),
		},
		{
			name:      "a set is permuted",
			resources: []*resource{set("s", renamed, permuted)},
			want:      permuted, check: writes(200 + 4),
		},
		{
			name: "a row changes its set and its contact",
			resources: []*resource{
				set("s", rows{1: contact(101), 2: contact(102)}, rows{2: contact(102)}),
				set("u", rows{3: contact(103)}, rows{1: contact(104), 3: contact(103)}),
			},
			want: rows{1: contact(104), 2: contact(102), 3: contact(103)},
		},
		{
			name:      "a single latch becomes a row with another contact",
			resources: []*resource{single("a", rows{1: contact(101)}, nil), set("s", nil, rows{1: contact(102)})},
			want:      rows{1: contact(102)},
		},
		{
			name:      "a newer latch is not replaced after an old read: update",
			resources: []*resource{single("a", rows{1: contact(101)}, rows{1: contact(102)})},
			change:    readEarlierAndOutside, want: rows{1: contact(555)}, failed: []string{"a"}, check: writes(0),
		},
		{
			name:      "a newer latch is not replaced after an old read: create",
			resources: []*resource{single("a", nil, rows{1: contact(102)})}, others: rows{1: {}},
			change: readEarlierAndOutside, want: rows{1: contact(555)}, failed: []string{"a"}, check: writes(0),
		},
		{
			name:      "a newer latch is not replaced after an old read: destroy",
			resources: []*resource{single("a", rows{1: contact(101)}, nil)},
			change:    readEarlierAndOutside, want: rows{1: contact(555)}, check: writes(0),
		},
		{
			name:      "a newer latch is not removed by a strict release",
			resources: []*resource{set("s", rows{1: contact(101), 2: contact(102)}, rows{2: contact(102)}, strict)},
			change:    readEarlierAndOutside,
			want:      rows{1: contact(555), 2: contact(102)}, failed: []string{"s"}, check: writes(0),
		},
		{
			name:      "a holder that others latch after the contact was taken is not restored",
			resources: []*resource{single("a", nil, rows{1: contact(101)}, reassociate)}, others: rows{1: {}, 2: contact(101)},
			change:   func(s *scenario) { s.refuses = []int64{1} },
			onChange: othersWrite(2, write{customer: 2, latch: contact(555)}),
			want:     rows{2: contact(555)}, failed: []string{"a"},
		},
		{
			name:      "a contact that could not be taken is restored",
			resources: []*resource{single("a", nil, rows{1: contact(101)}, reassociate)}, others: rows{1: {}, 2: both(101, 202)},
			change: func(s *scenario) { s.refuses = []int64{1} },
			want:   rows{2: both(101, 202)}, failed: []string{"a"},
		},
		{
			name: "two changes that fail take from the same two holders",
			resources: []*resource{
				single("a", nil, rows{1: both(103, 204)}, reassociate), single("b", nil, rows{2: both(104, 203)}, reassociate),
			},
			others: rows{1: {}, 2: {}, 3: both(103, 203), 4: both(104, 204)},
			change: func(s *scenario) { s.refuses = []int64{1, 2} },
			want:   rows{3: both(103, 203), 4: both(104, 204)}, failed: []string{"a", "b"},
		},
		{
			name:      "conflicts by another rule do not make the provider read the account each time",
			resources: []*resource{set("s", nil, renamed)},
			change:    func(s *scenario) { s.refuses = ids(renamed) },
			want:      rows{}, failed: []string{"s"}, check: accountReads(3),
		},
		{
			name:      "Ctrl-C in a swap, after the release",
			resources: swap(), change: func(s *scenario) { s.interruptAt = 45 * time.Millisecond }, check: noneIsOpen,
		},
		{
			name:      "Ctrl-C in a swap while the service hangs",
			resources: swap(), change: func(s *scenario) { s.interruptAt, s.hangs = 45*time.Millisecond, true },
		},
		{
			name:      "a cancelled write of a swap takes effect later",
			resources: swap(), change: func(s *scenario) { s.interruptAt, s.lateWrites = 60*time.Millisecond, true },
		},
		{
			name:      "Ctrl-C before anything is written",
			resources: swap(), change: func(s *scenario) { s.interruptAt = time.Millisecond },
			want: prior(swap()), failed: []string{"a", "b"}, check: writes(0),
		},
		{
			name:      "Ctrl-C in a swap that begins with the last calls of a window",
			resources: swap(), check: noneIsOpen,
			change: func(s *scenario) { s.limit, s.interruptAt = 6, 45*time.Millisecond },
		},
		{
			name:      "an answer that differs from the request shows nothing about holders",
			resources: []*resource{single("a", nil, rows{1: contact(102)}), single("b", nil, rows{2: contact(103)})},
			others:    rows{9: contact(103)},
			change: func(s *scenario) {
				s.conflict, s.gap = fusebillsim.ConflictMoves, time.Minute
				s.inject(1, fusebillsim.Fault{Kind: fusebillsim.FaultDifferentAnswer})
			},
			want: rows{1: contact(102), 9: contact(103)}, failed: []string{"a", "b"},
		},
		{
			name:      "Ctrl-C after a write whose outcome is unknown, and which was too late to be tried again",
			resources: []*resource{single("a", rows{1: contact(101)}, nil)},
			change: func(s *scenario) {
				s.latency, s.interruptAt = 8*time.Second, 25*time.Second
				s.inject(1, fusebillsim.Fault{Kind: fusebillsim.FaultDropAfter, Times: -1})
			},
			want: rows{}, failed: []string{"a"},
		},
		{
			name: "a set has more customers than calls in a minute",
			resources: []*resource{set("s",
				rows{
					1: contact(101), 2: contact(102), 3: contact(103), 4: contact(104), 5: contact(105), 6: contact(106),
					7: contact(107), 8: contact(108), 9: contact(109), 10: contact(110), 11: contact(111), 12: contact(112),
				},
				rows{1: contact(102), 2: contact(103), 3: contact(101)},
			)},
			change: func(s *scenario) { s.limit, s.readEarlier = 10, 50*time.Second },
			want:   rows{1: contact(102), 2: contact(103), 3: contact(101)},
		},
		{
			name: "a change takes from two customers in an account of four calls a minute",
			resources: []*resource{
				single("a", rows{1: both(101, 201)}, rows{1: both(102, 203)}, reassociate),
			},
			others: rows{2: both(102, 202), 3: both(103, 203)},
			change: func(s *scenario) { s.limit = 4 },
			want:   rows{1: both(102, 203), 2: both(0, 202), 3: contact(103)},
		},
		{
			name: "a part of a latch is lost, and the answer to the restore of the rest differs",
			resources: []*resource{
				single("a", rows{1: both(101, 201)}, rows{1: both(102, 202)}),
				single("b", rows{2: both(102, 202)}, rows{2: both(103, 204)}),
				single("c", rows{3: contact(103)}, rows{3: both(101, 205)}),
				single("d", rows{4: both(0, 204)}, rows{4: both(0, 201)}),
				single("e", rows{5: both(0, 205)}, nil),
			},
			change: func(s *scenario) {
				s.refuses = []int64{5} // And so the ring of the first three, which has been entered, fails.
				s.inject(5, fusebillsim.Fault{Kind: fusebillsim.FaultLatencyBefore, Latency: time.Second})
				s.inject(1, fusebillsim.Fault{Kind: fusebillsim.FaultDifferentAnswer, After: 1})
				s.injectReads(1, fusebillsim.Fault{Kind: fusebillsim.FaultDropBefore, After: 1, Times: -1})
			},
			want:   rows{1: contact(101), 2: both(102, 202), 3: contact(103), 4: both(0, 201), 5: both(0, 205)},
			failed: []string{"a", "b", "c", "e"},
		},
		{
			name:      "a newer latch is not removed after a list that lags behind",
			resources: []*resource{set("s", rows{1: contact(101), 2: contact(102)}, nil)},
			change: func(s *scenario) {
				s.readEarlier = time.Minute // The first customer that a process reads, it reads individually.
				s.outside = []write{{at: 1, customer: 1, latch: contact(555)}}
				s.injected = []fusebillsim.Fault{{Kind: fusebillsim.FaultStaleList, Times: -1}}
			},
			want: rows{1: contact(555)}, check: writes(1),
		},
		{
			name: "a chain ends with a merged contact",
			resources: []*resource{
				single("a", rows{1: contact(101)}, rows{1: contact(102)}),
				single("b", rows{2: contact(103)}, rows{2: contact(101)}),
			},
			change: func(s *scenario) {
				s.merged = map[fusebill.Claim]int64{{Kind: fusebill.Contact, ID: 102}: 902}
			},
			want: rows{1: contact(902), 2: contact(101)}, failed: []string{"a"},
		},
		{
			name:      "a cancelled release is made again after it was restored",
			resources: []*resource{single("a", nil, rows{1: contact(102)}, reassociate)},
			others:    rows{1: {}, 2: contact(102)},
			change: func(s *scenario) {
				s.seed = 41 // The second try of the release takes effect after the restore.
				s.refuses = []int64{1}
				s.inject(2, fusebillsim.Fault{Kind: fusebillsim.FaultStatus500After})
				s.interruptAt, s.lateWrites = 150*time.Millisecond, true
			},
			want: rows{}, failed: []string{"a"},
		},
		{
			name: "two changes that release first have few calls",
			resources: []*resource{
				single("a", rows{1: both(101, 201)}, rows{1: both(102, 203)}),
				single("b", rows{2: both(102, 202)}, rows{2: both(0, 201)}),
				single("c", rows{3: both(0, 203)}, rows{3: both(101, 202)}),
			},
			change: func(s *scenario) { s.limit, s.neverReads, s.gap = 3, true, 300*time.Millisecond },
			want:   rows{1: both(102, 203), 2: both(0, 201), 3: both(101, 202)},
		},
		{
			name: "a release keeps what another change begins to declare while it waits for the quota",
			resources: []*resource{
				single("a", rows{1: both(101, 201)}, nil), single("b", nil, rows{1: both(102, 201)}),
			},
			others: rows{2: contact(102)},
			change: func(s *scenario) { s.limit, s.readEarlier, s.gap = 3, 50*time.Second, time.Second },
			want:   rows{1: both(0, 201), 2: contact(102)}, failed: []string{"b"},
		},
		{
			name: "a release keeps what another change has declared that has ended meanwhile",
			resources: []*resource{
				single("a", rows{1: both(101, 201)}, nil),
				single("b", nil, rows{1: both(101, 201)}, func(r *resource) { r.timeout = time.Second }),
			},
			others: rows{2: contact(102)},
			change: func(s *scenario) { s.limit, s.readEarlier, s.gap = 3, 50*time.Second, time.Second },
			want:   rows{1: both(101, 201), 2: contact(102)}, failed: []string{"b"},
		},
		{
			name:      "Ctrl-C before an answer that differs from the request",
			resources: []*resource{single("a", nil, rows{1: contact(102)}, reassociate)},
			others:    rows{1: {}, 2: contact(102)},
			change: func(s *scenario) {
				s.conflict, s.interruptAt = fusebillsim.ConflictMoves, 80*time.Millisecond
				s.inject(1, fusebillsim.Fault{Kind: fusebillsim.FaultDifferentAnswer})
			},
			want: rows{1: contact(102)}, failed: []string{"a"},
		},
		{
			name: "a claim is taken from a customer whose change has succeeded in a run under way",
			resources: []*resource{
				set("s", rows{1: contact(101), 2: contact(102)}, rows{1: contact(106), 2: contact(109)}, explicit(time.Minute)),
				single("b", rows{3: contact(103)}, rows{3: contact(120)}, slow(10*time.Second), reassociate),
			},
			others: rows{9: contact(109)},
			change: func(s *scenario) {
				s.outside = []write{{at: 5 * time.Second, customer: 1, latch: both(120, 308)}}
			},
			want:   rows{1: both(0, 308), 2: contact(102), 3: contact(120), 9: contact(109)},
			failed: []string{"s"},
		},
		{
			name: "a chain of 30", resources: chain(false), change: parallelism(30),
			want: declared(chain(false)), check: writes(30),
		},
		{
			name: "a ring of 30", resources: chain(true), change: parallelism(30),
			want: declared(chain(true)), check: writes(31),
		},
		{
			name: "a ring of 30 at parallelism 10", resources: chain(true), change: parallelism(10),
			want: prior(chain(true)), failed: names(chain(true)), check: writes(0),
		},
	}, chainsInParts()) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, c.run)
		})
	}
}

// chainsInParts lists chains of 30 single latches that are longer than the parallelism. No latch is
// lost, and the end of the chain is settled.
func chainsInParts() []modelCase {
	var all []modelCase
	for _, n := range []int{1, 2, 10} {
		all = append(all, modelCase{
			name:      fmt.Sprintf("a chain of 30 at parallelism %d", n),
			resources: chain(false), change: parallelism(n),
			check: func(t *testing.T, r *run) {
				noneIsOpen(t, r)
				if got := r.service.current()[30]; got != contact(131) {
					t.Errorf("the last customer of the chain holds %s", got)
				}
			},
		})
	}
	return all
}
