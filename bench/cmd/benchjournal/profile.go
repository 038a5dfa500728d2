package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

const blockRate = 10_000 // nanoseconds of waiting for one sample

// startProfiles begins the profiles of one measurement, if profiles are asked for; stop writes NAME.cpu, NAME.heap and
// NAME.block. A later round replaces those of an earlier one. The block profile is of the whole process so far.
func (p plan) startProfiles(name string) (stop func() error, err error) {
	if p.profiles == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(filepath.Join(p.profiles, name+".cpu"))
	if err != nil {
		return nil, err
	}
	runtime.SetBlockProfileRate(blockRate)
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		runtime.SetBlockProfileRate(0)
		err := f.Close()
		for _, kind := range []string{"heap", "block"} {
			err = errors.Join(err, writeProfile(kind, filepath.Join(p.profiles, name+"."+kind)))
		}
		return err
	}, nil
}

func writeProfile(kind, name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup(kind).WriteTo(f, 0), f.Close())
}
