// Package libaio drives one context of the older Linux asynchronous I/O by raw system calls: io_setup, io_submit,
// io_getevents, io_destroy. It has the same shape as package uring: prepare, flush, wait.
//
// Invariants: those of package uring, with iocbs in a fixed table that the kernel reads during Flush only.
//
// Start reading at context_linux.go.
package libaio
