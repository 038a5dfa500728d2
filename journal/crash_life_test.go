package journal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
)

// life is one process on the disk.
type life struct {
	c       *crasher
	w       *crashed
	proc    *aiotest.Process
	d       *Driver
	host    *ledgerHost
	hist    *history
	pos     []Position // of each record of hist that this life appended
	base    int
	opened  bool
	txs     []TxID
	nextTx  TxID
	targets []RecordID
	mono    time.Duration
}

// begin loads and opens; the open's pages are in flight when it returns.
func (c *crasher) begin(w *crashed) (*life, error) {
	p := w.disk.Process(fmt.Sprintf("p%d", len(w.histories)))
	host := newLedgerHost()
	image, err := Load(p, testDir, c.o, crashLoader{host})
	if err != nil {
		return nil, c.fail("load for open: %v", err)
	}
	if role, ok := image.Role(); ok {
		host.role = xxhash.Sum64(role.Role)
	}
	next, digest := image.Next(), host.digest()
	l := &life{c: c, w: w, proc: p, host: host, nextTx: TxID(1000 * (len(w.histories) + 1 + w.deep*50))}
	for _, h := range slices.Backward(w.histories) {
		if n := h.matches(next, digest); n >= 0 {
			l.hist = h.clone()
			l.base = n
			break
		}
	}
	if l.hist == nil {
		return nil, c.fail("open finds no known history")
	}
	engine := p.Engine(aiotest.EngineOptions{})
	engine.Start(func(cs []aio.Completion) { l.d.Complete(cs) })
	var role []byte
	if c.rng.IntN(2) == 0 || host.role != 0 {
		role = fmt.Appendf(nil, "role %d", c.rng.Uint64())
		host.role = xxhash.Sum64(role)
	}
	l.d, err = image.Activate(ActivateOptions{Epoch: image.Epoch() + uint32(c.rng.IntN(2)), Role: role, Engine: engine, Pool: c.pool,
		Host: host, Salt: c.rng.Uint64()})
	if err != nil {
		return nil, c.fail("activate: %v", err)
	}
	// What lies behind the base is cut now; transactions that were not prepared are rolled back.
	l.hist.ids = l.hist.ids[:l.base]
	l.hist.digests = l.hist.digests[:l.base+1]
	l.hist.digests[l.base] = host.digest()
	l.hist.min = l.base
	w.histories = append(w.histories, l.hist)
	l.targets = append(l.targets, sortedKeys(host.live)...)
	l.txs = append(l.txs, sortedKeys(host.txs)...)
	c.note("open: base %d, tip %s, new file %s, incarnation %d", l.base, image.Tip(), l.d.m.writer.opening.name, l.d.m.writer.incarnation)
	return l, nil
}

// end is the end of a process whose writes in flight are of no interest any more.
func (l *life) end() {
	_ = l.d.Close()
	l.proc.Kill(aiotest.LateDrop)
	for _, b := range l.d.m.flight {
		l.d.m.recycle(b)
	}
	l.d.m.flight = nil
}

// settle moves the acknowledged count.
func (l *life) settle() {
	if !l.opened && l.d.Opened() {
		l.opened = true
		l.w.histories = []*history{l.hist}
		l.c.note("opened")
		l.c.count.opens.Add(1)
		if l.c.member {
			l.d.SetMembers([]Member{{5}})
		}
	}
	durable := l.d.Stable()
	for l.opened && l.hist.min-l.base < len(l.pos) && !durable.Less(l.pos[l.hist.min-l.base]) {
		l.hist.min++
	}
}

// step does one random thing.
func (l *life) step() error {
	r := l.c.rng
	switch k := r.IntN(20); {
	case k < 9:
		return l.appendSomething()
	case k < 13:
		l.mono++
		if err := l.d.Flush(Now{l.mono, int64(l.mono)}); err != nil {
			return l.c.fail("flush: %v", err)
		}
	case k < 19:
		l.w.disk.Step()
		l.settle()
		if l.c.member && r.IntN(3) == 0 {
			l.d.MemberDurable(Member{5}, l.d.Durable())
			l.settle()
		}
	default:
		if err := l.d.Idle(Now{l.mono, int64(l.mono)}); err != nil {
			return l.c.fail("idle: %v", err)
		}
		if r.IntN(6) == 0 {
			l.d.Roll()
		}
	}
	return nil
}

