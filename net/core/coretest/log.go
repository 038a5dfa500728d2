package coretest

import "github.com/hindmq/hind/journal"

// MemoryLog is a journal without a disk: what was flushed is safe at once. It belongs to the shard's owner.
type MemoryLog struct {
	next           journal.RecordID
	appended, safe journal.Position
}

// NewMemoryLog begins an empty log.
func NewMemoryLog() *MemoryLog {
	start := journal.Position{File: 1}
	return &MemoryLog{next: 1<<40 | 1, appended: start, safe: start}
}

// Append implements shard.Log.
func (l *MemoryLog) Append(recs ...journal.Record) (first journal.RecordID, pos journal.Position, err error) {
	first = l.next
	l.next += journal.RecordID(len(recs))
	l.appended.Block++
	return first, l.appended, nil
}

// Flush implements shard.Log.
func (l *MemoryLog) Flush(journal.Now) error {
	l.safe = l.appended
	return nil
}

// Safe implements shard.Log.
func (l *MemoryLog) Safe() journal.Position { return l.safe }
