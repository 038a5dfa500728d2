package transport

import (
	"fmt"
	"net"
	"sync"
)

// registry counts the connections of one acceptor against its limits.
type registry struct {
	limits Limits
	mu     struct {
		sync.Mutex
		open     int
		unproven int
		hosts    map[string]int
	}
}

// add counts a new connection, or says which limit it would pass.
func (r *registry) add(remote string) error {
	host := hostOf(remote)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.mu.open >= r.limits.Connections:
		return fmt.Errorf("%s: %w: %d are open, the limit of this acceptor", remote, ErrTooMany, r.limits.Connections)
	case r.mu.unproven >= r.limits.Unproven:
		return fmt.Errorf("%s: %w: %d have not finished their handshake, the limit of this acceptor", remote,
			ErrTooMany, r.limits.Unproven)
	case r.mu.hosts[host] >= r.limits.ConnectionsPerHost:
		return fmt.Errorf("%s: %w: %d from this host, the limit for one host", remote, ErrTooMany,
			r.limits.ConnectionsPerHost)
	}
	if r.mu.hosts == nil {
		r.mu.hosts = make(map[string]int)
	}
	r.mu.open++
	r.mu.unproven++
	r.mu.hosts[host]++
	return nil
}

func (r *registry) proved() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.unproven--
}

func (r *registry) remove(remote string, proven bool) {
	host := hostOf(remote)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.open--
	if !proven {
		r.mu.unproven--
	}
	if r.mu.hosts[host]--; r.mu.hosts[host] == 0 {
		delete(r.mu.hosts, host)
	}
}

func (r *registry) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.open
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
