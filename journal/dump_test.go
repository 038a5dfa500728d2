package journal

import (
	"fmt"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// dump lists a host's state for a failure's report.
func (h *ledgerHost) dump() string {
	s := fmt.Sprintf("counter %x\n", h.counter)
	for _, id := range sortedKeys(h.live) {
		s += fmt.Sprintf("  %s %x/%x\n", id, h.live[id].body, h.live[id].update)
	}
	for _, id := range sortedKeys(h.txs) {
		s += fmt.Sprintf("  tx%d %v %v\n", id, h.txs[id].prepared, h.txs[id].recs)
	}
	return s
}

// inspectDisk lists every valid page of every slot, on the chain or not.
func inspectDisk(d *aiotest.Disk, o Options) string {
	s := ""
	for n := 0; n < o.Slots; n++ {
		b, _ := d.Bytes(testDir + "/" + datafile.SlotName(n))
		s += fmt.Sprintf("slot %d:\n", n)
		for blk := 0; blk*512 < len(b); blk++ {
			h, err := record.OpenPage(b[blk*512:])
			if err != nil {
				continue
			}
			s += fmt.Sprintf("  blk %d: file %d %s blocks %d recs %d first %s stable %d:%d inc %d hash %x prev %x", blk, h.File, h.Kind, h.Blocks, h.Records, RecordID(h.FirstRecord), h.StableFile, h.StableBlock, h.Incarnation, h.Hash>>48, h.PrevHash>>48)
			if h.Kind == record.PageFirst {
				f, _ := datafile.ParseFirst(record.Payload(b[blk*512:], &h))
				s += fmt.Sprintf(" pred %d:%d start %v", f.Pred.ID, f.Pred.End, f.Start)
			} else if h.Records > 0 {
				_ = record.Walk(b[blk*512:], &h, func(id uint64, off int, r *record.Record) error {
					s += fmt.Sprintf(" [%d t%d ->%s]", r.Kind, r.Tx, RecordID(r.Target))
					return nil
				})
			}
			s += "\n"
		}
	}
	return s
}
