package config

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// endpoint is the URL of an acceptor or connector, taken apart: tcp://host:port?name=value;name=value.
type endpoint struct {
	host   string
	port   int
	params []attr // in the order of the URL; none twice
}

// parseEndpoint takes a URL apart. Parameters are separated by ';' or '&', as Artemis has them.
func parseEndpoint(s string) (endpoint, error) {
	u, err := url.Parse(s)
	if err != nil {
		return endpoint{}, fmt.Errorf("is not a URL: %s", strings.TrimPrefix(err.Error(), "parse "))
	}
	switch {
	case u.Scheme != "tcp":
		return endpoint{}, fmt.Errorf("has scheme %q; only tcp is supported yet", u.Scheme)
	case strings.Contains(s, "#") || strings.HasPrefix(s, "("):
		return endpoint{}, fmt.Errorf("lists several addresses; give each a connector of its own")
	case u.User != nil:
		return endpoint{}, fmt.Errorf("holds a user name; it belongs into <cluster-user>")
	case u.Path != "" && u.Path != "/":
		return endpoint{}, fmt.Errorf("has the path %.40q; tcp://host:port is expected", u.Path)
	}
	e := endpoint{host: u.Hostname(), port: defaultPort}
	if e.host == "" {
		return endpoint{}, fmt.Errorf("has no host; tcp://host:port is expected")
	}
	if p := u.Port(); p != "" {
		if e.port, err = parsePort(p); err != nil {
			return endpoint{}, fmt.Errorf("has a port that %w", err)
		}
	}
	e.params, err = parseParams(u.RawQuery)
	return e, err
}

func parsePort(s string) (int, error) { return parseInt(s, 1, 65535) }

func parseParams(query string) ([]attr, error) {
	var all []attr
	for _, pair := range strings.FieldsFunc(query, func(r rune) bool { return r == ';' || r == '&' }) {
		name, raw, given := strings.Cut(pair, "=")
		value, err := url.PathUnescape(raw)
		if err != nil || !given || name == "" {
			return nil, fmt.Errorf("has the parameter %.40q; name=value is expected", pair)
		}
		for _, before := range all {
			if before.name == name {
				return nil, fmt.Errorf("has the parameter %s twice", name)
			}
		}
		all = append(all, attr{name: name, value: value})
	}
	return all, nil
}

// pairPortOf is where the pair link of a client port listens.
func pairPortOf(port, pairPort int) int {
	if pairPort != 0 || port == 0 {
		return pairPort
	}
	return port + PairPortOffset
}

// hostPort joins as net.JoinHostPort does, for an int.
func hostPort(host string, port int) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}
