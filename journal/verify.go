package journal

import (
	"errors"
	"fmt"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// VerifyFile reads one file of a manifest from page 0 to its end: every page's hash, place and chain, and every record's
// checksum. It finds any flipped bit up to there, and names it. Errors: ErrDamaged; ErrRetired if the slot holds another
// file by now (a live journal goes on); read errors.
func VerifyFile(fs aio.FS, dir string, g datafile.Geometry, info FileInfo) (pages, records int, err error) {
	f, err := datafile.OpenSlot(fs, dir, info.Slot, g, aio.ReadOnly)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	v := &view{f: f, slot: info.Slot, g: g, buf: new([]byte), owner: new(*view)}
	b, err := v.bytes(0, datafile.HeadBlocks*g.BlockSize())
	if err != nil {
		return 0, 0, err
	}
	if v.head, err = datafile.ReadHead(b, g.BlockShift); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", f.Name(), err)
	}
	if v.head.Present && v.head.Name != info.Name {
		return 0, 0, fmt.Errorf("%w: %s holds file %s, no longer %s", ErrRetired, f.Name(), v.head.Name, info.Name)
	}
	v.head.Name = info.Name
	prev := info.Pred.TailHash
	for block := uint32(0); block < info.End; {
		_, h, ok, err := v.own(block)
		if err != nil {
			return pages, records, err
		}
		if !ok || h.PrevHash != prev {
			return pages, records, v.damage(block, "@C", fmt.Sprintf("a page of the file, which ends at block %d", info.End))
		}
		if h.Records > 0 {
			s := step{block: block, hash: h.Hash}
			if err := eachRecord(v, &s, func(RecordID, *record.Record) error { return nil }); err != nil {
				return pages, records, err
			}
		}
		pages++
		records += int(h.Records)
		block, prev = h.End(), h.Hash
	}
	if prev != info.TailHash {
		return pages, records, v.damage(info.End-1, "@C", fmt.Sprintf("the last page before block %d: its hash is %016x, not %016x", info.End, prev, info.TailHash))
	}
	return pages, records, nil
}
