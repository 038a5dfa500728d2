package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
)

// LiveDigest is one number for what lives: files, bits, undecided transactions, role. Two brokers whose logs end at the
// same position must agree on it.
func (i *Image) LiveDigest() uint64 { return i.ledger.digest() }

// LiveDigest is that of everything appended so far.
func (d *Driver) LiveDigest() uint64 { return d.m.l.digest() }

func (l *ledger) digest() uint64 {
	var h xxhash.Digest
	h.Reset()
	var b []byte
	put := func(vs ...uint64) {
		b = b[:0]
		for _, v := range vs {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
		_, _ = h.Write(b)
	}
	put(uint64(l.next), uint64(l.epoch), uint64(len(l.files)))
	for _, f := range l.files {
		put(f.name.ID, f.name.Salt, uint64(f.kind), uint64(f.first), f.count, f.live)
		put(f.bits...)
	}
	for _, id := range l.undecided() {
		_, _ = h.Write(l.txs[id].snapshot(b[:0]))
	}
	_, _ = h.Write(l.role.Role)
	return h.Sum64()
}

// FileDigest is one number for the bytes of one file up to where it ends, padding included.
type FileDigest struct {
	Name datafile.Name
	End  uint32
	Hash uint64
}

// ByteDigest reads every file of a manifest up to its end. Byte-identical means: equal here.
func ByteDigest(fs aio.FS, dir string, g datafile.Geometry, files []FileInfo) ([]FileDigest, error) {
	var out []FileDigest
	for _, info := range files {
		f, err := datafile.OpenSlot(fs, dir, info.Slot, g, aio.ReadOnly)
		if err != nil {
			return nil, err
		}
		var h xxhash.Digest
		h.Reset()
		_, err = io.CopyBuffer(&h, io.NewSectionReader(f, 0, int64(info.End)<<g.BlockShift), make([]byte, 1<<20))
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("digest of file %s: %w", info.Name, err)
		}
		out = append(out, FileDigest{info.Name, info.End, h.Sum64()})
	}
	return out, nil
}
