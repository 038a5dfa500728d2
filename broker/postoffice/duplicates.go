package postoffice

import (
	"crypto/sha256"
	"sort"
)

// Key stands for a duplicate id in memory and in checkpoints: short ids as they are, with their length in front, longer
// ones by 126 bits of their SHA-256, so that a window has a known size.
type Key [16]byte

// KeyOf makes the key of an id.
func KeyOf(id []byte) Key {
	var k Key
	if len(id) < len(k) {
		k[0] = byte(len(id))
		copy(k[1:], id)
		return k
	}
	sum := sha256.Sum256(id)
	copy(k[:], sum[:])
	k[0] |= 0xC0 // no length of a short id looks like this
	return k
}

// Window remembers the last ids of one address, in the order they came.
type Window struct {
	limit int
	keys  []Key // keys[head:] are remembered, oldest first
	head  int
	set   map[Key]struct{}
}

// NewWindow remembers up to limit ids.
func NewWindow(limit int) *Window { return &Window{limit: limit, set: map[Key]struct{}{}} }

// Len is how many ids the window holds.
func (w *Window) Len() int {
	if w == nil {
		return 0
	}
	return len(w.keys) - w.head
}

// Has says whether the id is remembered; a nil window remembers nothing.
func (w *Window) Has(k Key) bool {
	if w == nil {
		return false
	}
	_, ok := w.set[k]
	return ok
}

// add remembers an id and says by how many the window grew.
func (w *Window) add(k Key) int {
	if w.limit <= 0 || w.Has(k) {
		return 0
	}
	w.set[k] = struct{}{}
	w.keys = append(w.keys, k)
	if w.Len() <= w.limit {
		return 1
	}
	w.evict(1)
	return 0
}

// evict forgets the oldest n ids, or all.
func (w *Window) evict(n int) int {
	n = min(n, w.Len())
	for _, k := range w.keys[w.head : w.head+n] {
		delete(w.set, k)
	}
	w.head += n
	if w.head > 256 && w.head > len(w.keys)/2 { // move seldom, so that it costs little for each id
		w.keys = w.keys[:copy(w.keys, w.keys[w.head:])]
		w.head = 0
	}
	return n
}

// Keys are the ids, oldest first; shared, do not change it.
func (w *Window) Keys() []Key {
	if w == nil {
		return nil
	}
	return w.keys[w.head:]
}

// Duplicate says whether the address remembers the id.
func (a *Address) Duplicate(k Key) bool { return a.window.Has(k) || a.passing.Has(k) }

// Remember notes an id that a record has.
func (o *Office) Remember(addr string, k Key) {
	w := o.windows[addr]
	if w == nil {
		w = NewWindow(o.settings.Of(addr).IDCacheSize)
		o.windows[addr] = w
		o.ids += nameCost(addr)
		if a := o.addresses[addr]; a != nil {
			a.window = w
		}
	}
	o.ids += w.add(k)
	for o.options.DuplicatesMax > 0 && o.ids > o.options.DuplicatesMax {
		if !o.evict() {
			return
		}
	}
}

// nameCost is what a window takes in a checkpoint beside its ids, in ids.
func nameCost(addr string) int { return 1 + len(addr)/len(Key{}) }

// evict makes the largest window forget some ids; one that had none is forgotten itself.
func (o *Office) evict() bool {
	name, w := o.largest()
	if w == nil {
		return false
	}
	o.ids -= w.evict(evictAtOnce)
	if w.Len() == 0 {
		o.forgetWindow(name)
	}
	return true
}

func (o *Office) forgetWindow(name string) {
	if w := o.windows[name]; w != nil {
		o.ids -= w.Len() + nameCost(name)
		delete(o.windows, name)
		if a := o.addresses[name]; a != nil {
			a.window = nil
		}
	}
}

// evictAtOnce is how many ids the largest window loses when all together are too many: finding it costs.
const evictAtOnce = 64

// RememberPassing notes an id of a message that no record has: it is forgotten with the process, as the message is.
func (a *Address) RememberPassing(k Key) {
	if a.passing == nil {
		a.passing = NewWindow(a.Settings.IDCacheSize)
	}
	a.passing.add(k)
}

// largest window; among equals the first by name, so that every broker evicts the same.
func (o *Office) largest() (name string, best *Window) {
	for _, nw := range o.Windows() {
		if best == nil || nw.Window.Len() > best.Len() {
			name, best = nw.Address, nw.Window
		}
	}
	return name, best
}

// NamedWindow is the window of one address, which need not exist any more in memory.
type NamedWindow struct {
	Address string
	Window  *Window
}

// Windows lists the durable windows by name of their address.
func (o *Office) Windows() []NamedWindow {
	list := make([]NamedWindow, 0, len(o.windows))
	for name, w := range o.windows {
		list = append(list, NamedWindow{name, w})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Address < list[j].Address })
	return list
}
