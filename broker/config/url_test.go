package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEndpoints(t *testing.T) {
	for url, want := range map[string]endpoint{
		"tcp://h:1":                {host: "h", port: 1},
		"tcp://h":                  {host: "h", port: 61616},
		"tcp://[::1]:5/":           {host: "::1", port: 5},
		"tcp://h:1?a=1;b=x%3By&c=": {host: "h", port: 1, params: []attr{{"a", "1"}, {"b", "x;y"}, {"c", ""}}},
	} {
		if got, err := parseEndpoint(url); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", url, got, err)
		}
	}
	for url, want := range map[string]string{
		"vm://0":             `has scheme "vm"; only tcp is supported yet`,
		"h:1":                `has scheme "h"`,
		"tcp://:1":           "has no host",
		"tcp://h:0":          `has a port that is "0"; a number from 1 to 65535 is expected`,
		"tcp://h:65536":      "has a port that is",
		"tcp://h:x":          "is not a URL",
		"tcp://u:p@h:1":      "holds a user name",
		"tcp://h:1/path":     `has the path "/path"`,
		"tcp://h:1#tcp://i":  "lists several addresses",
		"tcp://h:1?a":        `has the parameter "a"; name=value is expected`,
		"tcp://h:1?a=1;a=2":  "has the parameter a twice",
		"tcp://h:1?a=%zz":    `has the parameter "a=%zz"`,
		"tcp://h\x00:1?a=%z": "is not a URL",
	} {
		if _, err := parseEndpoint(url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", url, err, want)
		}
	}
}

func TestAcceptorParameters(t *testing.T) {
	c, notices, err := parse("b.xml", []byte(`<configuration><core><security-enabled>false</security-enabled><acceptors><acceptor name="a">`+
		`tcp://0.0.0.0:7000?protocols=core;tcpNoDelay=false;tcpSendBufferSize=2048;tcpReceiveBufferSize=4096;connectionsAllowed=5;handshake-timeout=3;connectionTtl=1500;pairPort=7777;sslEnabled=false</acceptor></acceptors></core></configuration>`))
	if err != nil {
		t.Fatal(err)
	}
	want := Transport{ConnectionsMax: 5, HandshakeTimeout: 3 * time.Second, ConnectionTTL: 1500 * time.Millisecond}
	a := c.Acceptors[0]
	if a.Transport != want || a.Host != "" || a.PairPort != 7777 || len(notices) != 2 {
		t.Errorf("%+v, %v", a, notices)
	}
	if got := c.PairListen(); got != (HostPort{"", 7777}) {
		t.Errorf("the pair link listens at %v", got)
	}
}

func TestNoAcceptorIsLeft(t *testing.T) {
	_, _, err := parse("b.xml", []byte(`<configuration><core><acceptors><acceptor name="a">tcp://h:1?protocols=AMQP</acceptor></acceptors></core></configuration>`))
	want := "b.xml: no acceptor serves a protocol that is supported, so no client could connect; add <acceptor"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v", err)
	}
}
