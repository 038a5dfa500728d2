package ha

import (
	"encoding/hex"
	"fmt"
)

// NodeID names what the pair serves; both brokers of a pair share it. The zero NodeID is none yet.
type NodeID [16]byte

// IsZero says that there is no node id yet.
func (id NodeID) IsZero() bool { return id == NodeID{} }

func (id NodeID) String() string { return shortHex(id[:]) }

// Instance names one journal directory for its life: random, made with the empty directory, never replicated. A disk
// that was wiped or replaced has another one. The zero Instance is none.
type Instance [16]byte

// IsZero says that no journal is named.
func (i Instance) IsZero() bool { return i == Instance{} }

func (i Instance) String() string { return shortHex(i[:]) }

// shortHex prints ids for people; trailing zero bytes are left out so that test ids stay readable.
func shortHex(b []byte) string {
	n := len(b)
	for n > 1 && b[n-1] == 0 {
		n--
	}
	return hex.EncodeToString(b[:n])
}

// Process numbers the processes that have held one journal instance, counted up durably with each start: of two
// processes of one instance the one with the higher number is the newer.
type Process uint64

// Link names a connection of the pair port within this process. The node chooses the numbers and never uses one twice.
type Link uint64

// noLink is no connection.
const noLink Link = 0

// Peer is an index into Config.Peers: a place where another broker of the pair may be reached.
type Peer int

// Accepted is the Peer of a connection that this broker did not dial: its first word says whose it is.
const Accepted Peer = -1

// NameMax is the longest broker name in bytes that records and words carry.
const NameMax = 255

// Identity is who speaks on a connection.
type Identity struct {
	Name     string // broker name, for people; at most NameMax bytes
	Instance Instance
	Process  Process
	Primary  bool // configured as primary
}

func (id Identity) String() string { return fmt.Sprintf("%s#%d", id.Name, id.Process) }

// sameProcess says whether both are one process.
func (id Identity) sameProcess(o Identity) bool {
	return id.Instance == o.Instance && id.Process == o.Process && id.Process != 0
}
