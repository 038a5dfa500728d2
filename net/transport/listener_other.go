//go:build !linux

package transport

import "net"

// raise leaves the socket as it is: the order in which other kernels end the sockets of a dead process is not known.
func raise(ln *net.TCPListener) (listener, error) { return ln, nil }
