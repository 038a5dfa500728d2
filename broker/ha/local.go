package ha

import (
	"encoding/binary"
	"fmt"
)

// LocalState is what this broker keeps durably for itself, beside the log and never replicated. It belongs to one
// journal instance: a new journal directory begins with the zero value.
type LocalState struct {
	// Process is the number of the newest process that held this journal. New counts it up; nothing is said on any
	// connection before the new number is durable.
	Process Process
	// PromiseEpoch and PromiseTo are the newest promise given (rule H7): this broker opens no epoch below it, follows
	// nobody below it, and gives an epoch once to one candidate.
	PromiseEpoch uint64
	PromiseTo    Instance
	// Copying is the newest epoch whose owner's log was being copied into this one; 0: never. An own alone record of
	// this epoch or an older one gives no right to activate (rule H2): the log may be a half-finished copy. It is never
	// taken back, since whatever this broker opens later has a higher epoch.
	Copying uint64
}

// Layout of an encoded LocalState, version 1, little-endian: format 1, zero 7, process 8, promise epoch 8, promised to
// 16, copying 8. The file that holds it adds its own checksum.
const (
	localFormat = 1
	// LocalStateSize is the size of an encoded LocalState in bytes.
	LocalStateSize = 48
)

// Encode returns the state's bytes, LocalStateSize of them.
func (s LocalState) Encode() []byte {
	b := make([]byte, 8, LocalStateSize)
	b[0] = localFormat
	b = binary.LittleEndian.AppendUint64(b, uint64(s.Process))
	b = binary.LittleEndian.AppendUint64(b, s.PromiseEpoch)
	b = append(b, s.PromiseTo[:]...)
	return binary.LittleEndian.AppendUint64(b, s.Copying)
}

// DecodeLocalState reads what Encode made. It never panics.
func DecodeLocalState(b []byte) (LocalState, error) {
	var s LocalState
	if len(b) != LocalStateSize {
		return s, fmt.Errorf("ha: local state of %d bytes, want %d; restore the journal directory as a whole", len(b), LocalStateSize)
	}
	if b[0] != localFormat || b[1]|b[2]|b[3]|b[4]|b[5]|b[6]|b[7] != 0 {
		return s, fmt.Errorf("ha: local state has format % x, this version knows %d; start the version that wrote it", b[:8], localFormat)
	}
	s.Process = Process(binary.LittleEndian.Uint64(b[8:]))
	s.PromiseEpoch = binary.LittleEndian.Uint64(b[16:])
	copy(s.PromiseTo[:], b[24:])
	s.Copying = binary.LittleEndian.Uint64(b[40:])
	return s, nil
}

func (s LocalState) String() string {
	out := fmt.Sprintf("process %d", s.Process)
	if s.PromiseEpoch > 0 {
		out += fmt.Sprintf(", promised e%d to %s", s.PromiseEpoch, s.PromiseTo)
	}
	if s.Copying > 0 {
		out += fmt.Sprintf(", copying e%d", s.Copying)
	}
	return out
}
