package broker

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// Pair is a primary and its backup.
type Pair struct {
	Nodes    [2]*Node // as configured: primary, backup
	Failback bool     // the primary takes its role back when it returns
}

// NewPair prepares both brokers below dir.
func NewPair(ctx context.Context, r Rig, dir string) (*Pair, error) {
	p := &Pair{Failback: r.Config.Failback}
	for i, name := range []string{"primary", "backup"} {
		n, err := newNode(r, name, filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		p.Nodes[i] = n
	}
	for i, n := range p.Nodes {
		xml, err := r.Config.pair(n.Name, n.Port, p.Nodes[1-i].Port)
		if err != nil {
			return nil, err
		}
		if err := r.Brand.Prepare(ctx, n, xml); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// NewSingle prepares one broker in dir.
func NewSingle(ctx context.Context, r Rig, dir string) (*Node, error) {
	n, err := newNode(r, "single", dir)
	if err != nil {
		return nil, err
	}
	xml, err := r.Config.single(n.Port)
	if err != nil {
		return nil, err
	}
	return n, r.Brand.Prepare(ctx, n, xml)
}

// Start founds the pair: the primary first, then the backup, and waits until they are in sync.
func (p *Pair) Start(ctx context.Context) error {
	if err := p.Nodes[0].Start(); err != nil {
		return err
	}
	if p.Nodes[0].brand.FoundsAlone() {
		if err := p.Nodes[0].AwaitActive(ctx); err != nil {
			return err
		}
	}
	if err := p.Nodes[1].Start(); err != nil {
		return err
	}
	_, _, err := p.AwaitPaired(ctx)
	return err
}

// AwaitPaired waits until one broker is active and the other in sync, with the roles that the configuration wants in the
// end, and returns them.
func (p *Pair) AwaitPaired(ctx context.Context) (active, passive *Node, err error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		var s [2]State
		for i, n := range p.Nodes {
			s[i] = n.State(ctx)
		}
		for i := range s {
			settled := i == 0 || !p.Failback
			if s[i].Active && s[i].InSync && s[1-i].InSync && !s[1-i].Active && settled {
				return p.Nodes[i], p.Nodes[1-i], nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("broker: the pair is not in sync: primary %+v, backup %+v: %w; primary's %s\nbackup's %s",
				s[0], s[1], ctx.Err(), p.Nodes[0].Tail(), p.Nodes[1].Tail())
		}
		for _, n := range p.Nodes {
			if !n.Running() {
				return nil, nil, fmt.Errorf("broker: %s ended (%v) while the pair was to come in sync; %s", n.Name, n.process.Err(), n.Tail())
			}
		}
	}
}

// Other returns the partner of n.
func (p *Pair) Other(n *Node) *Node {
	if n == p.Nodes[0] {
		return p.Nodes[1]
	}
	return p.Nodes[0]
}
