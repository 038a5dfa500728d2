package journal

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// recovery finds the log among the slots. It only reads. The labels are those of docs/journal-recovery.md.
type recovery struct {
	g       datafile.Geometry
	views   []*view // all slots, ascending
	copying bool

	tip   *view
	chain []link  // oldest first: from START's file to the end of the log
	log   []*view // all files found to be of the log, also those before START's
	start datafile.Place
	torn  TornReport

	fileMax        uint64 // highest id and incarnation seen anywhere
	incarnationMax uint32
}

// link is one file of the log, as far as it counts.
type link struct {
	v     *view
	steps []step
}

// find decides where the log begins and ends.
func (r *recovery) find() error {
	for _, v := range r.views {
		if v.head.Present {
			r.fileMax = max(r.fileMax, v.head.Name.ID)
			r.incarnationMax = max(r.incarnationMax, v.head.Header.Incarnation)
		}
	}
	if err := r.findTip(); err != nil || r.tip == nil {
		return err
	}
	if r.tip.head.Broken {
		return r.tip.damage(0, "@A", "page 0 of the newest file that counts")
	}
	if err := r.forward(); err != nil {
		return err
	}
	if err := r.findStart(); err != nil {
		return err
	}
	if err := r.backward(); err != nil {
		return err
	}
	if r.copying {
		return nil // such a disk holds pages whose stable it does not meet yet
	}
	return r.judge()
}

// findTip takes the newest log file that is vouched: a page of it says that its page 0 was durable.
func (r *recovery) findTip() error {
	var logs []*view
	for _, v := range r.views {
		if v.head.Present && v.head.First.Kind == datafile.Log {
			logs = append(logs, v)
		}
	}
	slices.SortFunc(logs, func(a, b *view) int {
		switch {
		case datafile.Newer(&a.head.Header, &b.head.Header):
			return -1
		case datafile.Newer(&b.head.Header, &a.head.Header):
			return 1
		}
		return 0
	})
	for _, v := range logs {
		ok, err := v.vouched()
		if err != nil {
			return err
		}
		if ok {
			r.tip = v
			return nil
		}
	}
	return nil
}

// forward follows rolls that were in flight: unvouched files of the tip's incarnation that link.
func (r *recovery) forward() error {
	for v := r.tip; ; {
		w, err := v.chain()
		if err != nil {
			return err
		}
		next, n, err := r.successor(v, w)
		if err != nil {
			return err
		}
		steps := w.steps
		if next != nil {
			steps = steps[:n]
		}
		r.chain = append(r.chain, link{v, steps})
		r.log = append(r.log, v)
		if next == nil || next.head.Broken {
			return nil // without its page 0 the file is not on the chain; the judge looks at it
		}
		v = next
	}
}

// successor is the newest file that the same open began behind v, and the number of v's pages before it.
func (r *recovery) successor(v *view, w *walk) (best *view, n int, err error) {
	for _, c := range r.views {
		h := &c.head
		if !h.Present || h.First.Kind != datafile.Log || h.First.Pred.Name != v.head.Name || r.onChain(c) ||
			h.Header.Incarnation != v.head.Header.Incarnation || h.Header.Epoch != v.head.Header.Epoch {
			continue
		}
		k := w.upTo(h.First.Pred.End, h.First.Pred.TailHash)
		if k > 0 && (best == nil || datafile.Newer(&h.Header, &best.head.Header)) {
			best, n = c, k
		}
	}
	return best, n, nil
}

func (r *recovery) onChain(v *view) bool {
	return slices.Contains(r.log, v)
}

// findStart finds START of the last complete checkpoint: the last END in the tip and the rolls behind it names it, else
// the tip's page 0 does.
func (r *recovery) findStart() error {
	r.start = r.tip.head.First.Start
	for i := len(r.chain) - 1; i >= 0; i-- {
		c := &r.chain[i]
		for j := len(c.steps) - 1; j >= 0; j-- {
			if !c.steps[j].controls {
				continue
			}
			place, err := lastEnd(c.v, &c.steps[j])
			if err != nil {
				return err
			}
			if place.File != 0 {
				r.start = place
				return nil
			}
		}
	}
	return nil
}

