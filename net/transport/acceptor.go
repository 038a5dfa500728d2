package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// acceptor is one bound address with its goroutine.
type acceptor struct {
	sockets *Sockets
	ln      listener
	options AcceptOptions
	reg     registry
	refused refusals
	close   sync.Once
	done    chan struct{} // closed by Close: the goroutine's stop signal
}

// Listen implements Transport.
func (s *Sockets) Listen(address string, o AcceptOptions) (Acceptor, error) {
	if !s.begin() {
		return nil, fmt.Errorf("listen on %s: %w", address, ErrShutdown)
	}
	var lc net.ListenConfig
	// The standard library listens with MPTCP where the kernel has it. A plain TCP socket is what the pair port's rules
	// about refusal were tried with, and what tools show.
	lc.SetMultipathTCP(false)
	ln, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		s.work.Done()
		return nil, listenError(address, err)
	}
	raised, err := raise(ln.(*net.TCPListener))
	if err != nil {
		s.work.Done()
		return nil, listenError(address, err)
	}
	o.Limits = o.Limits.WithDefaults()
	a := &acceptor{sockets: s, ln: raised, options: o, reg: registry{limits: o.Limits},
		done: make(chan struct{})}
	s.mu.Lock()
	closed := s.mu.closed
	s.mu.acceptors[a] = struct{}{}
	s.mu.Unlock()
	go a.run() // owner: the acceptor; ends by its Close; Sockets.Close waits for it
	if closed {
		a.Close()
		return nil, fmt.Errorf("listen on %s: %w", address, ErrShutdown)
	}
	return a, nil
}

// Addr implements Acceptor.
func (a *acceptor) Addr() string { return a.ln.Addr().String() }

// Connections implements Acceptor.
func (a *acceptor) Connections() int { return a.reg.count() }

// Close implements Acceptor. It does not wait for the goroutine, so that it may be called from a callback: the address
// is free when the listener is closed, and a connection accepted at that very moment is closed by the goroutine.
func (a *acceptor) Close() error {
	var err error
	a.close.Do(func() {
		close(a.done)
		err = a.ln.Close()
		a.sockets.mu.Lock()
		delete(a.sockets.mu.acceptors, a)
		a.sockets.mu.Unlock()
	})
	return err
}

func (a *acceptor) run() {
	defer a.sockets.work.Done()
	retry := retryAfterMin
	for {
		nc, err := a.ln.AcceptTCP()
		switch {
		case err == nil:
			retry = retryAfterMin
			if err := a.accept(nc); err != nil {
				a.refused.log(a.sockets.log, a.Addr(), err)
			}
		case errors.Is(err, net.ErrClosed):
			return
		default:
			// Out of descriptors, or a connection that died in the queue. The listener is sound: try again, slower.
			a.refused.log(a.sockets.log, a.Addr(), err)
			if !a.pause(retry) {
				return
			}
			retry = min(retry*2, retryAfterMax)
		}
	}
}

// pause waits for d; false if the acceptor is closed first.
func (a *acceptor) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.done:
		return false
	}
}

func (a *acceptor) accept(nc *net.TCPConn) error {
	select {
	case <-a.done:
		return nc.Close()
	default:
	}
	return a.sockets.adopt(nc, a.options.Limits, &a.reg, a.options.Accept)
}
