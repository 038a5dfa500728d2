package conformance

import (
	"context"
	"path"
	"reflect"
	"sync"
	"testing"

	"github.com/hindmq/hind/aio"
)

// Failure is a way in which the disk fails writes.
type Failure uint8

const (
	// FailHard makes every write of the file's upper half fail and leave nothing.
	FailHard Failure = iota
	// FailShort makes a write across the middle of the file stop there.
	FailShort
)

// Rig is one kind of engine and file system under test.
type Rig struct {
	// FS is the file system; Dir an empty directory on it, absolute.
	FS  aio.FS
	Dir string
	// Engine makes an engine for files of FS.
	Engine func(t *testing.T, depth int) aio.Engine
	// Step completes something if nothing happens by itself; nil if completions come on their own.
	Step func() bool
	// Fail makes the disk fail until heal is called. nil: this rig cannot.
	Fail func(t *testing.T, name string, how Failure) (heal func())
	// Hang makes the next write hang until release is called. nil: this rig cannot.
	Hang func(t *testing.T) (release func())
	// Other is the same tree as another process sees it: for locks. nil: the suite uses FS itself.
	Other aio.FS
}

const (
	fileSize = 256 << 10
	pageSize = aio.BufferAlign
	half     = fileSize / 2
)

// bench is one test's engine with its completions.
type bench struct {
	*Rig
	t      *testing.T
	engine aio.Engine
	file   aio.File
	name   string
	mu     sync.Mutex
	got    []aio.Completion
	came   sync.Cond
	inSink bool
}

// open makes a file and a started engine.
func (r *Rig) open(t *testing.T, depth int) *bench {
	t.Helper()
	b := &bench{Rig: r, t: t, engine: r.Engine(t, depth), name: path.Join(r.Dir, "file")}
	b.came.L = &b.mu
	if err := r.FS.Create(b.name, fileSize, nil); err != nil {
		t.Fatal(err)
	}
	b.file = b.reopen()
	b.engine.Start(b.sink)
	return b
}

func (b *bench) reopen() aio.File {
	b.t.Helper()
	f, err := b.FS.Open(b.name, aio.ReadWrite)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = f.Close() }) // a second close is refused; that is tested elsewhere
	return f
}

// sink collects, and checks that calls never overlap.
func (b *bench) sink(c []aio.Completion) {
	b.mu.Lock()
	if b.inSink {
		b.t.Error("the sink was called while it ran")
	}
	b.inSink = true
	b.mu.Unlock()
	b.mu.Lock()
	b.inSink = false
	b.got = append(b.got, c...)
	b.came.Broadcast()
	b.mu.Unlock()
}

// wait returns the first n completions once they are there, by tag, and fails on a tag that came twice.
func (b *bench) wait(n int) map[uint64]aio.Completion {
	b.t.Helper()
	if b.Step != nil {
		for b.count() < n && b.Step() {
		}
	} else {
		b.mu.Lock()
		for len(b.got) < n {
			b.came.Wait()
		}
		b.mu.Unlock()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.got) != n {
		b.t.Fatalf("%d completions, want %d", len(b.got), n)
	}
	tags := make(map[uint64]aio.Completion, n)
	for _, c := range b.got {
		if _, twice := tags[c.Tag]; twice {
			b.t.Fatalf("tag %d completed twice", c.Tag)
		}
		tags[c.Tag] = c
	}
	return tags
}

func (b *bench) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.got)
}

func (b *bench) submit(ops ...aio.Op) {
	b.t.Helper()
	if err := b.engine.Submit(ops...); err != nil {
		b.t.Fatal(err)
	}
}

// do submits one operation and waits for it; all earlier ones must have been waited for.
func (b *bench) do(op aio.Op) aio.Completion {
	b.t.Helper()
	n := b.count()
	op.Tag = 1<<40 + uint64(n)
	b.submit(op)
	return b.wait(n + 1)[op.Tag]
}

func (b *bench) write(tag uint64, off int64, data []byte) aio.Op {
	return aio.Op{Kind: aio.OpWrite, File: b.file, Data: data, Off: off, Tag: tag}
}

func (b *bench) read(tag uint64, off int64, data []byte) aio.Op {
	return aio.Op{Kind: aio.OpRead, File: b.file, Data: data, Off: off, Tag: tag}
}

// content reads the whole file back, blocking.
func (b *bench) content() []byte {
	b.t.Helper()
	p := buffer(b.t, fileSize, 0xEE)
	if n, err := b.file.ReadAt(p, 0); err != nil || n != len(p) {
		b.t.Fatalf("read back: %d bytes, %v", n, err)
	}
	return p
}

func (b *bench) close() {
	b.t.Helper()
	if err := b.engine.Close(); err != nil {
		b.t.Fatal(err)
	}
	if err := b.file.Close(); err != nil {
		b.t.Fatal(err)
	}
}

// buffer is n aligned bytes, all c. The pool lives as long as the test.
func buffer(t testing.TB, n int, c byte) []byte {
	t.Helper()
	size := (n + aio.BufferAlign - 1) &^ (aio.BufferAlign - 1)
	pool, err := aio.NewPool(aio.PoolOptions{Size: size, Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := pool.Get(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Release()
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	p := b.Bytes()[:n]
	for i := range p {
		p[i] = c
	}
	return p
}

func addressOf(p []byte) uintptr { return reflect.ValueOf(p).Pointer() }
