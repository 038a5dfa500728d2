package aiotest

import (
	"io"
	"slices"
	"syscall"
	"time"
)

// CallKind is what a process asked of the disk.
type CallKind uint16

// The kinds are bits, so that a Rule can name several.
const (
	CallWrite CallKind = 1 << iota
	CallRead
	CallSync // also the sync inside Create
	CallSyncDir
	CallMkdir
	CallList
	CallCreate // the temporary file is made
	CallFill   // one MiB of zeros
	CallRename // the file appears under its name
	CallOpen
	CallRemove
	CallLock

	CallAny CallKind = 1<<iota - 1
)

func (k CallKind) String() string {
	names := [...]string{"write", "read", "sync", "sync directory", "mkdir", "list", "create", "fill", "rename", "open",
		"remove", "lock"}
	for i, s := range names {
		if k == 1<<i {
			return s
		}
	}
	return "call"
}

// Call is one thing that a process asked for. Operations of an engine are calls when they are submitted.
type Call struct {
	Kind    CallKind
	Name    string // file or directory
	Off     int64
	Process string
	Number  uint64 // counts the calls of the disk from 1
}

// FaultKind is what a rule does to the call it meets.
type FaultKind uint8

const (
	FaultFail      FaultKind = iota // Err is returned; a write leaves nothing on the disk
	FaultTorn                       // a random subset of the write's sectors lands, Err is returned
	FaultShort                      // a prefix of whole sectors lands; the error is io.ErrShortWrite
	FaultLost                       // reported as done, nothing was written (or synced)
	FaultMisdirect                  // reported as done, the bytes landed at another aligned place of the same file
	FaultFlip                       // one bit of what is written, or of what is read, is turned over
	FaultHang                       // an engine's operation stays in flight until Injection.Release
	FaultDelay                      // an engine's operation takes Delay longer on the clock of Advance
	faultNone
)

// Rule says which calls fail and how.
type Rule struct {
	Kind  FaultKind
	Calls CallKind      // 0: CallWrite
	Name  string        // full name of the file; "": every file
	Skip  int           // so many matching calls pass first
	Times int           // 0: for ever
	Prob  float64       // 0: always
	Err   error         // nil: EIO
	Delay time.Duration // of FaultDelay
}

// Injection is a rule in force.
type Injection struct {
	disk    *Disk
	rule    Rule
	seen    int
	fired   int
	removed bool
}

// Inject puts a rule in force. Of several that match a call the first one injected decides.
func (d *Disk) Inject(r Rule) *Injection {
	if r.Calls == 0 {
		r.Calls = CallWrite
	}
	if r.Err == nil {
		r.Err = syscall.EIO
	}
	if r.Name != "" {
		r.Name = clean(r.Name)
	}
	i := &Injection{disk: d, rule: r}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rules = append(d.rules, i)
	return i
}

// FailCall fails the call number k (from 0, counted from now on) of any kind with err, and all later ones if forever is
// set. A sweep raises k until Fired stays 0.
func (d *Disk) FailCall(k int, err error, forever bool) *Injection {
	r := Rule{Calls: CallAny, Skip: k, Times: 1, Err: err}
	if forever {
		r.Times = 0
	}
	return d.Inject(r)
}

// Fired counts the calls that the rule changed.
func (i *Injection) Fired() int {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	return i.fired
}

// Remove ends the rule; what hangs by it goes on hanging.
func (i *Injection) Remove() {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	i.remove()
}

func (i *Injection) remove() {
	i.removed = true
	i.disk.rules = slices.DeleteFunc(i.disk.rules, func(x *Injection) bool { return x == i })
}

// Release ends the rule and lets what hangs by it complete.
func (i *Injection) Release() {
	i.disk.mu.Lock()
	i.remove()
	for _, f := range i.disk.flights {
		if f.hungBy == i {
			f.hungBy = nil
			f.due = i.disk.now
			if f.engine != nil {
				f.engine.wake()
			}
		}
	}
	i.disk.mu.Unlock()
}

// OnCall sets a function that sees every call before it takes effect. It runs without a lock, on the goroutine of the
// caller: it may make a Crash of the disk, which is how a crash between two steps of Create is tried.
func (d *Disk) OnCall(hook func(Call)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hook = hook
}

// Calls counts the calls so far.
func (d *Disk) Calls() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// fault is what the rules decided for one call.
type fault struct {
	kind  FaultKind
	err   error
	delay time.Duration
	by    *Injection
}

// call counts a call, shows it to the hook and asks the rules. The lock is not held.
func (d *Disk) call(c Call) fault {
	d.mu.Lock()
	d.calls++
	c.Number = d.calls
	hook := d.hook
	d.mu.Unlock()
	if hook != nil {
		hook(c)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.decide(c)
}

func (d *Disk) decide(c Call) fault {
	for _, i := range d.rules {
		r := &i.rule
		if r.Calls&c.Kind == 0 || (r.Name != "" && r.Name != c.Name) {
			continue
		}
		i.seen++
		if i.seen <= r.Skip || (r.Times > 0 && i.fired >= r.Times) || (r.Prob > 0 && d.rng.Float64() >= r.Prob) {
			continue
		}
		i.fired++
		f := fault{kind: r.Kind, by: i, delay: r.Delay}
		switch r.Kind {
		case FaultFail, FaultTorn:
			f.err = r.Err
		case FaultShort:
			f.err = io.ErrShortWrite
		}
		return f
	}
	return fault{kind: faultNone}
}

// apply does a write as its fault wants it; the lock is held. Bytes that land are durable: what survived the fault
// would survive a power cut at the same moment too.
func (d *Disk) apply(ino int, p []byte, off int64, ft fault) (int, error) {
	n := d.own(ino)
	switch ft.kind {
	case FaultFail:
		return 0, ft.err
	case FaultTorn:
		for i := 0; i < len(p); i += SectorSize {
			if d.rng.IntN(2) == 0 {
				n.putDurable(p[i:min(i+SectorSize, len(p))], off+int64(i))
			}
		}
		return 0, ft.err
	case FaultShort:
		k := d.rng.IntN((len(p)+SectorSize-1)/SectorSize) * SectorSize
		n.putDurable(p[:k], off)
		return k, ft.err
	case FaultLost:
		return len(p), nil
	case FaultMisdirect:
		n.putDurable(p, d.elsewhere(n.size, int64(len(p)), off))
		return len(p), nil
	case FaultFlip:
		q := slices.Clone(p)
		q[d.rng.IntN(len(q))] ^= 1 << d.rng.IntN(8)
		n.putDurable(q, off)
		return len(p), nil
	}
	n.putDurable(p, off)
	return len(p), nil
}

// elsewhere is an aligned offset other than off, if the file has one.
func (d *Disk) elsewhere(size, length, off int64) int64 {
	a := int64(d.opts.Align)
	places := (size-length)/a + 1
	if places < 2 {
		return off
	}
	at := d.rng.Int64N(places-1) * a
	if at >= off/a*a {
		at += a
	}
	return min(at, size-length)
}
