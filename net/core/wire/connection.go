package wire

// Ping renews the time to live of a connection; the server sends the same packet back. Channel 0.
type Ping struct {
	TTL int64 // milliseconds the sender may stay silent; -1 is for ever
}

// Type is PING.
func (*Ping) Type(int32) Type { return TypePing }

func (p *Ping) layout(c *cursor) { c.i64(&p.TTL) }

// Disconnect is the server's last packet on a connection. Channel 0.
type Disconnect struct {
	NodeID       string // of the server; the reference client cannot bear a null here, so there is none
	Reason       int8   // 131 and later, see the Disconnect constants
	TargetNodeID Optional[string]
	Target       Optional[Connector] // 131 and later: where a redirected client shall go
}

// Type is DISCONNECT_V3, or V2 for clients that do not know it.
func (p *Disconnect) Type(version int32) Type {
	if version >= versionClientID {
		return TypeDisconnectV3
	}
	return TypeDisconnectV2
}

func (p *Disconnect) layout(c *cursor) {
	nodeID := Some(p.NodeID)
	c.nsstr(&nodeID)
	p.NodeID = nodeID.Value
	switch c.packet {
	case TypeDisconnectV3:
		c.i8(&p.Reason)
		c.nsstr(&p.TargetNodeID)
		c.bool(&p.Target.Set)
		if p.Target.Set {
			p.Target.Value.layout(c)
		}
	case TypeDisconnectV2:
		c.nsstr(&p.TargetNodeID) // named scale-down node there
	}
}

// CheckForFailover asks, after a reconnection, whether this server may take over for the node. Channel 1.
type CheckForFailover struct {
	NodeID Optional[string]
}

// Type is CHECK_FOR_FAILOVER.
func (*CheckForFailover) Type(int32) Type { return TypeCheckForFailover }

func (p *CheckForFailover) layout(c *cursor) { c.nstr(&p.NodeID) }

// CheckForFailoverResponse answers CheckForFailover; false makes the client try elsewhere.
type CheckForFailoverResponse struct {
	OK bool
}

// Type is CHECK_FOR_FAILOVER_REPLY.
func (*CheckForFailoverResponse) Type(int32) Type { return TypeCheckForFailoverResponse }

func (p *CheckForFailoverResponse) layout(c *cursor) { c.bool(&p.OK) }

// NullResponse says that a request was done.
type NullResponse struct {
	Correlation int64 // of the request, -1 if its type has none; 130 and later
}

// NoCorrelation is the correlation id of requests that carry none.
const NoCorrelation = -1

// Type is NULL_RESPONSE.
func (*NullResponse) Type(int32) Type { return TypeNullResponse }

func (p *NullResponse) layout(c *cursor) {
	if !c.writing {
		p.Correlation = NoCorrelation
	}
	if c.version >= versionCorrelation && c.more() {
		c.i64(&p.Correlation)
	}
}

// Exception says that a request was refused. Any exception ends the client's blocking call in progress on that channel,
// so none may be sent that was not asked for.
type Exception struct {
	Code        Code
	Message     Optional[string]
	Correlation Optional[int64] // only for sends, continuations and commits; 130 and later
}

// Type is EXCEPTION.
func (*Exception) Type(int32) Type { return TypeException }

func (p *Exception) layout(c *cursor) {
	c.i32((*int32)(&p.Code))
	c.nstr(&p.Message)
	if c.version < versionCorrelation {
		return
	}
	if c.writing {
		if p.Correlation.Set {
			c.i64(&p.Correlation.Value)
		}
	} else if c.more() {
		p.Correlation.Set = true
		c.i64(&p.Correlation.Value)
	}
}

// PacketsConfirmed says which counted packets of the channel the sender has processed.
type PacketsConfirmed struct {
	CommandID int32
}

// Type is PACKETS_CONFIRMED.
func (*PacketsConfirmed) Type(int32) Type { return TypePacketsConfirmed }

func (p *PacketsConfirmed) layout(c *cursor) { c.i32(&p.CommandID) }
