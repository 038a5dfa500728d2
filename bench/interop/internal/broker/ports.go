package broker

import (
	"fmt"
	"net"
	"os"
	"sync"
)

const (
	firstPort = 20000
	lastPort  = 29000
	pairPort  = 1000 // a broker's port between the brokers is its client port plus this
)

// Ports hands out ports below the kernel's own range. The zero value is ready; it is safe for concurrent use.
type Ports struct {
	mu    sync.Mutex
	given map[int]bool
	next  int
}

// Take returns a port on which, and on whose pair port, nobody listens, and which it has not given before.
func (p *Ports) Take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.given == nil {
		p.given = make(map[int]bool)
		p.next = os.Getpid() * 37 % (lastPort - firstPort) // harnesses that run side by side start apart
	}
	for range lastPort - firstPort {
		port := firstPort + p.next
		p.next = (p.next + 1) % (lastPort - firstPort)
		if !p.given[port] && free(port) && free(port+pairPort) {
			p.given[port], p.given[port+pairPort] = true, true
			return port, nil
		}
	}
	return 0, fmt.Errorf("broker: no free port between %d and %d", firstPort, lastPort)
}

func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
