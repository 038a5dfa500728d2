// Package worker drives the Java probes: the load that lives through faults, the gap probe, the rate probe and the flows.
//
// A worker writes events on its standard output, takes commands on its standard input and ends when that closes. Load
// keeps the whole history, with the harness's own events (faults) among the worker's, for history.Check. Start with
// worker.go.
package worker
