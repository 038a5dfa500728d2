package aio_test

import (
	"os"
	"os/signal"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest/conformance"
)

// limitFileSize makes every write at or beyond size fail with EFBIG, and one across it short, until heal is called: a
// failure by the real kernel, on every engine, as root too. The limit is the process', so tests that use it do not run
// in parallel.
func limitFileSize(t *testing.T, size uint64) (heal func()) {
	t.Helper()
	signal.Ignore(unix.SIGXFSZ)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	healed := false
	heal = func() {
		if !healed {
			healed = true
			if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Cleanup(heal)
	return heal
}

// kernelRig makes a rig of a real engine on real files in dir ("": a temporary directory).
func kernelRig(engine string, opts aio.OSOptions, dir string) func(t *testing.T) *conformance.Rig {
	return func(t *testing.T) *conformance.Rig {
		base, err := os.MkdirTemp(dir, "conformance")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := os.RemoveAll(base); err != nil {
				t.Error(err)
			}
		})
		return &conformance.Rig{
			FS: aio.NewOS(opts), Dir: base, Other: aio.NewOS(opts),
			Engine: func(t *testing.T, depth int) aio.Engine {
				e, err := aio.OpenEngine(engine, aio.EngineOptions{Depth: depth, AllowVolatile: true})
				if err != nil {
					t.Fatal(err)
				}
				return e
			},
			Fail: func(t *testing.T, name string, _ conformance.Failure) func() {
				st, err := os.Stat(name)
				if err != nil {
					t.Fatal(err)
				}
				return limitFileSize(t, uint64(st.Size()/2))
			},
		}
	}
}

// TestEngines runs the suite on each durable engine with each way of syncing, direct and buffered.
func TestEngines(t *testing.T) {
	for _, engine := range []string{aio.EnginePwrite, aio.EngineUring, aio.EngineLibaio} {
		for _, m := range []struct {
			name string
			opts aio.OSOptions
		}{
			{"DirectDSync", aio.OSOptions{}},
			{"DirectFdatasync", aio.OSOptions{Sync: aio.SyncFdatasync}},
			{"Buffered", aio.OSOptions{Buffered: true}},
		} {
			t.Run(engine+"/"+m.name, func(t *testing.T) { conformance.Engine(t, kernelRig(engine, m.opts, "")) })
		}
	}
}

// TestMappedEngine runs the parts that do not need a failing disk: a mapping does not know the limit of file sizes.
func TestMappedEngine(t *testing.T) {
	rig := kernelRig(aio.EngineMapped, aio.OSOptions{Buffered: true}, "")
	conformance.Engine(t, func(t *testing.T) *conformance.Rig {
		r := rig(t)
		r.Fail = nil
		return r
	})
}

func TestOSIsConformant(t *testing.T) {
	for _, opts := range []aio.OSOptions{{}, {Sync: aio.SyncFdatasync}, {Buffered: true}} {
		conformance.FS(t, kernelRig(aio.EnginePwrite, opts, ""))
	}
}
