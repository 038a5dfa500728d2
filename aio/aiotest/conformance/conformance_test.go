package conformance_test

import (
	"testing"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/aio/aiotest/conformance"
)

// simulated makes a rig of the simulated twin.
func simulated(auto bool, seed uint64) func(t *testing.T) *conformance.Rig {
	return func(t *testing.T) *conformance.Rig {
		d := aiotest.NewDisk(aiotest.Options{Seed: seed})
		p := d.Process("one")
		r := &conformance.Rig{FS: p, Dir: "/dir", Other: d.Process("two")}
		if err := p.MkdirAll(r.Dir); err != nil {
			t.Fatal(err)
		}
		r.Engine = func(t *testing.T, depth int) aio.Engine {
			return p.Engine(aiotest.EngineOptions{Auto: auto, Depth: depth})
		}
		if !auto {
			r.Step = d.Step
		}
		r.Fail = func(t *testing.T, name string, how conformance.Failure) func() {
			rule := aiotest.Rule{Name: name, Times: 1}
			if how == conformance.FailShort {
				rule.Kind = aiotest.FaultShort
			}
			return d.Inject(rule).Remove
		}
		r.Hang = func(t *testing.T) func() {
			return d.Inject(aiotest.Rule{Kind: aiotest.FaultHang, Times: 1}).Release
		}
		return r
	}
}

func TestSimulatedStepped(t *testing.T) {
	for seed := range uint64(20) {
		conformance.Engine(t, simulated(false, seed))
		conformance.FS(t, simulated(false, seed))
	}
}

func TestSimulatedAuto(t *testing.T) {
	for seed := range uint64(10) {
		conformance.Engine(t, simulated(true, seed))
	}
}
