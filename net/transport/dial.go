package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// dialTCP connects to the first address of a name that answers. It is not net.Dial, because the pair's rules give
// "refused" a meaning: one address that is refused and another that is silent are not a refusal, and neither is an
// ICMP message that the kernel reports with the same error number.
func dialTCP(ctx context.Context, address string) (*net.TCPConn, error) {
	addresses, err := resolve(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w: %w", address, kindOf(err, false), err)
	}
	var worst error
	kind := ErrRefused
	for i, a := range addresses {
		nc, soft, err := dialOne(ctx, a, len(addresses)-i)
		if err == nil {
			return nc, nil
		}
		if k := kindOf(err, soft); worst == nil || kind == ErrRefused || k == ErrClosed {
			kind, worst = k, err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, fmt.Errorf("dial %s: %w: %w", address, kind, worst)
}

// resolve turns host:port into addresses, at least one.
func resolve(ctx context.Context, address string) ([]string, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return nil, errors.New("the host is missing")
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, err
	}
	addresses := make([]string, len(ips))
	for i, ip := range ips {
		addresses[i] = net.JoinHostPort(ip.String(), fmt.Sprint(port))
	}
	return addresses, nil
}

// dialOne tries one address, for its share of the time that ctx leaves. soft: a refusal came by ICMP.
func dialOne(ctx context.Context, address string, left int) (nc *net.TCPConn, soft bool, err error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	var w icmpWatch
	defer w.close()
	d := net.Dialer{Control: w.control} // MPTCP stays off: that is the default of a Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err == nil && ctx.Err() != nil {
		c.Close()
		err = ctx.Err()
	}
	if err != nil {
		soft = errors.Is(err, syscall.ECONNREFUSED) && w.seen()
		if soft {
			err = fmt.Errorf("%w (by an ICMP message: from a firewall or a router, not from a kernel without a listener)", err)
		}
		return nil, soft, err
	}
	return c.(*net.TCPConn), false, nil
}

// kindOf sorts the failure of a dial.
func kindOf(err error, soft bool) error {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) && !soft:
		return ErrRefused
	case errors.Is(err, context.Canceled), errors.As(err, &timeout) && errors.Is(err, net.ErrClosed):
		return ErrClosed
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	}
	return ErrUnreachable
}
