package aiotest_test

import (
	"bytes"
	"testing"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
)

// setup makes a disk with one file of 64 KiB, opened for writing, and an engine that collects its completions.
type setup struct {
	disk    *aiotest.Disk
	process *aiotest.Process
	file    aio.File
	engine  *aiotest.Engine
	done    []aio.Completion
}

func newSetup(t testing.TB, opts aiotest.Options) *setup {
	t.Helper()
	s := &setup{disk: aiotest.NewDisk(opts)}
	s.process = s.disk.Process("one")
	s.open(t)
	return s
}

func (s *setup) open(t testing.TB) {
	t.Helper()
	if err := s.process.MkdirAll("/j"); err != nil {
		t.Fatal(err)
	}
	if err := s.process.Create("/j/a", 64<<10, nil); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.file, err = s.process.Open("/j/a", aio.ReadWrite); err != nil {
		t.Fatal(err)
	}
	s.engine = s.process.Engine(aiotest.EngineOptions{})
	s.engine.Start(func(c []aio.Completion) { s.done = append(s.done, c...) })
}

func (s *setup) write(t testing.TB, tag uint64, p []byte, off int64) {
	t.Helper()
	if err := s.engine.Submit(aio.Op{Kind: aio.OpWrite, File: s.file, Data: p, Off: off, Tag: tag}); err != nil {
		t.Fatal(err)
	}
}

// page is an aligned buffer of n bytes b.
func page(t testing.TB, n int, b byte) []byte {
	t.Helper()
	p := alignedBytes(n)
	for i := range p {
		p[i] = b
	}
	return p
}

func (s *setup) bytes(t testing.TB, d *aiotest.Disk) []byte {
	t.Helper()
	p, ok := d.Bytes("/j/a")
	if !ok {
		t.Fatal("/j/a is gone")
	}
	return p
}

func TestCrashKeepsCompletedWritesAndTearsOthers(t *testing.T) {
	s := newSetup(t, aiotest.Options{Seed: 1})
	s.write(t, 1, page(t, 4096, 'a'), 0)
	s.disk.Run()
	s.write(t, 2, page(t, 4096, 'b'), 4096)
	var none, some, all int
	for seed := range uint64(200) {
		p := s.bytes(t, s.disk.CrashWith(aiotest.CrashOptions{Seed: seed, Keep: int(seed % 101)}))
		if !bytes.Equal(p[:4096], bytes.Repeat([]byte{'a'}, 4096)) {
			t.Fatal("a completed write is damaged")
		}
		kept := 0
		for i := 4096; i < 8192; i += aiotest.SectorSize {
			switch sector := p[i : i+aiotest.SectorSize]; {
			case bytes.Count(sector, []byte{'b'}) == len(sector):
				kept++
			case bytes.Count(sector, []byte{0}) != len(sector):
				t.Fatal("a sector is torn within")
			}
		}
		switch kept {
		case 0:
			none++
		case 8:
			all++
		default:
			some++
		}
	}
	if none == 0 || some == 0 || all == 0 {
		t.Errorf("200 crashes kept none %d, some %d, all %d times: want each", none, some, all)
	}
	if len(s.done) != 1 || !bytes.Equal(s.bytes(t, s.disk)[4096:8192], make([]byte, 4096)) {
		t.Error("making images disturbed the original")
	}
}
