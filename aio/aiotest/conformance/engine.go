package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/hindmq/hind/aio"
)

// Engine runs everything that an engine must do. fresh makes a new rig for each test.
func Engine(t *testing.T, fresh func(t *testing.T) *Rig) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, r *Rig)
	}{
		{"RoundTrip", roundTrip},
		{"BatchCompletesOnceEach", batchCompletesOnceEach},
		{"ManySubmitters", manySubmitters},
		{"SubmitFromSink", submitFromSink},
		{"ReadAtTheEnd", readAtTheEnd},
		{"Refusals", refusals},
		{"DepthLimit", depthLimit},
		{"CloseDrains", closeDrains},
		{"CloseFileWithOperationsInFlight", closeFileInFlight},
		{"Closed", closedRefuses},
		{"FailedWritePoisons", failedWritePoisons},
		{"ShortWritePoisons", shortWritePoisons},
		{"PoisonStopsWhatIsQueued", poisonStopsQueued},
		{"OldestShowsAHungWrite", oldestShowsHung},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, fresh(t)) })
	}
}

func roundTrip(t *testing.T, r *Rig) {
	b := r.open(t, 8)
	for i, size := range []int{pageSize, 16 << 10, half} {
		off := int64(i) * 3 * pageSize
		data := buffer(t, size, byte('a'+i))
		if c := b.do(b.write(0, off, data)); c.Err != nil || c.N != size {
			t.Fatalf("write of %d: %+v", size, c)
		}
		back := buffer(t, size, 0)
		if c := b.do(b.read(0, off, back)); c.Err != nil || c.N != size || !bytes.Equal(back, data) {
			t.Fatalf("read of %d: %+v, equal %v", size, c, bytes.Equal(back, data))
		}
		if whole := b.content(); !bytes.Equal(whole[off:off+int64(size)], data) {
			t.Fatal("ReadAt sees other bytes than the engine wrote")
		}
	}
	b.close()
}

// batchCompletesOnceEach: order is free, tags come back, neighbours keep their bytes.
func batchCompletesOnceEach(t *testing.T, r *Rig) {
	b := r.open(t, fileSize/pageSize)
	var ops []aio.Op
	for i := range fileSize / pageSize {
		ops = append(ops, b.write(uint64(i), int64(i)*pageSize, buffer(t, pageSize, byte(i))))
	}
	b.submit(ops[:40]...)
	b.submit(ops[40:]...)
	for tag, c := range b.wait(len(ops)) {
		if c.Err != nil || c.N != pageSize {
			t.Errorf("tag %d: %+v", tag, c)
		}
	}
	for i, whole := 0, b.content(); i < len(whole); i++ {
		if whole[i] != byte(i/pageSize) {
			t.Fatalf("byte %d is %d", i, whole[i])
		}
	}
	b.close()
}

