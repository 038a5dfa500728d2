package transport

import "net"

// listener is what an acceptor takes connections from. The errors are those of net.TCPListener: net.ErrClosed after Close,
// anything else may pass.
type listener interface {
	AcceptTCP() (*net.TCPConn, error)
	Addr() net.Addr
	Close() error
}
