package wire

// ConnectorFactory is the class name that a TCP connector must carry: Java clients load it by name.
const ConnectorFactory = "org.apache.activemq.artemis.core.remoting.impl.netty.NettyConnectorFactory"

// Connector tells a client how to reach a broker ("transport configuration").
type Connector struct {
	Name    string
	Factory string
	Params  []ConnectorParam // in the order given; keys like host, port, sslEnabled
}

// ParamKind is the type of a connector parameter's value.
type ParamKind int8

// Kinds of parameters.
const (
	ParamBool   ParamKind = 0
	ParamInt    ParamKind = 1
	ParamLong   ParamKind = 2
	ParamString ParamKind = 3
)

// ConnectorParam is one key and its value. Number holds bool (0 or 1), int and long; Text holds string.
type ConnectorParam struct {
	Key    string
	Kind   ParamKind
	Number int64
	Text   string
}

// connectorParamSizeMin is an empty key, the kind and a bool.
const connectorParamSizeMin = 6

// TCPConnector is a connector of name to host and port, with no further parameters.
func TCPConnector(name, host, port string) Connector {
	return Connector{Name: name, Factory: ConnectorFactory, Params: []ConnectorParam{
		{Key: "host", Kind: ParamString, Text: host},
		{Key: "port", Kind: ParamString, Text: port},
	}}
}

func (v *Connector) layout(c *cursor) {
	c.str(&v.Name)
	c.str(&v.Factory)
	n := c.count(len(v.Params), connectorParamSizeMin)
	for i := 0; i < n && c.err == nil; i++ {
		if !c.writing {
			v.Params = append(v.Params, ConnectorParam{})
		}
		v.Params[i].layout(c)
	}
}

func (v *ConnectorParam) layout(c *cursor) {
	c.str(&v.Key)
	c.i8((*int8)(&v.Kind))
	switch v.Kind {
	case ParamBool:
		set := v.Number != 0
		c.bool(&set)
		v.Number = 0
		if set {
			v.Number = 1
		}
	case ParamInt:
		number := int32(v.Number)
		c.i32(&number)
		v.Number = int64(number)
	case ParamLong:
		c.i64(&v.Number)
	case ParamString:
		c.str(&v.Text)
	default:
		c.fail("connector parameter %q has a value of unknown kind %d", v.Key, v.Kind)
	}
}

// SubscribeTopology is the old form of SubscribeTopologyV2: no version in it.
type SubscribeTopology struct {
	ClusterConnection bool
}

// Type is SUBSCRIBE_TOPOLOGY.
func (*SubscribeTopology) Type(int32) Type { return TypeSubscribeTopology }

func (p *SubscribeTopology) layout(c *cursor) { c.bool(&p.ClusterConnection) }

// SubscribeTopologyV2 asks for the topology and announces the client's version for this connection. Channel 0. There is
// no answer by type, but the client waits for a topology packet that is Last.
type SubscribeTopologyV2 struct {
	ClusterConnection bool // false for clients
	ClientVersion     int32
}

// Type is SUBSCRIBE_TOPOLOGY_V2.
func (*SubscribeTopologyV2) Type(int32) Type { return TypeSubscribeTopologyV2 }

func (p *SubscribeTopologyV2) layout(c *cursor) {
	c.bool(&p.ClusterConnection)
	c.i32(&p.ClientVersion)
}

// ClusterTopology tells of one node: who is primary and backup, or that it is gone. Channel 0.
type ClusterTopology struct {
	Exit          bool // the node is gone; the fields down to Last are not on the wire then
	NodeID        string
	EventID       int64 // milliseconds, growing; a client takes only larger ones
	Primary       Optional[Connector]
	Backup        Optional[Connector]
	Last          bool // the last of the answers to a subscription
	BackupGroup   Optional[string]
	ScaleDown     Optional[string] // V3 and later
	ServerVersion int32            // V4; the announcement of the server's own version
}

// Type is CLUSTER_TOPOLOGY_V4, V3 for clients that do not know it, and V2 for all of them when a node is gone.
func (p *ClusterTopology) Type(version int32) Type {
	switch {
	case p.Exit:
		return TypeClusterTopologyV2
	case version >= versionClientID:
		return TypeClusterTopologyV4
	}
	return TypeClusterTopologyV3
}

func (p *ClusterTopology) layout(c *cursor) {
	c.bool(&p.Exit)
	c.str(&p.NodeID)
	c.i64(&p.EventID)
	if !p.Exit {
		c.bool(&p.Primary.Set)
		if p.Primary.Set {
			p.Primary.Value.layout(c)
		}
		c.bool(&p.Backup.Set)
		if p.Backup.Set {
			p.Backup.Value.layout(c)
		}
		c.bool(&p.Last)
	}
	c.nstr(&p.BackupGroup)
	if c.packet == TypeClusterTopologyV2 {
		return
	}
	c.nstr(&p.ScaleDown)
	if c.packet == TypeClusterTopologyV4 {
		c.i32(&p.ServerVersion)
	}
}
