// Package journal is the append-only log: the only durable truth of a broker, and a library of its own.
package journal
