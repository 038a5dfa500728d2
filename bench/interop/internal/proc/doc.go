// Package proc starts child processes that cannot outlive the harness: each has a process group of its own, is killed
// by the kernel when the harness dies, and by Supervisor.Close when it ends.
//
// It knows nothing of brokers or clients. Start with Supervisor.Start.
//
// Invariants:
//  1. A child is started from one operating-system thread that lives as long as the Supervisor: the kernel's
//     parent-death signal is tied to that thread, not to the process.
//  2. Every signal goes to the child's whole group; nothing is ever killed by name.
//  3. Every output line is written to the child's log file and handed to its Lines function, in order.
package proc
