package journal

import (
	"errors"
	"fmt"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// Errors of the journal. Test with errors.Is; the values that carry a place wrap them.
var (
	// ErrFull: the journal has no room for this record; nothing changed. Deletes, commits and rollbacks go on.
	ErrFull = errors.New("journal is full")
	// ErrBusy: too much waits to be written, or upkeep comes first; nothing changed. Flush, and try again after the next
	// completion.
	ErrBusy = errors.New("journal is busy: too much waits to be written")
	// ErrTooLarge: the records of one call do not fit one page; nothing changed.
	ErrTooLarge = errors.New("record is too large")
	// ErrRecord: the host asked for something that makes no sense (unknown kind, meta too long, transaction misused).
	ErrRecord = errors.New("record is refused")
	// ErrFailed: an earlier write failed. It is final for this driver; nothing more becomes durable.
	ErrFailed = errors.New("journal failed")
	// ErrClosed: the driver or log was closed.
	ErrClosed = errors.New("journal is closed")
	// ErrNotFound: no live record has this id.
	ErrNotFound = errors.New("no such record")
	// ErrDamaged: what was acknowledged, or may have been, cannot be read. Never a torn tail.
	ErrDamaged = errors.New("journal is damaged")
	// ErrState: the local state file is missing or damaged while there are data files.
	ErrState = errors.New("journal state file")
	// ErrGeometry: block or slot size differ from what the journal was created with.
	ErrGeometry = errors.New("journal was created with other sizes")
	// ErrRetired: the position lies in a file that is gone.
	ErrRetired = errors.New("position is no longer retained")

	// ErrLocked: another process has the journal open.
	ErrLocked = aio.ErrLocked
	// ErrForeign: a slot holds something that no journal wrote.
	ErrForeign = datafile.ErrForeign
	// ErrVersion: a slot was written in a format that this program does not know.
	ErrVersion = record.ErrVersion
)

// DamageError names damage: where it is and what was held there. It is ErrDamaged.
type DamageError struct {
	Path   string        // file on disk; "" if no file is to blame (it is missing)
	File   datafile.Name // data file
	Offset int64         // bytes from the start of the file
	Held   string        // what lay there, or what says that something did
	Label  string        // case of docs/journal-recovery.md: "@D"
}

func (e *DamageError) Error() string {
	where := e.Path
	if where == "" {
		where = "missing slot"
	}
	return fmt.Sprintf("%s: %s (file %s) at offset %d: %s [%s]; restore it from the other broker or a backup",
		ErrDamaged, where, e.File, e.Offset, e.Held, e.Label)
}

// Is makes every DamageError an ErrDamaged.
func (e *DamageError) Is(target error) bool { return target == ErrDamaged }
