package client

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
)

// portDefault is taken where a URL has none.
const portDefault = "61616"

// addressOf takes host:port out of "tcp://host:port", "tcp://host" or "host:port".
func addressOf(s string) (string, error) {
	if host, port, err := net.SplitHostPort(s); err == nil && host != "" && isPort(port) {
		return s, nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme == "" || u.Hostname() == "":
		return "", fmt.Errorf("%q is no address of a broker; tcp://host:port is expected", s)
	case u.Scheme != "tcp":
		return "", fmt.Errorf("%q: scheme %s is not supported; tcp://host:port is expected", s, u.Scheme)
	case u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%q has more than a host and a port; give several brokers as several URLs, and options as options", u.Redacted())
	}
	port := u.Port()
	if port == "" {
		port = portDefault
	}
	if !isPort(port) {
		return "", fmt.Errorf("%q: the port is no number from 1 to 65535", s)
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 1 && n <= 65535
}
