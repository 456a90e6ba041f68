package fusebillsim

// MergeContacts merges HubSpot contacts into a new one, whose ID is into. [Behavior.Merged] decides
// on the consequences: with [MergedAnswersNewID] a customer that holds a merged contact holds the
// new one from now on. Of several such customers it is the first by ID, and the others keep their
// IDs. It is not counted as a call.
func (s *Simulator) MergeContacts(into int64, ids ...int64) {
	s.merge(s.store.mergedContacts, into, ids)
}

// MergeCompanies merges HubSpot companies, as [Simulator.MergeContacts] merges contacts.
func (s *Simulator) MergeCompanies(into int64, ids ...int64) {
	s.merge(s.store.mergedCompanies, into, ids)
}

func (s *Simulator) merge(merged map[int64]int64, into int64, ids []int64) {
	st := &s.store
	st.mu.Lock()
	for _, id := range ids {
		merged[id] = into
	}
	st.mu.Unlock()

	b := s.behavior.Load()
	if b.Merged != MergedAnswersNewID {
		return
	}
	for _, c := range s.Customers() {
		held := latch{c.ID, c.HubSpotID, c.HubSpotCompanyID}
		if l := st.afterMerges(held); l != held {
			_, _ = st.latch(l, changeRules{keepModified: b.LatchKeepsModified}) // Refused where another customer was first.
		}
	}
}

// afterMerges returns l with the new IDs of merged records.
func (st *store) afterMerges(l latch) latch {
	st.mu.RLock()
	defer st.mu.RUnlock()
	for id, ok := st.mergedContacts[l.contact]; ok; id, ok = st.mergedContacts[l.contact] {
		l.contact = id
	}
	for id, ok := st.mergedCompanies[l.company]; ok; id, ok = st.mergedCompanies[l.company] {
		l.company = id
	}
	return l
}
