package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"reflect"

	"github.com/cespare/xxhash/v2"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
)

// State is what belongs to this broker's disk alone and is never replicated: two checksummed blocks beside the slots,
// written in turn.
type State struct {
	Instance Member // random, made with the directory
	Copying  bool   // the follower cuts or copies: no own alone record gives a right, and load calls nothing damage
	Promises []byte // the host's, at most StateHostMax bytes
}

// StateHostMax limits State.Promises.
const StateHostMax = 2048

// Names of the files beside the slots.
const (
	StateName = "journal.state"
	LockName  = "journal.lock"
)

// The state file is two blocks of 4096 bytes, little-endian, the rest of each zero:
//
//	 0  hash      u64   xxhash64 of the block with this field zero
//	 8  magic     u32   "hins"
//	12  format    u16   1
//	14  shift     u8    block size of the slots is 1<<shift
//	15  flags     u8    bit 0: copying
//	16  sequence  u64   the valid block with the higher one counts
//	24  capacity  u32   blocks of a slot
//	28  promises  u32   size
//	32  instance  16 B
//	48  promises
const (
	stateBlockSize = 4096
	stateMagic     = 0x736e6968
	stateFormat    = 1
	stateFixed     = 48
)

// stateFile is the open state file.
type stateFile struct {
	geometry datafile.Geometry
	sequence uint64 // of the newest block; its place is sequence%2
	state    State
}

func (s *stateFile) encode(b []byte) error {
	if len(s.state.Promises) > StateHostMax {
		return fmt.Errorf("%w: promises of %d bytes, at most %d are possible", ErrState, len(s.state.Promises), StateHostMax)
	}
	clear(b)
	le := binary.LittleEndian
	le.PutUint32(b[8:], stateMagic)
	le.PutUint16(b[12:], stateFormat)
	b[14] = s.geometry.BlockShift
	if s.state.Copying {
		b[15] = 1
	}
	le.PutUint64(b[16:], s.sequence)
	le.PutUint32(b[24:], s.geometry.Capacity)
	le.PutUint32(b[28:], uint32(len(s.state.Promises)))
	copy(b[32:48], s.state.Instance[:])
	copy(b[stateFixed:], s.state.Promises)
	le.PutUint64(b, xxhash.Sum64(b))
	return nil
}

var errStateVersion = fmt.Errorf("%w: its format is not known to this program", ErrState)

// decodeState reads one block; ok is false if it is not valid.
func decodeState(b []byte) (s stateFile, ok bool, err error) {
	le := binary.LittleEndian
	if le.Uint32(b[8:]) != stateMagic {
		return s, false, nil
	}
	if le.Uint16(b[12:]) != stateFormat {
		return s, false, errStateVersion
	}
	sum := make([]byte, stateBlockSize)
	copy(sum[8:], b[8:stateBlockSize])
	if xxhash.Sum64(sum) != le.Uint64(b) {
		return s, false, nil
	}
	n := le.Uint32(b[28:])
	if n > StateHostMax {
		return s, false, nil
	}
	s = stateFile{geometry: datafile.Geometry{BlockShift: b[14], Capacity: le.Uint32(b[24:])}, sequence: le.Uint64(b[16:])}
	s.state.Copying = b[15]&1 != 0
	copy(s.state.Instance[:], b[32:48])
	s.state.Promises = append([]byte(nil), b[stateFixed:stateFixed+n]...)
	return s, s.geometry.Validate() == nil, nil
}

// readState reads the state file. blank says that it exists and was never written.
func readState(fs aio.FS, dir string) (s stateFile, blank bool, err error) {
	name := path.Join(dir, StateName)
	f, err := fs.Open(name, aio.ReadOnly)
	if err != nil {
		return s, false, fmt.Errorf("%w: %w", ErrState, err)
	}
	defer f.Close()
	b := make([]byte, 2*stateBlockSize)
	if f.Size() != int64(len(b)) {
		return s, false, fmt.Errorf("%w: %s has %d bytes, not %d", ErrState, name, f.Size(), len(b))
	}
	if _, err := f.ReadAt(b, 0); err != nil {
		return s, false, fmt.Errorf("%w: %w", ErrState, err)
	}
	found := false
	var versionErr error
	for _, half := range [][]byte{b[:stateBlockSize], b[stateBlockSize:]} {
		one, ok, err := decodeState(half)
		if err != nil {
			versionErr = fmt.Errorf("%s: %w", name, err)
		}
		if ok && (!found || one.sequence > s.sequence) {
			s, found = one, true
		}
	}
	switch {
	case versionErr != nil:
		return s, false, versionErr
	case found:
		return s, false, nil
	}
	for _, c := range b {
		if c != 0 {
			return s, false, fmt.Errorf("%w: both blocks of %s are damaged; they hold the journal's identity and block size", ErrState, name)
		}
	}
	return s, true, nil
}

// save writes the next state into the block that does not hold the newest one.
func (s *stateFile) save(fs aio.FS, dir string, next State) error {
	n := *s
	n.state, n.sequence = next, s.sequence+1
	n.state.Promises = append([]byte(nil), next.Promises...)
	b := alignedBytes(stateBlockSize)
	if err := n.encode(b); err != nil {
		return err
	}
	f, err := fs.Open(path.Join(dir, StateName), aio.ReadWrite)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	// What was read may still lie in a volatile cache: the older block must not be overwritten before the newer is durable.
	err = f.Sync()
	if err == nil {
		_, err = f.WriteAt(b, int64(n.sequence%2)*stateBlockSize)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	*s = n
	return nil
}

// alignedBytes is memory for direct I/O from the Go heap: for the rare and small.
func alignedBytes(n int) []byte {
	p := make([]byte, n+aio.BufferAlign)
	skip := -int(reflect.ValueOf(p).Pointer()) & (aio.BufferAlign - 1)
	return p[skip : skip+n : skip+n]
}
