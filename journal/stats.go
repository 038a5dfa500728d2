package journal

// Stats of a journal.
type Stats struct {
	Slots, Free, Reserve int   // of this disk
	Files                int   // log and bulk
	Records, Live        int64 // in retained files
	Appended             int64 // records since the open
	Writes, Pages        int64 // since the open
	BytesPayload         int64 // record bytes since the open
	BytesWritten         int64 // with headers and padding
	Checkpoints, Retired int64
	InFlight, Backlog    int // writes, bytes
	Undecided            int // transactions
	UpkeepDue            bool
}

// Stats counts.
func (m *Machine) Stats() Stats {
	s := m.stats
	s.Free, s.Reserve = len(m.space.free), m.o.Reserve
	s.Files = len(m.l.files)
	s.Slots = s.Free + s.Files + len(m.space.retiring) + len(m.space.freeOnOpen)
	s.Records, s.Live = m.l.records, m.l.live
	s.InFlight, s.Backlog = m.Pending()
	s.Undecided = len(m.l.txs)
	s.UpkeepDue = m.upkeepDue()
	return s
}
