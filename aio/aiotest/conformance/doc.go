// Package conformance is what every aio.Engine and aio.FS must do, as tests that run on each of them: the kernel's
// engines on real files, and the simulated twin, stepped and automatic. What holds here is what the journal may rely on,
// and what makes results from the simulation mean something.
//
// It is for tests only. A Rig says how to make what is tested; Engine and FS run the suites.
package conformance
