package config

import (
	"fmt"
	"strings"
	"time"
)

// connectors reads <connectors>.
func (l *loader) connectors(n *node) {
	l.attrs(n, nil, nil)
	l.children(n, table{"connector": many(func(c *node) {
		name, e, ok := l.endpoint(c)
		if !ok || !l.unique("connector", name, c.at) {
			return
		}
		k := Connector{At: c.at, Name: name, Host: e.host, Port: e.port}
		l.params(c, name, e.params, map[string]func(string) error{
			"pairPort": func(v string) (err error) { k.PairPort, err = parsePort(v); return err },
		})
		l.cfg.Connectors = append(l.cfg.Connectors, k)
	})})
}

// acceptors reads <acceptors>. One that offers none of the protocols that are served is left out, with a notice.
func (l *loader) acceptors(n *node) {
	l.attrs(n, nil, nil)
	l.children(n, table{"acceptor": many(func(c *node) {
		name, e, ok := l.endpoint(c)
		if !ok || !l.unique("acceptor", name, c.at) || !l.protocols(c, name, e) {
			return
		}
		a := Acceptor{At: c.at, Name: name, Host: e.host, Port: e.port, Transport: defaultTransport()}
		if a.Host == "0.0.0.0" {
			a.Host = ""
		}
		l.params(c, name, e.params, a.setters())
		l.cfg.Acceptors = append(l.cfg.Acceptors, a)
	})})
}

// endpoint reads what acceptors and connectors share: a name and a URL.
func (l *loader) endpoint(n *node) (name string, e endpoint, ok bool) {
	if !l.attrs(n, []string{"name"}, nil) {
		return "", endpoint{}, false
	}
	name, _ = n.attr("name")
	text, ok := l.textOf(n)
	if !ok {
		return "", endpoint{}, false
	}
	e, err := parseEndpoint(text)
	if err != nil {
		l.fail(n.at, "correct the URL", "the URL of %s %q %v", n.name, name, err)
		return "", endpoint{}, false
	}
	return name, e, true
}

// protocols says whether the acceptor offers CORE, and what becomes of the others.
func (l *loader) protocols(n *node, name string, e endpoint) bool {
	offered := ""
	for _, p := range e.params {
		if p.name == "protocols" || p.name == "protocol" {
			offered = p.value
		}
	}
	if offered == "" {
		l.notice(n.at, "acceptor %q names no protocols and so means all: only CORE is served yet", name)
		return true
	}
	core, others := false, []string(nil)
	for _, one := range strings.Split(offered, ",") {
		switch one = strings.ToUpper(strings.TrimSpace(one)); one {
		case "CORE":
			core = true
		case "AMQP", "STOMP", "MQTT", "OPENWIRE", "HORNETQ":
			others = append(others, one)
		default:
			l.fail(n.at, "remove it", "acceptor %q offers the unknown protocol %.40q", name, one)
			return false
		}
	}
	switch {
	case !core:
		l.notice(n.at, "acceptor %q offers %s, which is not served yet: port %d stays closed", name, strings.Join(others, ", "), e.port)
	case len(others) > 0:
		l.notice(n.at, "acceptor %q: only CORE is served yet; a client that speaks %s is disconnected", name, strings.Join(others, ", "))
	}
	return core
}

// setters are the parameters of an acceptor that take effect.
func (a *Acceptor) setters() map[string]func(string) error {
	t := &a.Transport
	return map[string]func(string) error{
		"protocols": func(string) error { return nil },
		"protocol":  func(string) error { return nil },
		"pairPort":  func(v string) (err error) { a.PairPort, err = parsePort(v); return err },
		"connectionsAllowed": func(v string) (err error) {
			if v == "-1" {
				return nil
			}
			t.ConnectionsMax, err = parseInt(v, 1, 1<<20)
			return err
		},
		"handshake-timeout": func(v string) error {
			seconds, err := parseInt(v, 1, 3600)
			t.HandshakeTimeout = time.Duration(seconds) * time.Second
			return err
		},
		"connectionTtl": func(v string) (err error) { t.ConnectionTTL, err = parseMillis(v, time.Millisecond); return err },
	}
}

