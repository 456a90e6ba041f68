package fusebillsim

import "testing"

func TestMerges(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		mode   MergeMode
		merged []holder // after the merges
		status int      // of latching customer 3 to the old IDs
		want   holder   // customer 3 after that
	}{
		"old ID kept":     {MergedKeepsID, []holder{{1, 11, 12}, {2, 21, 22}, {3, 0, 0}}, 200, holder{3, 13, 14}},
		"new ID answered": {MergedAnswersNewID, []holder{{1, 110, 120}, {2, 21, 22}, {3, 0, 0}}, 200, holder{3, 130, 140}},
		"refused":         {MergedRefused, []holder{{1, 11, 12}, {2, 21, 22}, {3, 0, 0}}, 400, holder{3, 0, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTest(t, Config{Behavior: Behavior{Merged: test.mode}})
			s.AddCustomers(
				Customer{ID: 1, HubSpotID: 11, HubSpotCompanyID: 12},
				Customer{ID: 2, HubSpotID: 21, HubSpotCompanyID: 22},
				Customer{ID: 3},
			)
			s.MergeContacts(110, 11, 21) // Customer 2 was merged into what customer 1 holds.
			s.MergeContacts(129, 13)
			s.MergeContacts(130, 129)
			s.MergeCompanies(120, 12, 15)
			s.MergeCompanies(140, 14)
			checkLatches(t, s, test.merged...)
			if got := post(t, s, latchPath, `{"fusebillId":3,"hubSpotId":13,"hubSpotCompanyId":14}`); got.status != test.status {
				t.Errorf("status %d: %s", got.status, got.body)
			}
			checkLatches(t, s, test.merged[0], test.merged[1], test.want)
			if test.mode == MergedRefused {
				if got := post(t, s, latchPath, `{"fusebillId":3,"hubSpotCompanyId":14}`); got.status != 400 {
					t.Errorf("a merged company: status %d", got.status)
				}
			}
			if got := post(t, s, latchPath, `{"fusebillId":3,"hubSpotId":130}`); got.status != 200 {
				t.Errorf("the new ID: status %d: %s", got.status, got.body)
			}
		})
	}
}
