package aio_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/hindmq/hind/aio"
)

// BenchmarkEngines keeps depth durable writes in flight on a file that is whole and was written before: what a journal
// does in a recycled slot. Compare with fio --direct=1 --overwrite=1 --sync=dsync on the same file system, in the same
// minute.
func BenchmarkEngines(b *testing.B) {
	for _, sync := range []aio.SyncMethod{aio.SyncDSync, aio.SyncFdatasync} {
		for _, size := range []int{4 << 10, 64 << 10} {
			for _, depth := range []int{1, 4, 16} {
				for _, engine := range []string{aio.EnginePwrite, aio.EngineUring, aio.EngineLibaio} {
					name := fmt.Sprintf("%s/%dKiB/depth%d/%s", sync, size>>10, depth, engine)
					b.Run(name, func(b *testing.B) { benchmarkEngine(b, engine, aio.OSOptions{Sync: sync}, size, depth) })
				}
			}
		}
	}
}

// BenchmarkWriteAt is the anchor: the same durable write by the caller itself, no engine and no goroutine between.
func BenchmarkWriteAt(b *testing.B) {
	for _, sync := range []aio.SyncMethod{aio.SyncDSync, aio.SyncFdatasync} {
		b.Run(sync.String()+"/4KiB", func(b *testing.B) {
			fs, name := aio.NewOS(aio.OSOptions{Sync: sync}), filepath.Join(b.TempDir(), "slot")
			const fileSize = 32 << 20
			if err := fs.Create(name, fileSize, nil); err != nil {
				b.Fatal(err)
			}
			f, err := fs.Open(name, aio.ReadWrite)
			if err != nil {
				b.Fatal(err)
			}
			pool, err := aio.NewPool(aio.PoolOptions{Size: 4096, Count: 1})
			if err != nil {
				b.Fatal(err)
			}
			page := pool.TryGet()
			off := int64(0)
			for b.Loop() {
				if _, err := f.WriteAt(page.Bytes(), off); err != nil {
					b.Fatal(err)
				}
				off = (off + 4096) % fileSize
			}
			page.Release()
			for _, err := range []error{f.Close(), pool.Close()} {
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchmarkEngine(b *testing.B, engine string, opts aio.OSOptions, size, depth int) {
	fs := aio.NewOS(opts)
	name := filepath.Join(b.TempDir(), "slot")
	const fileSize = 32 << 20
	if err := fs.Create(name, fileSize, nil); err != nil {
		b.Fatal(err)
	}
	f, err := fs.Open(name, aio.ReadWrite)
	if err != nil {
		b.Fatal(err)
	}
	e, err := aio.OpenEngine(engine, aio.EngineOptions{Depth: depth})
	if err != nil {
		b.Fatal(err)
	}
	pool, err := aio.NewPool(aio.PoolOptions{Size: size, Count: 1})
	if err != nil {
		b.Fatal(err)
	}
	page := pool.TryGet()
	done := make(chan error, depth)
	e.Start(func(c []aio.Completion) {
		for _, x := range c {
			done <- x.Err
		}
	})
	op := []aio.Op{{Kind: aio.OpWrite, File: f, Data: page.Bytes()}}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N+depth; i++ {
		if i >= depth {
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		}
		if i < b.N {
			op[0].Off = int64(i) * int64(size) % fileSize
			if err := e.Submit(op...); err != nil {
				b.Fatal(err)
			}
		} else if i < depth {
			done <- nil
		}
	}
	b.StopTimer()
	page.Release()
	for _, err := range []error{e.Close(), f.Close(), pool.Close()} {
		if err != nil {
			b.Fatal(err)
		}
	}
}
