package journal

import "github.com/hindmq/hind/journal/datafile"

// Host is what the journal asks of whoever drives it.
type Host interface {
	// Snapshot is called from Flush, never from Append, when a checkpoint starts. It returns the host's own blob (counters,
	// duplicate ids, id high-water marks) as of all records appended so far. The journal copies it at once. More than
	// Options.BlobMax bytes fail the journal.
	Snapshot() []byte
}

// Member names a broker by its journal instance.
type Member [16]byte

// RolePoint is a role record and where it stands: the end of the page that held it.
type RolePoint struct {
	Position Position
	Epoch    uint32
	Role     []byte
}

// EpochPoint says where an epoch, or another open within it, began: the position of its first page's start.
type EpochPoint struct {
	Epoch       uint32
	Incarnation uint32
	Start       Position // end of the predecessor, as the first page names it
	File        datafile.Name
}

// FileInfo is one line of the manifest.
type FileInfo struct {
	Name        datafile.Name
	Kind        datafile.Kind
	Slot        int
	Epoch       uint32
	Incarnation uint32
	FirstRecord RecordID
	Records     uint64
	Live        uint64
	Closed      bool   // End and TailHash are final
	End         uint32 // block after the last page that counts
	TailHash    uint64 // of the last page that counts
	Pred        datafile.Link
}

// TornReport says what lay behind the end of the log when it was loaded.
type TornReport struct {
	Label string // case of docs/journal-recovery.md
	Pages int    // valid pages that are cut off
	Bytes int64  // their size
}
