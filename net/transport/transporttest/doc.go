// Package transporttest is a network without sockets, goroutines or clocks: a Transport for simulations. A seed and
// the sequence of calls decide everything that happens.
//
// Machines have names; a process on a machine (Boot) is a transport.Transport whose addresses are "machine:port".
// Nothing is ever called back from within a call: callbacks run only in Step and Run, in the order of virtual time,
// except in Host.Close, which ends everything before it returns.
//
// What it models: per direction of each pair of machines a delay drawn from a range; FIFO within a connection, any
// order between connections; cuts of one direction (bytes wait, as retransmission would have it, until the cut is
// healed or somebody gives up), partitions, resets; bounded kernel buffers, so that a peer that does not read pushes
// back; bytes arriving in pieces down to single ones; a killed process (its kernel closes the connections and
// refuses new ones), a stopped one (its kernel still accepts), a machine without power (silence, and resets for old
// connections once it is back). Time-outs of transport.Limits run in virtual time.
//
// What it does not: loss within TCP that TCP repairs, bandwidth, corrupted bytes, more than one process per machine.
//
// Nothing here may be used from two goroutines at once.
package transporttest
