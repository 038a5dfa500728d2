package replication

import (
	"fmt"

	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
)

// Kind says what a message is. Values are part of the protocol.
type Kind uint8

const (
	KindManifest Kind = 1 + iota // follower -> owner: Files, Geometry, Free
	KindCommon                   // owner -> follower: At, Files, Epochs
	KindFetch                    // follower -> owner: At
	KindPages                    // owner -> follower: Pages
	KindCaughtUp                 // owner -> follower: At
	KindSafe                     // owner -> follower: At
	KindAck                      // follower -> owner: At, Free
	KindFiles                    // owner -> follower: Files
	KindProgress                 // follower -> owner: At, Free; durable, but not a whole log yet
)

// Message is one message of the conversation. Which fields count depends on Kind; the others are zero.
type Message struct {
	Kind     Kind
	Epoch    uint32
	At       journal.Position
	Free     int // free slots of the follower's disk
	Geometry datafile.Geometry
	Files    []journal.FileInfo
	Epochs   []journal.EpochPoint // of the owner's log, oldest first: its history, as far back as it knows
	Pages    PageRun
}

// PageRun is a run of whole consecutive pages of one file. On the sender's side Release must be called once when the bytes
// are no longer needed; on the receiver's side Data is valid during the call that takes the message.
type PageRun struct {
	File    datafile.Name
	Kind    datafile.Kind
	Block   uint32 // where it starts
	Live    bool   // from memory as it was sealed, not from a file
	Data    []byte
	Release func()
}

func (k Kind) String() string {
	names := [...]string{"Manifest", "Common", "Fetch", "Pages", "CaughtUp", "Safe", "Ack", "Files", "Progress"}
	if k < KindManifest || int(k) > len(names) {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return names[k-1]
}
