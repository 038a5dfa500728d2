package ha

import (
	"testing"
	"time"
)

// A tail that is the owner's history too is copied again, whatever it holds; one that is only here is not.
func TestKnownTail(t *testing.T) {
	alone := RoleRecord{Kind: RecordAlone, Epoch: 4, Count: 1, NodeID: NodeID{1}, Members: [membersMax]Member{{"a", Instance{1}}}}
	for _, x := range []struct {
		name string
		tail Tail
		want Role
	}{
		{"nothing to cut", Tail{Below: alone}, RoleJoining},
		{"an own alone record only here", Tail{Cut: true, Alone: true}, RoleFenced},
		{"written under an own alone record", Tail{Cut: true, Below: alone}, RoleFenced},
		{"forced in between", Tail{Cut: true}, RoleFenced},
		{"all of it is known to the owner", Tail{Cut: true, Known: true, Alone: true, Below: alone}, RoleJoining},
	} {
		cfg := DefaultConfig()
		cfg.NewNodeID, cfg.Peers = NodeID{1}, []string{"b"}
		m := New(time.Second, cfg, Identity{Name: "a", Instance: Instance{1}}, LocalState{})
		m.Step(time.Second, Loaded{})
		m.role, m.epoch = RoleJoining, 5
		m.up = following{phase: phaseFollowing, link: 3, forces: 1, heardAt: time.Second}
		if m.Step(time.Second, TailChecked{3, x.tail}); m.role != x.want {
			t.Errorf("%s: %v", x.name, m.role)
		}
	}
	// Whoever is in sync holds nothing that may be cut.
	m := New(time.Second, Config{Lease: time.Second, HeartbeatEvery: time.Second / 8, Peers: []string{"b"}}, Identity{Name: "a", Instance: Instance{1}}, LocalState{})
	m.role, m.epoch = RoleStandby, 5
	m.up = following{phase: phaseFollowing, link: 3, heardAt: time.Second}
	if m.Step(time.Second, TailChecked{3, Tail{Cut: true, Known: true}}); m.role != RoleAsking {
		t.Errorf("a standby is cut and stays one: %v", m.role)
	}
}
