// Package journal is the append-only log: the only durable truth of a broker, and a library of its own.
//
// Records are packed into pages, pages into writes, writes go to zero-filled files of fixed size (slots). An open never
// writes into an existing file: it starts a new one, whose first page cuts its predecessor.
//
//	          Append                Flush             Complete
//	host ------------> [ Machine ] -------> engine -----------> Durable, Stable
//	                    pages, liveness,
//	                    checkpoints, space
//
//	Load(fs, dir) -> *Image (read only) -> Activate -> *Driver   (owner: the broker's shard, or Log)
//
// Machine is pure: no goroutine, lock, clock or I/O. Driver adds slots and an engine; it has one owner and no lock. Log is
// the library host: many goroutines, blocking calls, group commit.
//
// It is not a database: it keeps no bodies in memory and knows no keys; its host does. It opens no sockets.
//
// Invariants:
//
//  1. What Durable or Stable passed survives every crash, once and in order. Nothing that was deleted or rolled back, or
//     lay behind a cut, comes back.
//  2. Records of one Append call lie in one page: all of them survive, or none.
//  3. Sealed pages are never written again.
//  4. A page's stable is never beyond what is durable on every recorded member; no page ends more than Window blocks
//     beyond what is durable on this disk.
//  5. Damage is reported, never skipped; a torn tail is cut and reported.
//  6. A failed write is final: Err stays set, nothing more becomes durable.
//  7. From any full state, deletes alone drain the journal to empty.
//  8. Load writes nothing.
//
// Start reading at types.go, then machine.go, load.go and docs/journal-format.md.
package journal