func (l *life) appendSomething() error {
	r := l.c.rng
	var recs []Record
	body := func() []byte { return bytes.Repeat([]byte{byte(r.IntN(256))}, r.IntN(1+r.IntN(l.c.o.PageMax/2))) }
	target := func() RecordID {
		if len(l.targets) == 0 {
			return 1<<40 | 1
		}
		return l.targets[r.IntN(len(l.targets))]
	}
	if r.IntN(40) == 0 {
		return l.appendRole()
	}
	tx := TxID(0)
	if r.IntN(4) == 0 {
		if len(l.txs) > 0 && r.IntN(3) > 0 {
			tx = l.txs[r.IntN(len(l.txs))]
		} else if len(l.txs) < 3 {
			l.nextTx++
			tx = l.nextTx
		}
		if t := l.host.txs[tx]; t != nil && t.prepared {
			recs = append(recs, Record{Kind: KindCommit + Kind(r.IntN(2)), Tx: tx})
			return l.append(recs)
		}
	}
	// Targets are what is committed, or records of the same transaction.
	if t := l.host.txs[tx]; t != nil && r.IntN(3) == 0 {
		if own := t.recs[r.IntN(len(t.recs))]; own.kind == KindAdd {
			target = func() RecordID { return own.id }
		}
	}
	for range 1 + r.IntN(2) {
		switch k := r.IntN(12); {
		case k < 5:
			recs = append(recs, Record{Kind: KindAdd, Type: uint8(k), Tx: tx, Body: body(), Meta: []byte("m")})
		case k < 7:
			recs = append(recs, Record{Kind: KindUpdate, Tx: tx, Target: target(), Body: body()})
		case k < 10 || tx == 0:
			recs = append(recs, Record{Kind: KindDelete, Tx: tx, Target: target(), Body: []byte("why")})
		case k == 10:
			recs = append(recs, Record{Kind: KindEvent, Body: body()})
		default:
			recs = append(recs, Record{Kind: KindPrepare + Kind(r.IntN(3)), Tx: tx, Body: []byte("xid")})
			return l.append(recs)
		}
	}
	return l.append(recs)
}

func (l *life) appendRole() error {
	role := fmt.Appendf(nil, "role %d", l.c.rng.Uint64())
	id := l.d.m.l.next
	pos, err := l.d.WriteRole(role)
	if errors.Is(err, ErrFull) || errors.Is(err, ErrBusy) {
		return nil
	}
	if err != nil {
		return l.c.fail("role: %v", err)
	}
	l.host.role = xxhash.Sum64(role)
	l.hist.ids = append(l.hist.ids, id)
	l.hist.digests = append(l.hist.digests, l.host.digest())
	l.pos = append(l.pos, pos)
	return nil
}

func (l *life) append(recs []Record) error {
	_, pos, err := l.d.Append(recs...)
	if errors.Is(err, ErrFull) || errors.Is(err, ErrBusy) {
		// Consumers go on: settle something instead.
		if len(l.targets) > 0 && errors.Is(err, ErrFull) {
			i := l.c.rng.IntN(len(l.targets))
			recs = []Record{{Kind: KindDelete, Target: l.targets[i]}}
			if _, pos, err = l.d.Append(recs...); err == nil {
				l.targets = slices.Delete(l.targets, i, i+1)
			}
		}
	}
	if errors.Is(err, ErrFull) || errors.Is(err, ErrBusy) || errors.Is(err, ErrTooLarge) {
		return nil
	}
	if err != nil {
		return l.c.fail("append: %v", err)
	}
	for i := range recs {
		rec := &recs[i]
		if t := l.host.txs[rec.Tx]; rec.Kind == KindCommit && t != nil {
			for _, held := range t.recs {
				if held.kind == KindAdd {
					l.targets = append(l.targets, held.id)
				}
			}
		}
		l.host.take(rec)
		l.hist.ids = append(l.hist.ids, rec.ID)
		l.hist.digests = append(l.hist.digests, l.host.digest())
		l.pos = append(l.pos, pos)
		switch {
		case rec.Kind == KindAdd && rec.Tx == 0:
			l.targets = append(l.targets, rec.ID)
		case rec.Kind == KindDelete && rec.Tx == 0:
			l.targets = slices.DeleteFunc(l.targets, func(id RecordID) bool { return id == rec.Target })
		case rec.Kind == KindCommit || rec.Kind == KindRollback:
			l.txs = slices.DeleteFunc(l.txs, func(id TxID) bool { return id == rec.Tx })
		}
		if rec.Tx != 0 && rec.Kind < KindCommit && !slices.Contains(l.txs, rec.Tx) {
			l.txs = append(l.txs, rec.Tx)
		}
	}
	if len(l.targets) > 12 {
		l.targets = l.targets[len(l.targets)-12+l.c.rng.IntN(4):]
	}
	return nil
}