// lastEnd is what the last END of a page names; File is 0 if there is none.
func lastEnd(v *view, s *step) (place datafile.Place, err error) {
	err = eachRecord(v, s, func(_ RecordID, rec *record.Record) error {
		if Kind(rec.Kind) != kindEnd {
			return nil
		}
		place, _, _, err = parseEnd(rec.Body)
		return err
	})
	return place, err
}

// eachRecord reads the records of a page of a walk.
func eachRecord(v *view, s *step, visit func(id RecordID, rec *record.Record) error) error {
	p, h, ok, err := v.own(s.block)
	if err != nil {
		return err
	}
	if !ok || h.Hash != s.hash {
		return fmt.Errorf("%s: the page at block %d changed while it was read", v.f.Name(), s.block)
	}
	var visited error
	err = record.Walk(p, &h, func(id uint64, _ int, rec *record.Record) error {
		visited = visit(RecordID(id), rec)
		return visited
	})
	if visited != nil {
		var placed *DamageError
		if errors.Is(visited, ErrDamaged) && !errors.As(visited, &placed) {
			return v.damage(s.block, "@J", visited.Error())
		}
		return visited
	}
	if err != nil {
		return v.damage(s.block, "@J", fmt.Sprintf("page of %d records, whose hash is right: %v", h.Records, err))
	}
	return nil
}

// backward walks from the tip to START's file by name and tail hash. Every link must be there.
func (r *recovery) backward() error {
	for k := range r.chain { // the checkpoint may have been completed in a roll behind the tip
		if r.chain[k].v.head.Name.ID == r.start.File {
			r.chain = r.chain[k:]
			return nil
		}
	}
	for {
		first := &r.chain[0]
		if first.v.head.Name.ID == r.start.File {
			return nil
		}
		pred := first.v.head.First.Pred
		if pred.End == 0 {
			if r.start.File != 0 {
				return first.v.damage(0, "@B", fmt.Sprintf("the log begins here, START of its checkpoint in file %d is missing", r.start.File))
			}
			return nil
		}
		v, steps, err := r.byName(pred)
		if err != nil {
			return err
		}
		if v == nil {
			return r.missingLink(pred)
		}
		r.chain = slices.Insert(r.chain, 0, link{v, steps})
		r.log = append(r.log, v)
	}
}

// byName finds the file of a link whose chain reaches the link's end.
func (r *recovery) byName(l datafile.Link) (*view, []step, error) {
	for _, v := range r.views {
		if !v.head.Present || v.head.Broken || v.head.Name != l.Name {
			continue
		}
		w, err := v.chain()
		if err != nil {
			return nil, nil, err
		}
		if n := w.upTo(l.End, l.TailHash); n > 0 {
			return v, w.steps[:n], nil
		}
	}
	return nil, nil, nil
}

// missingLink names the damage: the file is gone, its page 0 is, or its chain breaks.
func (r *recovery) missingLink(l datafile.Link) error {
	for _, v := range r.views {
		if !v.head.Present || v.head.Name != l.Name {
			continue
		}
		if v.head.Broken {
			return v.damage(0, "@B", "page 0 of a file that later files continue")
		}
		w, err := v.chain()
		if err != nil {
			return err
		}
		block := uint32(0)
		if len(w.steps) > 0 {
			block = w.end()
		}
		return v.damage(block, "@C", fmt.Sprintf("a page before block %d, where a later file continues", l.End))
	}
	return &DamageError{File: l.Name, Label: "@B", Held: fmt.Sprintf("pages up to block %d, which a later file continues", l.End)}
}

// tipEnd is the end of the log.
func (r *recovery) tipEnd() (pos Position, hash uint64) {
	if len(r.chain) == 0 {
		return Position{}, 0
	}
	c := &r.chain[len(r.chain)-1]
	last := &c.steps[len(c.steps)-1]
	return Position{c.v.head.Name.ID, last.end}, last.hash
}
