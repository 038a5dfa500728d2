//go:build !linux

package transport

import (
	"errors"
	"net"
	"syscall"
)

// Gnet needs Linux: its read pause and its writes rest on epoll.
func Gnet(Options) (*Sockets, error) { return nil, errors.New("gnet transport: it needs Linux") }

// icmpWatch sees nothing here: a refusal is what the kernel calls so.
type icmpWatch struct{}

func (*icmpWatch) control(string, string, syscall.RawConn) error { return nil }
func (*icmpWatch) seen() bool                                    { return false }
func (*icmpWatch) close()                                        {}

// setUnsent is a wish that this system does not grant.
func setUnsent(*net.TCPConn, int) {}