func manySubmitters(t *testing.T, r *Rig) {
	const writers, each = 8, 24
	b := r.open(t, writers*each)
	var wg sync.WaitGroup
	for w := range writers {
		data := buffer(t, pageSize, byte('A'+w))
		wg.Go(func() {
			for i := range each {
				if err := b.engine.Submit(b.write(uint64(w*each+i), int64(w)*pageSize, data)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for tag, c := range b.wait(writers * each) {
		if c.Err != nil || c.N != pageSize {
			t.Errorf("tag %d: %+v", tag, c)
		}
	}
	whole := b.content()
	for w := range writers {
		if page := whole[w*pageSize : (w+1)*pageSize]; !bytes.Equal(page, bytes.Repeat([]byte{byte('A' + w)}, pageSize)) {
			t.Errorf("page of writer %d is not whole", w)
		}
	}
	b.close()
}

// submitFromSink: a host seals and submits the next write when one is done, at the depth limit.
func submitFromSink(t *testing.T, r *Rig) {
	const chain = 20
	e := r.Engine(t, 1)
	b := &bench{Rig: r, t: t, engine: e, name: r.Dir + "/file"}
	b.came.L = &b.mu
	if err := r.FS.Create(b.name, fileSize, nil); err != nil {
		t.Fatal(err)
	}
	b.file = b.reopen()
	data := buffer(t, pageSize, 'x')
	e.Start(func(c []aio.Completion) {
		for _, x := range c {
			if x.Err == nil && x.Tag < chain {
				if err := e.Submit(b.write(x.Tag+1, int64(x.Tag)*pageSize, data)); err != nil {
					t.Errorf("submit from the sink: %v", err)
				}
			}
		}
		b.sink(c)
	})
	b.submit(b.write(1, 0, data))
	b.wait(chain)
	b.close()
}

func readAtTheEnd(t *testing.T, r *Rig) {
	b := r.open(t, 4)
	p := buffer(t, 4*pageSize, 1)
	if c := b.do(b.read(0, fileSize-pageSize, p)); !errors.Is(c.Err, io.EOF) || c.N != pageSize {
		t.Errorf("read across the end: %+v", c)
	}
	if c := b.do(b.read(0, fileSize, p)); !errors.Is(c.Err, io.EOF) || c.N != 0 {
		t.Errorf("read beyond the end: %+v", c)
	}
	if n, err := b.file.ReadAt(p, fileSize-pageSize); err != io.EOF || n != pageSize {
		t.Errorf("ReadAt across the end: %d, %v", n, err)
	}
	b.close()
}

func refusals(t *testing.T, r *Rig) {
	b := r.open(t, 4)
	ro, err := r.FS.Open(b.name, aio.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	page := buffer(t, 2*pageSize, 'r')
	good := b.write(1, 0, page[:pageSize])
	for _, c := range []struct {
		name string
		op   aio.Op
		want error
	}{
		{"beyond the end", b.write(2, fileSize, page), aio.ErrOutside},
		{"across the end", b.write(2, fileSize-pageSize, page), aio.ErrOutside},
		{"negative offset", b.write(2, -pageSize, page), aio.ErrOutside},
		{"overflowing offset", b.write(2, 1<<63-pageSize, page), aio.ErrOutside},
		{"no bytes", b.write(2, 0, nil), aio.ErrOutside},
		{"no file", aio.Op{Data: page}, aio.ErrOutside},
		{"file of nobody", aio.Op{Data: page, File: strange{b.file}}, aio.ErrOutside},
		{"read-only file", aio.Op{Data: page, File: ro}, aio.ErrReadOnly},
	} {
		if err := b.engine.Submit(good, c.op); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := ro.WriteAt(page, 0); !errors.Is(err, aio.ErrReadOnly) {
		t.Errorf("WriteAt to a read-only file: %v", err)
	}
	b.unaligned(page)
	if n := b.count(); n != 0 {
		t.Errorf("%d operations of refused batches were run", n)
	}
	if bytes.ContainsRune(b.content(), 'r') {
		t.Error("a refused batch left bytes")
	}
	if c := b.do(good); c.Err != nil { // refusals poison nothing
		t.Error(c.Err)
	}
	if err := ro.Close(); err != nil {
		t.Error(err)
	}
	b.close()
}

// strange is a file that no engine made.
type strange struct{ aio.File }

func (b *bench) unaligned(page []byte) {
	a := b.file.Align()
	if a == 1 {
		return // buffered: nothing to be aligned
	}
	if pageSize%a != 0 || addressOf(page)%uintptr(a) != 0 {
		b.t.Fatalf("a pool's buffer does not suit the alignment %d", a)
	}
	for _, op := range []aio.Op{
		b.write(3, int64(a)/2, page[:pageSize]),
		b.write(3, 0, page[:pageSize-a/2]),
		b.write(3, 0, page[a/2:a/2+pageSize]),
		b.read(3, int64(a)/2, page[:pageSize]),
	} {
		if err := b.engine.Submit(op); !errors.Is(err, aio.ErrUnaligned) {
			b.t.Errorf("offset %d, %d bytes: %v", op.Off, len(op.Data), err)
		}
	}
	if _, err := b.file.WriteAt(page[1:1+pageSize], 0); !errors.Is(err, aio.ErrUnaligned) {
		b.t.Errorf("WriteAt: %v", err)
	}
	if _, err := b.file.ReadAt(page[:1], 0); !errors.Is(err, aio.ErrUnaligned) {
		b.t.Errorf("ReadAt: %v", err)
	}
}

// depthLimit: one more than the depth is refused whole; the limit is free again once completions were delivered.
func depthLimit(t *testing.T, r *Rig) {
	const depth = 4
	b := r.open(t, depth)
	var ops []aio.Op
	for i := range depth + 1 {
		ops = append(ops, b.write(uint64(i), int64(i)*pageSize, buffer(t, pageSize, 'd')))
	}
	if err := b.engine.Submit(ops...); !errors.Is(err, aio.ErrBusy) {
		t.Fatalf("depth %d took %d: %v", depth, len(ops), err)
	}
	for round := range 3 {
		for i := range ops {
			ops[i].Tag += 100
		}
		b.submit(ops[:depth]...)
		b.wait((round + 1) * depth)
	}
	b.close()
}

func closeDrains(t *testing.T, r *Rig) {
	b := r.open(t, 32)
	for i := range 32 {
		b.submit(b.write(uint64(i), int64(i)*pageSize, buffer(t, pageSize, 'c')))
	}
	if err := b.engine.Close(); err != nil {
		t.Fatal(err)
	}
	for tag, c := range b.wait(32) {
		if c.Err != nil || c.N != pageSize {
			t.Errorf("tag %d: %+v", tag, c)
		}
	}
	if n := bytes.Count(b.content(), []byte{'c'}); n != 32*pageSize {
		t.Errorf("%d bytes on disk", n)
	}
}

// closeFileInFlight: closing a file does not pull the descriptor away from under the kernel.
func closeFileInFlight(t *testing.T, r *Rig) {
	b := r.open(t, 32)
	for i := range 32 {
		b.submit(b.write(uint64(i), int64(i)*pageSize, buffer(t, pageSize, 'f')))
	}
	if err := b.file.Close(); err != nil {
		t.Fatal(err)
	}
	for tag, c := range b.wait(32) {
		if c.Err != nil {
			t.Errorf("tag %d: %v", tag, c.Err)
		}
	}
	if err := b.engine.Submit(b.write(99, 0, buffer(t, pageSize, 'g'))); !errors.Is(err, os.ErrClosed) {
		t.Errorf("operation on a closed file: %v", err)
	}
	if err := b.engine.Close(); err != nil {
		t.Fatal(err)
	}
}

func closedRefuses(t *testing.T, r *Rig) {
	b := r.open(t, 4)
	b.close()
	if err := b.engine.Submit(b.write(1, 0, buffer(t, pageSize, 'z'))); !errors.Is(err, aio.ErrClosed) {
		t.Errorf("submit: %v", err)
	}
	if err := b.engine.Close(); !errors.Is(err, aio.ErrClosed) {
		t.Errorf("second close: %v", err)
	}
}

// mustBePoisoned: nothing can make bytes of the file durable any more, by any way; reading goes on.
func (b *bench) mustBePoisoned() {
	b.t.Helper()
	page := buffer(b.t, pageSize, 'p')
	if c := b.do(b.write(0, 0, page)); !errors.Is(c.Err, aio.ErrPoisoned) {
		b.t.Errorf("write after the failure: %v", c.Err)
	}
	if _, err := b.file.WriteAt(page, 0); !errors.Is(err, aio.ErrPoisoned) {
		b.t.Errorf("WriteAt after the failure: %v", err)
	}
	if err := b.file.Sync(); !errors.Is(err, aio.ErrPoisoned) {
		b.t.Errorf("Sync after the failure: %v", err)
	}
	if f, err := b.FS.Open(b.name, aio.ReadWrite); !errors.Is(err, aio.ErrPoisoned) {
		b.t.Errorf("open for writing after the failure: %v, %v", f, err)
	}
	if c := b.do(b.read(0, 0, page)); c.Err != nil || bytes.ContainsRune(page, 'p') {
		b.t.Errorf("read after the failure: %v", c.Err)
	}
}

// failedWritePoisons, also when the disk works again: a later success means nothing.
func failedWritePoisons(t *testing.T, r *Rig) {
	if r.Fail == nil {
		return
	}
	b := r.open(t, 4)
	heal := r.Fail(t, b.name, FailHard)
	c := b.do(b.write(0, half, buffer(t, pageSize, 'q')))
	heal()
	if c.Err == nil || errors.Is(c.Err, aio.ErrPoisoned) {
		t.Fatalf("the failed write: %+v", c)
	}
	if text := c.Err.Error(); !bytes.Contains([]byte(text), []byte(b.name)) || !bytes.Contains([]byte(text), fmt.Append(nil, half)) {
		t.Errorf("the error does not name file and offset: %s", text)
	}
	b.mustBePoisoned()
	if bytes.ContainsRune(b.content(), 'q') {
		t.Error("the failed write left bytes")
	}
	b.close()
}

func shortWritePoisons(t *testing.T, r *Rig) {
	if r.Fail == nil {
		return
	}
	b := r.open(t, 4)
	heal := r.Fail(t, b.name, FailShort)
	c := b.do(b.write(0, half-pageSize, buffer(t, 4*pageSize, 's')))
	heal()
	if !errors.Is(c.Err, io.ErrShortWrite) || c.N >= 4*pageSize {
		t.Fatalf("the short write: %+v", c)
	}
	b.mustBePoisoned()
	b.close()
}

// poisonStopsQueued: operations in flight beside the failing one complete, each with a result, and none that comes
// after the failure is confirmed.
func poisonStopsQueued(t *testing.T, r *Rig) {
	if r.Fail == nil {
		return
	}
	b := r.open(t, 32)
	heal := r.Fail(t, b.name, FailHard)
	b.submit(b.write(0, half, buffer(t, pageSize, 'h')))
	for i := 1; i < 16; i++ {
		b.submit(b.write(uint64(i), int64(i)*pageSize, buffer(t, pageSize, 'h')))
	}
	b.wait(16)
	failed := false
	b.mu.Lock()
	for _, c := range b.got {
		if c.Tag == 0 {
			failed = true
		}
		if failed && c.Err == nil {
			t.Errorf("write %d was confirmed after the failure was reported", c.Tag)
		}
	}
	b.mu.Unlock()
	heal()
	b.mustBePoisoned()
	b.close()
}

func oldestShowsHung(t *testing.T, r *Rig) {
	idle := r.Engine(t, 1)
	w, ok := idle.(aio.Watched)
	if !ok {
		t.Fatal("the engine does not say what is in flight")
	}
	idle.Start(func([]aio.Completion) {})
	if _, some := w.Oldest(); some || w.InFlight() != 0 {
		t.Error("a new engine has operations in flight")
	}
	if err := idle.Close(); err != nil {
		t.Error(err)
	}
	if r.Hang == nil {
		return
	}
	b := r.open(t, 4)
	release := r.Hang(t)
	op := b.write(7, 0, buffer(t, pageSize, 'o'))
	op.At = 5 * time.Second
	b.submit(op)
	op.Tag, op.At, op.Off = 8, 9*time.Second, pageSize
	b.submit(op)
	b.wait(1)
	watched := b.engine.(aio.Watched)
	if o, ok := watched.Oldest(); !ok || o.Tag != 7 || o.At != 5*time.Second || watched.InFlight() != 1 {
		t.Errorf("oldest %d at %v, %v; %d in flight", o.Tag, o.At, ok, watched.InFlight())
	}
	release()
	b.wait(2)
	if _, some := watched.Oldest(); some {
		t.Error("nothing should be in flight")
	}
	b.close()
}
