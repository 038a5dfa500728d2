package broker

import (
	"context"

	"github.com/hindmq/hind/broker/ha"
	"github.com/hindmq/hind/journal"
)

// Status is what a broker says of itself to people and probes.
type Status struct {
	Name      string   `json:"name"`
	Role      string   `json:"role"` // of the role machine: Alone, Paired, Standby, ...
	Epoch     uint64   `json:"epoch"`
	NodeID    string   `json:"nodeID"`
	Serving   bool     `json:"serving"` // clients are let in
	Owner     string   `json:"owner"`   // name of the active broker as far as this one knows
	InSync    bool     `json:"inSync"`  // active: a backup is told so; passive: this broker is
	InSyncSet []string `json:"inSyncSet"`
	Peers     []Peer   `json:"peers"`
	LagBytes  int64    `json:"lagBytes"` // log written here and not acknowledged by the backup, about
	Overdue   bool     `json:"overdue"`
	Blocked   string   `json:"blocked"`
	Fenced    string   `json:"fenced"`
	Question  string   `json:"question"`
	Choices   []Choice `json:"choices"`
	Forecast
	Positions

	Journal journal.Stats `json:"journal"`
	Queues  Figures       `json:"messages"`
}

// Forecast is what would happen to clients.
type Forecast struct {
	IfThisFails string `json:"ifThisFails"`
	IfOther     string `json:"ifOtherFails"`
}

// Positions are how far the log has come here.
type Positions struct {
	LogEnd  string `json:"logEnd"`
	Durable string `json:"durable"`
	Stable  string `json:"stable"` // on a passive broker: applied to its memory
}

// Peer is another broker as this one sees it.
type Peer struct {
	Target    string `json:"target"`
	Name      string `json:"name"`
	Connected bool   `json:"connected"`
	InSync    bool   `json:"inSync"`
	Says      string `json:"says"`
}

// Choice is one answer that an operator may give now.
type Choice struct {
	Decision string      `json:"decision"`
	Loses    string      `json:"loses"`
	Word     ha.Decision `json:"-"`
}

// Figures count messages of all queues since this process began to serve.
type Figures struct {
	Queues       int   `json:"queues"`
	Messages     int64 `json:"messages"`
	Added        int64 `json:"added"`
	Acknowledged int64 `json:"acknowledged"`
	Expired      int64 `json:"expired"`
	Killed       int64 `json:"killed"`
	Delivering   int64 `json:"delivering"`
}

// Report asks the node for its status; any goroutine may.
func (n *Node) Report(ctx context.Context) (Status, error) {
	var st Status
	err := n.Query(ctx, func(n *Node) { st = n.status() })
	return st, err
}

func (n *Node) status() Status {
	m := n.machine.Status()
	st := Status{
		Name: m.Name, Role: m.Role.String(), Epoch: m.Epoch, NodeID: m.NodeID.String(), Serving: n.domain.serving, Owner: m.Owner,
		InSyncSet: m.InSyncSet, InSync: m.Role == ha.RoleStandby, Overdue: m.Overdue, Blocked: m.Blocked, Fenced: m.Fenced,
		Forecast: Forecast{m.IfThisFails, m.IfOther}, Queues: n.figures(),
	}
	for _, p := range m.Peers {
		st.Peers = append(st.Peers, Peer{p.Target, p.Name, p.Connected, p.InSync, p.Says})
		st.InSync = st.InSync || p.InSync
	}
	if q := m.Question; q != nil {
		st.Question = q.Text
		for _, c := range q.Choices {
			st.Choices = append(st.Choices, Choice{c.Decision.String(), c.Loses, c.Decision})
		}
	}
	switch s := &n.store; {
	case s.driver != nil:
		st.Journal = s.driver.Stats()
		st.LogEnd, st.Durable, st.Stable = s.driver.End().String(), s.driver.Durable().String(), s.driver.Stable().String()
		st.LagBytes = n.lag()
	case s.follower != nil:
		st.LogEnd, st.Durable, st.Stable = s.follower.Tip().String(), s.follower.Durable().String(), s.follower.Applied().String()
	case s.image != nil:
		st.LogEnd = s.image.Tip().String()
	}
	return st
}

// lag is how many bytes of log the follower has not acknowledged. Whole files between count with their size.
func (n *Node) lag() int64 {
	out, d := &n.pair.out, n.store.driver
	if out.sender == nil {
		return 0
	}
	g := d.Options().Geometry
	end, acked := d.End(), out.acked
	var blocks int64
	for _, f := range d.Files() {
		switch {
		case f.Name.ID < acked.File || f.Name.ID > end.File:
		case f.Name.ID == end.File && f.Name.ID == acked.File:
			blocks += int64(end.Block) - int64(acked.Block)
		case f.Name.ID == acked.File:
			blocks += int64(f.End) - int64(acked.Block)
		case f.Name.ID == end.File:
			blocks += int64(end.Block)
		default:
			blocks += int64(f.End)
		}
	}
	return blocks << g.BlockShift
}

// Metric is one figure for a collector.
type Metric struct {
	Name, Help string
	Value      float64
	Counter    bool
}

// Metrics are the status in figures.
func (st *Status) Metrics() []Metric {
	flag := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	j, q := &st.Journal, &st.Queues
	return []Metric{
		{"active", "1 if this broker serves clients", flag(st.Serving), false},
		{"in_sync", "1 if the pair has a backup in sync", flag(st.InSync), false},
		{"fenced", "1 if this broker serves nobody until an operator acts", flag(st.Fenced != ""), false},
		{"blocked", "1 if confirms wait for the other broker", flag(st.Blocked != ""), false},
		{"epoch", "epoch owned or followed", float64(st.Epoch), false},
		{"replication_lag_bytes", "log that the backup has not acknowledged", float64(st.LagBytes), false},
		{"journal_slots", "slots of the journal", float64(j.Slots), false},
		{"journal_slots_free", "slots that may be written", float64(j.Free), false},
		{"journal_records_live", "records that live", float64(j.Live), false},
		{"journal_records_appended_total", "records appended since the activation", float64(j.Appended), true},
		{"journal_bytes_written_total", "bytes written since the activation, padding included", float64(j.BytesWritten), true},
		{"journal_writes_total", "writes since the activation", float64(j.Writes), true},
		{"journal_writes_in_flight", "writes that the disk has not finished", float64(j.InFlight), false},
		{"journal_checkpoints_total", "checkpoints completed", float64(j.Checkpoints), true},
		{"queues", "queues", float64(q.Queues), false},
		{"messages", "messages in all queues", float64(q.Messages), false},
		{"messages_added_total", "messages added to queues", float64(q.Added), true},
		{"messages_acknowledged_total", "messages acknowledged", float64(q.Acknowledged), true},
		{"messages_expired_total", "messages expired", float64(q.Expired), true},
		{"messages_killed_total", "messages that used up their delivery attempts", float64(q.Killed), true},
		{"messages_delivering", "messages delivered and not acknowledged", float64(q.Delivering), false},
	}
}

func (n *Node) figures() Figures {
	var f Figures
	for _, a := range n.domain.shard.Stats().Addresses {
		for _, q := range a.Queues {
			f.Queues++
			f.Messages += q.Messages
			f.Delivering += q.Delivering
			f.Added += q.Counters.Added
			f.Acknowledged += q.Counters.Acknowledged
			f.Expired += q.Counters.Expired
			f.Killed += q.Counters.Killed
		}
	}
	return f
}
