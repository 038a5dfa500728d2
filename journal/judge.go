package journal

import (
	"fmt"

	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// judge tells a torn tail from damage (rule D). The log ends at G. What lies behind G, in its file and in newer files, is
// torn off if nobody can have relied on it: no page says that something beyond G was stable, and none ends more than the
// window beyond G.
func (r *recovery) judge() error {
	g, _ := r.tipEnd()
	last := &r.chain[len(r.chain)-1]
	r.torn.Label = "@G"
	if err := r.judgeOwn(last.v, g); err != nil {
		return err
	}
	for _, v := range r.views {
		if !v.head.Present || v.head.First.Kind != datafile.Log || r.onChain(v) || !datafile.Newer(&v.head.Header, &last.v.head.Header) {
			continue
		}
		if err := r.judgeOther(v, last.v, g); err != nil {
			return err
		}
	}
	return nil
}

func above(h *record.Header, g Position) bool { return g.Less(Position{h.StableFile, h.StableBlock}) }

// judgeOwn scans the rest of G's file in block steps.
func (r *recovery) judgeOwn(v *view, g Position) error {
	for block := g.Block; block < v.g.Capacity; block++ {
		_, h, ok, err := v.own(block)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		switch {
		case above(&h, g):
			return v.damage(g.Block, "@D", fmt.Sprintf("a page that was stable, says the page at block %d (stable %d:%d); %s",
				block, h.StableFile, h.StableBlock, what(&h)))
		case h.End()-g.Block > v.head.First.Window:
			return v.damage(g.Block, "@E", fmt.Sprintf("a page before the one at block %d, which lies more than the window of %d blocks behind; %s",
				block, v.head.First.Window, what(&h)))
		}
		r.cut(&h)
	}
	return nil
}

// judgeOther scans a newer file that is not on the chain.
func (r *recovery) judgeOther(v, last *view, g Position) error {
	pred := v.head.First.Pred
	next := pred.Name == last.head.Name && pred.End >= g.Block
	window := max(v.head.First.Window, last.head.First.Window)
	for block := uint32(0); block < v.g.Capacity; block++ {
		_, h, ok, err := v.own(block)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if above(&h, g) {
			intact, err := r.intactAt(v, &h)
			if err != nil {
				return err
			}
			if !intact {
				return last.damage(g.Block, "@F", fmt.Sprintf("pages that were stable, says file %s at block %d (stable %d:%d); %s",
					v.head.Name, block, h.StableFile, h.StableBlock, what(&h)))
			}
		}
		if next && pred.End-g.Block+h.End() > window {
			return last.damage(g.Block, "@E", fmt.Sprintf("a page before file %s, whose page at block %d lies more than the window of %d blocks behind; %s",
				v.head.Name, block, window, what(&h)))
		}
		if next {
			r.cut(&h)
		}
	}
	return nil
}

func (r *recovery) cut(h *record.Header) {
	r.torn.Pages++
	r.torn.Bytes += int64(h.Size())
	r.torn.Label = "@H"
}

func what(h *record.Header) string {
	return fmt.Sprintf("that page holds %d records from %s", h.Records, RecordID(h.FirstRecord))
}

// intactAt says that the page which h's stable names lies on an unbroken branch: one that another open began and nobody
// relied on. Then the claim is about that branch, not about the log.
func (r *recovery) intactAt(v *view, h *record.Header) (bool, error) {
	salt := v.head.First.Pred.Salt
	if h.StableFile == v.head.Name.ID {
		salt = v.head.Name.Salt
	}
	return r.intact(salt, h.StableBlock, 0, len(r.views))
}

// intact: the file with that salt has a page that ends at end (with that hash, unless it is 0), and it is on the chain or
// its predecessor is intact in turn.
func (r *recovery) intact(salt uint64, end uint32, hash uint64, depth int) (bool, error) {
	for _, v := range r.views {
		if !v.head.Present || v.head.Broken || v.head.Name.Salt != salt || depth == 0 {
			continue
		}
		w, err := v.chain()
		if err != nil {
			return false, err
		}
		for i := range w.steps {
			if s := &w.steps[i]; s.end == end && (hash == 0 || s.hash == hash) {
				if r.onChain(v) {
					return true, nil
				}
				p := v.head.First.Pred
				return r.intact(p.Salt, p.End, p.TailHash, depth-1)
			}
		}
	}
	return false, nil
}
