package replication

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hindmq/hind/net/transport"
)

// Limits of a pair port. Zero fields have defaults.
type Limits struct {
	Bulk      int           // bytes in the bulk lane of one link. 16 MiB
	Words     int           // bytes of words that one link may hold, beside one bulk frame. 1 MiB
	Handshake time.Duration // from connected to proven. 5 s
	Idle      time.Duration // without a byte from the peer; heartbeats are far more frequent. 60 s
	Unproven  int           // connections that have not proven themselves. 64
	PerHost   int           // connections from one address, so that one stranger cannot use up Unproven. 16
}

func (l Limits) withDefaults() Limits {
	set(&l.Bulk, 16<<20)
	set(&l.Words, 1<<20)
	set(&l.Handshake, 5*time.Second)
	set(&l.Idle, 60*time.Second)
	set(&l.Unproven, 64)
	set(&l.PerHost, 16)
	return l
}

func set[T int | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// connection translates the limits for the transport. A bulk frame finds room whatever words are queued.
func (l Limits) connection() transport.Limits {
	return transport.Limits{
		Inbound:            64 << 10, // the decoder consumes piece by piece; a greeting is far smaller
		Outbound:           l.Words + bulkWindow + HeaderSize + HeadMax + BodyMax,
		OutboundHigh:       bulkWindow,
		OutboundLow:        bulkWindow,
		Unsent:             256 << 10,
		Unproven:           l.Unproven,
		ConnectionsPerHost: l.PerHost,
		Connections:        l.Unproven + 16,
		Handshake:          l.Handshake,
		Idle:               l.Handshake,
	}
}

// Options of a PairPort.
type Options struct {
	Transport transport.Transport
	Key       Key
	Name      string    // of this broker, for the peer's log; at most NameMax bytes
	Process   ProcessID // random, made when the process started
	Limits    Limits
	Allocate  Allocate     // memory for bodies; nil: the heap
	Log       *slog.Logger // nil: discarded
	Random    io.Reader    // nonces; nil: crypto/rand
}

// PairPort makes Links. Its methods may be called from any goroutine.
type PairPort struct {
	options  Options
	limits   Limits
	log      *slog.Logger
	lastLink atomic.Uint64
	random   sync.Mutex // Options.Random
	refused  refusals
}

// New returns a pair port that does not listen yet.
func New(o Options) (*PairPort, error) {
	if len(o.Name) > NameMax {
		return nil, fmt.Errorf("pair port: the broker's name %q has %d bytes; shorten it to %d", o.Name, len(o.Name), NameMax)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Allocate == nil {
		o.Allocate = heapBodies
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &PairPort{options: o, limits: o.Limits.withDefaults(), log: o.Log}, nil
}

// Listen binds address exclusively. accepted chooses the handler of a link that a peer opened; it is called before the
// peer is proven, so it must not touch the link. Close the Acceptor only when the process ends (H1).
func (p *PairPort) Listen(address string, accepted func() LinkHandler) (transport.Acceptor, error) {
	a, err := p.options.Transport.Listen(address, transport.AcceptOptions{
		Limits: p.limits.connection(),
		Accept: func(c transport.Conn) transport.Handler {
			l, err := p.newLink(accepted(), nil)
			if err != nil {
				p.log.Error("pair port cannot answer", "remote", c.RemoteAddr(), "error", err)
				return nil
			}
			return l
		},
	})
	if err != nil {
		return nil, fmt.Errorf("pair port: %w", err)
	}
	return a, nil
}

// Dial starts a link and returns at once. Either h.LinkOpened follows, or failed, with an error that Refused sorts.
// timeout bounds the connecting, Limits.Handshake what comes after. The returned function gives up a dial that is not
// connected yet.
func (p *PairPort) Dial(address string, timeout time.Duration, h LinkHandler, failed func(error)) (cancel func()) {
	l, err := p.newLink(h, failed)
	if err != nil {
		failed(err)
		return func() {}
	}
	return p.options.Transport.Dial(address, transport.DialOptions{
		Handler: l,
		Timeout: timeout,
		Limits:  p.limits.connection(),
		Failed:  func(err error) { failed(fmt.Errorf("pair port of the peer: %w", err)) },
	})
}

// Refused says that the failure of a Dial is a refusal in the sense of the role rules: the kernel at the peer's
// address answered that nobody listens. Every other failure is silence.
func Refused(err error) bool { return errors.Is(err, transport.ErrRefused) }

func (p *PairPort) newLink(h LinkHandler, failed func(error)) (*Link, error) {
	id := identity{key: p.options.Key, name: p.options.Name, process: p.options.Process}
	p.random.Lock()
	_, err := io.ReadFull(p.options.Random, id.nonce[:])
	p.random.Unlock()
	if err != nil {
		return nil, fmt.Errorf("pair port: no random bytes for a nonce: %w", err)
	}
	l := &Link{port: p, handler: h, failed: failed}
	l.handshake = newHandshake(id, failed != nil)
	l.decoder.allocate = p.options.Allocate
	return l, nil
}

// linkClosed is called once for every link that was connected.
func (p *PairPort) linkClosed(l *Link, err error) {
	switch {
	case l.handshake == nil:
		l.handler.LinkClosed(l, err)
	case l.failed != nil:
		l.failed(fmt.Errorf("pair port of the peer at %s: the handshake failed: %w", l.peer.Address, err))
	default:
		p.refused.log(p.log, l.peer.Address, err)
	}
}
