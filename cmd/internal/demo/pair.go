package demo

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"text/template"
)

// queueName is the queue of the load, declared in both configurations.
const queueName = "demo"

// place is where one member listens.
type place struct {
	Name, Role          string // Role is the element of the configuration: primary or backup
	Client, Pair, Admin int    // ports on 127.0.0.1
}

func (p *place) clientAddr() string { return fmt.Sprintf("127.0.0.1:%d", p.Client) }
func (p *place) adminAddr() string  { return fmt.Sprintf("127.0.0.1:%d", p.Admin) }

// Ports come from below the range from which kernels take the ports of outgoing connections: a client that dials a dead
// broker's port over and over could otherwise be given that very port, and the broker could not come back to it.
const (
	portMin = 20000
	portMax = 32000
)

// freePorts finds ports that nobody listens on.
func freePorts(count int) ([]int, error) {
	var ports []int
	for range 1000 {
		if len(ports) == count {
			return ports, nil
		}
		n, err := rand.Int(rand.Reader, big.NewInt(portMax-portMin))
		if err != nil {
			return nil, err
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", portMin+n.Int64()))
		if err != nil {
			continue
		}
		defer l.Close() // held until all are found, so that none is found twice
		ports = append(ports, portMin+int(n.Int64()))
	}
	return nil, fmt.Errorf("no %d free ports on 127.0.0.1 between %d and %d", count, portMin, portMax)
}

// configuration is a broker.xml in Artemis' words. Neither side asks for its role back, so that every kill meets the side
// that the kill before made active.
const configuration = `<?xml version="1.0"?>
<configuration xmlns="urn:activemq">
   <core xmlns="urn:activemq:core">
      <name>{{.Self.Name}}</name>
      <journal-directory>data/journal</journal-directory>
      <journal-file-size>8M</journal-file-size>
      <journal-max-files>16</journal-max-files>
      <security-enabled>false</security-enabled>
      <connectors>
         <connector name="self">tcp://127.0.0.1:{{.Self.Client}}?pairPort={{.Self.Pair}}</connector>
         <connector name="{{.Other.Name}}">tcp://127.0.0.1:{{.Other.Client}}?pairPort={{.Other.Pair}}</connector>
      </connectors>
      <acceptors>
         <acceptor name="clients">tcp://127.0.0.1:{{.Self.Client}}?protocols=CORE;pairPort={{.Self.Pair}}</acceptor>
      </acceptors>
      <cluster-user>{{.User}}</cluster-user>
      <cluster-password>{{.Password}}</cluster-password>
      <cluster-connections>
         <cluster-connection name="pair">
            <connector-ref>self</connector-ref>
            <static-connectors>
               <connector-ref>{{.Other.Name}}</connector-ref>
            </static-connectors>
         </cluster-connection>
      </cluster-connections>
      <ha-policy>
         <replication>
            {{if eq .Self.Role "primary"}}<primary/>{{else}}<backup>
               <allow-failback>false</allow-failback>
            </backup>{{end}}
         </replication>
      </ha-policy>
      <address-settings>
         <address-setting match="#">
            <max-delivery-attempts>-1</max-delivery-attempts>
         </address-setting>
      </address-settings>
      <addresses>
         <address name="` + queueName + `"><anycast><queue name="` + queueName + `"/></anycast></address>
      </addresses>
   </core>
</configuration>
`

// writePair makes the folders and configurations of a pair below dir, primary first.
func writePair(dir string) ([2]place, error) {
	var both [2]place
	written, err := template.New("broker.xml").Parse(configuration)
	if err != nil {
		return both, fmt.Errorf("configuration of the demonstration: %w", err)
	}
	ports, err := freePorts(6)
	if err != nil {
		return both, err
	}
	both[0] = place{"primary", "primary", ports[0], ports[1], ports[2]}
	both[1] = place{"backup", "backup", ports[3], ports[4], ports[5]}
	user, password := rand.Text(), rand.Text()
	for i := range both {
		var text bytes.Buffer
		if err := written.Execute(&text, map[string]any{"Self": both[i], "Other": both[1-i], "User": user, "Password": password}); err != nil {
			return both, err
		}
		etc := filepath.Join(dir, both[i].Name, "etc")
		if err := os.MkdirAll(etc, 0o755); err != nil {
			return both, err
		}
		if err := os.WriteFile(filepath.Join(etc, "broker.xml"), text.Bytes(), 0o600); err != nil {
			return both, err
		}
	}
	return both, nil
}
