package replication

import (
	"reflect"
	"testing"

	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
)

func point(epoch uint32, file, block, name, salt uint64) journal.EpochPoint {
	return journal.EpochPoint{Epoch: epoch, Incarnation: epoch + 1, Start: journal.Position{File: file, Block: uint32(block)},
		File: datafile.Name{ID: name, Salt: salt}}
}

func logFile(epoch uint32, id, salt uint64, end uint32) journal.FileInfo {
	f := journal.FileInfo{Name: datafile.Name{ID: id, Salt: salt}, Kind: datafile.Log, Epoch: epoch, Incarnation: epoch + 1, End: end}
	if id > 1 {
		f.Pred = datafile.Link{Name: datafile.Name{ID: id - 1}, End: 94}
	}
	return f
}

// A follower whose files the owner has retired since: what both had is told from what only the follower has.
func TestHistory(t *testing.T) {
	owner := []journal.EpochPoint{point(1, 0, 0, 1, 11), point(4, 5, 94, 6, 66), point(5, 7, 10, 8, 88), point(6, 9, 3, 10, 100)}
	files := []journal.FileInfo{logFile(1, 1, 11, 200), logFile(4, 6, 66, 300), logFile(4, 7, 77, 12)}
	for _, x := range []struct {
		name     string
		follower []journal.EpochPoint
		at       journal.Position
		want     bool
	}{
		{"in the file of the epoch's beginning", owner[:2], journal.Position{File: 6, Block: 1}, true},
		{"where the owner left the epoch", owner[:2], journal.Position{File: 7, Block: 10}, true},
		{"beyond it", owner[:2], journal.Position{File: 7, Block: 12}, false},
		{"the epoch before", owner[:2], journal.Position{File: 1, Block: 200}, true},
		{"in a file that the follower retired too", owner[:2], journal.Position{File: 5, Block: 94}, true},
		{"received and not applied yet", received(owner[:1], files), journal.Position{File: 7, Block: 10}, true},
		{"an epoch of the same number from another hand", []journal.EpochPoint{owner[0], point(4, 5, 94, 6, 67)}, journal.Position{File: 6, Block: 1}, false},
		{"an epoch that the owner never heard of", []journal.EpochPoint{point(3, 5, 94, 6, 66)}, journal.Position{File: 6, Block: 1}, false},
		{"before all that is known", owner[1:2], journal.Position{File: 1, Block: 5}, false},
		{"the owner's present epoch", owner[3:], journal.Position{File: 10, Block: 50}, true},
	} {
		h := history{owner: owner, follower: x.follower}
		if got := h.has(x.at); got != x.want {
			t.Errorf("%s: %t", x.name, got)
		}
	}
	if (&history{follower: owner}).has(journal.Position{File: 6, Block: 1}) {
		t.Error("an owner without a table has everything")
	}
	// The first file that is left need not be the one with which its epoch began.
	if got := received(nil, files[2:]); len(got) != 0 {
		t.Errorf("without a table: %v", got)
	}
	if got := received(owner[:1], files[1:]); len(got) != 1 {
		t.Errorf("an epoch whose beginning may be gone: %v", got)
	}
}

func TestEpochsTravel(t *testing.T) {
	m := Message{Kind: KindCommon, Epoch: 7, Files: []journal.FileInfo{{Name: datafile.Name{ID: 6, Salt: 66}, Kind: datafile.Log, End: 4}},
		Epochs: []journal.EpochPoint{point(1, 0, 0, 1, 11), point(4, 5, 94, 6, 66)}}
	got, err := DecodeMessage(AppendMessage(nil, &m), nil)
	if err != nil || !reflect.DeepEqual(got.Epochs, m.Epochs) || len(got.Files) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	many := Message{Kind: KindCommon, Epochs: make([]journal.EpochPoint, EpochsMax+3)}
	for k := range many.Epochs {
		many.Epochs[k] = point(uint32(k), 1, 1, 1, 1)
	}
	if got, err = DecodeMessage(AppendMessage(nil, &many), nil); err != nil || len(got.Epochs) != EpochsMax || got.Epochs[0].Epoch != 3 {
		t.Errorf("of too many the newest: %d, %v", len(got.Epochs), err)
	}
	other := Message{Kind: KindFetch, Epochs: m.Epochs}
	if _, err = DecodeMessage(AppendMessage(nil, &other), nil); err == nil {
		t.Error("epochs in a message that has none")
	}
}

// An acknowledgement may overtake the Fetch before it on the pair port; it is not lost, and it may not go too far.
func TestAcknowledgementOvertakesFetch(t *testing.T) {
	pool := newPool(t)
	a, b := newBroker(t, "a", tiny(), pool, 1), newBroker(t, "b", tiny(), pool, 2)
	a.own(1)
	a.settle()
	b.follow()
	s := NewSender(a.d, 1, SenderOptions{})
	defer s.Close()
	if err := s.Receive(Message{Kind: KindManifest, Epoch: 1, Geometry: b.f.Geometry(), Files: a.d.Files()}); err != nil {
		t.Fatal(err)
	}
	common, ok, err := s.Next()
	if err != nil || !ok || common.Kind != KindCommon || common.At == (journal.Position{}) {
		t.Fatalf("%+v %t %v", common, ok, err)
	}
	beyond := common.At
	beyond.Block++
	if err := s.Receive(Message{Kind: KindAck, Epoch: 1, At: beyond}); err == nil {
		t.Error("acknowledged what was not sent")
	}
	if err := s.Receive(Message{Kind: KindAck, Epoch: 1, At: common.At, Free: 3}); err != nil {
		t.Fatal(err)
	}
	if err := s.Receive(Message{Kind: KindFetch, Epoch: 1, At: common.At}); err != nil {
		t.Fatal(err)
	}
	if s.Acked() != common.At || s.PeerFree() != 3 {
		t.Errorf("acknowledged %v with %d free slots", s.Acked(), s.PeerFree())
	}
}