// params sorts the parameters of a URL: those in set take effect, others of Artemis are gathered into one notice per
// reason or are not built yet, and the rest is unknown.
func (l *loader) params(n *node, name string, params []attr, set map[string]func(string) error) {
	var tuning, foreign, system []string
	for _, p := range params {
		if apply, ok := set[p.name]; ok {
			if err := apply(p.value); err != nil {
				l.fail(n.at, "correct the value", "parameter %s of %s %q %v", p.name, n.name, name, err)
			}
			continue
		}
		switch kindOf(p) {
		case tuningParam:
			tuning = append(tuning, p.name)
		case foreignParam:
			foreign = append(foreign, p.name)
		case systemParam:
			system = append(system, p.name)
		case offParam:
		case laterParam:
			l.fail(n.at, "remove it", "parameter %s of %s %q is not supported yet", p.name, n.name, name)
		default:
			l.fail(n.at, "remove it; docs/configuration.md lists what is supported",
				"%s %q has the unknown parameter %s", n.name, name, p.name)
		}
	}
	if len(system) > 0 {
		l.notice(n.at, "%s %q: sockets have the buffers of the system, and no delay: %s", n.name, name, strings.Join(system, ", "))
	}
	if len(tuning) > 0 {
		l.notice(n.at, "%s %q: what tunes the Java implementation changes nothing here: %s", n.name, name, strings.Join(tuning, ", "))
	}
	if len(foreign) > 0 {
		l.notice(n.at, "%s %q: what belongs to protocols that are not served yet changes nothing: %s", n.name, name, strings.Join(foreign, ", "))
	}
}

type paramKind uint8

const (
	unknownParam paramKind = iota
	tuningParam            // of the Java implementation
	foreignParam           // of another protocol
	systemParam            // of the socket
	offParam               // asks for what is so anyway
	laterParam             // not built yet
)

// kindOf judges a parameter that has no effect here.
func kindOf(p attr) paramKind {
	switch p.name {
	case "useEpoll", "useNio", "useKQueue", "useIoUring", "useGlobalWorkerPool", "useNioGlobalWorkerPool", "nioRemotingThreads",
		"remotingThreads", "batchDelay", "directDeliver", "writeBufferLowWaterMark", "writeBufferHighWaterMark", "backlog",
		"quietPeriod", "shutdownTimeout", "connect-timeout-millis":
		return tuningParam
	case "tcpSendBufferSize", "tcpReceiveBufferSize":
		return systemParam
	case "tcpNoDelay":
		if strings.EqualFold(p.value, "true") {
			return offParam
		}
		return systemParam
	case "supportAdvisory", "suppressInternalManagementObjects", "suppressInternalManagementMessages",
		"virtualTopicConsumerWildcards", "heartBeatToConnectionTtlModifier", "disableStompServerHeader":
		return foreignParam
	case "sslEnabled", "proxyProtocolEnabled", "httpEnabled", "httpUpgradeEnabled", "useServlet", "useInvm", "socksEnabled":
		if strings.EqualFold(p.value, "false") {
			return offParam
		}
		return laterParam
	case "autoStart":
		if strings.EqualFold(p.value, "true") {
			return offParam
		}
		return laterParam
	case "anycastPrefix", "multicastPrefix", "securityDomain", "router", "clusterConnection", "connectionTtlMin",
		"connectionTtlMax", "localAddress", "localPort", "keyStorePath", "keyStorePassword", "keyStoreType", "keyStoreProvider",
		"keyStoreAlias", "trustStorePath", "trustStorePassword", "trustStoreType", "trustStoreProvider", "enabledProtocols",
		"enabledCipherSuites", "needClientAuth", "wantClientAuth", "verifyHost", "trustAll", "sniHost", "sslProvider", "crlPath",
		"sslAutoReload", "useDefaultSslContext", "forceSSLParameters", "trustManagerFactoryPlugin", "keyPassword", "redirect-to":
		return laterParam
	}
	for _, prefix := range []string{"amqp", "stomp", "mqtt", "openwire", "webSocket"} {
		if strings.HasPrefix(p.name, prefix) {
			return foreignParam
		}
	}
	return unknownParam
}

// String names the acceptor for people.
func (a Acceptor) String() string { return fmt.Sprintf("%s (%s)", a.Name, hostPort(a.Host, a.Port)) }
