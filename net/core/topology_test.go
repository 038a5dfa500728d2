package core

import (
	"slices"
	"testing"
)

func TestBoard(t *testing.T) {
	var b Board
	var told []string
	note := func(who string) func(Snapshot) {
		return func(s Snapshot) { told = append(told, who+s.Members[0].NodeID) }
	}
	cancelA := b.Subscribe(note("a"))
	b.Subscribe(note("b"))
	members := []Member{{NodeID: "1", EventUID: 5}}
	b.Publish(Snapshot{Members: members, Gone: []Member{{NodeID: "0"}}})
	members[0].NodeID = "changed by its owner"
	if s := b.Snapshot(); len(s.Gone) != 0 || s.Members[0].NodeID != "1" {
		t.Errorf("snapshot %+v", s)
	}
	cancelA()
	cancelA()
	b.Publish(Snapshot{Members: []Member{{NodeID: "2"}}})
	if want := []string{"a1", "b1", "b2"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}
