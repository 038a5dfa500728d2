// Package inspect looks at a journal without changing it: what it holds, and whether every byte that counts is right. It
// takes no lock and may run beside the process that writes.
//
// It decides nothing: what the log is says package journal. It repairs nothing.
//
// Start reading at inspect.go.
package inspect
