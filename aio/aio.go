package aio

import (
	"errors"
	"io"
	"time"
)

// Errors of the border. Implementations wrap them with the file's name and offset; test with errors.Is.
var (
	ErrPoisoned    = errors.New("file is poisoned by an earlier failed write or sync")
	ErrClosed      = errors.New("engine is closed")
	ErrLocked      = errors.New("locked by another process")
	ErrUnavailable = errors.New("I/O engine is not available on this machine")
)

// FS is a directory tree as the journal sees it. Names are slash-separated paths. All methods block.
// The kernel implementation is OS; aiotest has a simulated one.
type FS interface {
	// MkdirAll makes dir and its parents and syncs each directory in which an entry was added.
	MkdirAll(dir string) error
	// List returns the names of the regular files in dir, sorted.
	List(dir string) ([]string, error)
	// Create makes a file of size bytes, zero-filled by real writes, synced, with its directory entry synced; it fails
	// if the name exists. The file appears under its name only when whole. progress, if not nil, gets the bytes done.
	Create(name string, size int64, progress func(done int64)) error
	// Open opens an existing file. A read-only open takes no lock and changes nothing on disk.
	Open(name string, mode Mode) (File, error)
	// Remove deletes a file and syncs its directory.
	Remove(name string) error
	// Lock takes an exclusive lock (OFD) on the named file, made if absent, until Close; ErrLocked if it is held.
	Lock(name string) (io.Closer, error)
}

// Mode says what an opened file is for.
type Mode uint8

const (
	ReadOnly  Mode = iota // buffered reads are allowed
	ReadWrite             // direct I/O where the file system takes it; writes are durable when they complete
)

// File is one open file. ReadAt and WriteAt block and may be called from several goroutines. With direct I/O, offset,
// length and address are multiples of Align (a Buffer's always are).
type File interface {
	Name() string
	Size() int64
	Align() int
	// ReadAt as io.ReaderAt.
	ReadAt(p []byte, off int64) (int, error)
	// WriteAt returns once the bytes are durable; a failure poisons the file.
	WriteAt(p []byte, off int64) (int, error)
	// Sync makes durable all that was read or written through any descriptor of this file.
	Sync() error
	Close() error
}

// OpKind is what an Op does.
type OpKind uint8

const (
	OpWrite OpKind = iota // durable when completed
	OpRead
)

// Op is one asynchronous operation. Tag comes back in its Completion.
type Op struct {
	Kind OpKind
	File File
	Data []byte // from a Buffer; belongs to the engine until the completion was delivered
	Off  int64
	Tag  uint64
	// At is when the caller handed the operation over, on the caller's own clock. The engine only gives it back, in
	// Oldest, so that a hung write is seen with its age. Optional.
	At time.Duration
}

// Completion is the result of one Op. Err is nil exactly if all of Data was moved (and, for a write, made durable).
type Completion struct {
	Tag uint64
	N   int
	Err error
}

// Engine runs operations. Completions come in any order.
type Engine interface {
	// Name is the engine's name for people: "io_uring", "pwrite", "sim".
	Name() string
	// Start says where completions go. sink is called from a goroutine of the engine, one call at a time, never from
	// inside Submit; it must not block for long; the slice is valid during the call only. Call Start once, before Submit.
	Start(sink func([]Completion))
	// Submit hands operations over. It may block briefly in the kernel. An error means that none was taken: ErrClosed,
	// ErrBusy (more in flight than the engine's depth) or what CheckOp refuses. Everything else, ErrPoisoned too, comes
	// as a Completion. Safe for several goroutines, and from inside the sink.
	Submit(ops ...Op) error
	// Close waits for what is in flight and releases everything. Submit afterwards returns ErrClosed. Not from the sink.
	Close() error
}

// Watched is implemented by every engine here.
type Watched interface {
	// Oldest is the operation in flight with the lowest At; its age is now - At. ok is false if nothing is in flight.
	Oldest() (op Op, ok bool)
	// InFlight counts operations taken and not yet delivered.
	InFlight() int
}
