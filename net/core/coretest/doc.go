// Package coretest runs a whole broker in the process of a test: sockets, protocol, sessions and shard are the real ones,
// the journal is in memory and forgets with the process. The Go client and foreign clients are tested against it.
//
// It is not for production: nothing is durable, there is no backup.
package coretest
