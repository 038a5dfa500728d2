package shard

import "github.com/hindmq/hind/journal"

// Log is the journal as the shard drives it; *journal.Driver fits but for Safe, which says the policy of the pair. All
// methods are called by the shard's owner only.
type Log interface {
	// Append takes the records into the open page, all of them into the same page, and says where they are: they are safe
	// once Safe is not before that position. The first record has the returned id, the others follow. Bytes are copied.
	// On error nothing was appended: journal.ErrBusy (try again after the next completion), ErrFull, ErrTooLarge; any
	// other error is final.
	Append(recs ...journal.Record) (first journal.RecordID, pos journal.Position, err error)

	// Flush seals and submits what it may. It does not wait for the disk. The error is final.
	Flush(now journal.Now) error

	// Safe is the position up to which everything may be acknowledged.
	Safe() journal.Position
}
