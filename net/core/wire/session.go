package wire

// CreateSession opens a session on a channel of the client's choice. Sent on channel 1.
type CreateSession struct {
	Name                string // made by the client; the key for a reattachment
	Channel             int64
	Version             int32 // what the client offers to speak
	Username            Optional[string]
	Password            Optional[string]
	LargeMessageSizeMin int32 // chunk size of large messages for this session
	XA                  bool
	AutoCommitSends     bool
	AutoCommitAcks      bool
	ConfirmationWindow  int32 // bytes; -1 is no confirmations
	PreAcknowledge      bool
	DefaultAddress      Optional[string]
	ClientID            Optional[string] // CREATESESSION_V2 only
	V2                  bool             // the packet is a CREATESESSION_V2
}

// Type is CREATESESSION_V2 or CREATESESSION, as V2 says: which one a client uses does not depend on the version alone.
func (p *CreateSession) Type(int32) Type {
	if p.V2 {
		return TypeCreateSessionV2
	}
	return TypeCreateSession
}

func (p *CreateSession) setType(t Type) { p.V2 = t == TypeCreateSessionV2 }

func (p *CreateSession) layout(c *cursor) {
	c.str(&p.Name)
	c.i64(&p.Channel)
	c.i32(&p.Version)
	c.nstr(&p.Username)
	c.nstr(&p.Password)
	c.i32(&p.LargeMessageSizeMin)
	c.bool(&p.XA)
	c.bool(&p.AutoCommitSends)
	c.bool(&p.AutoCommitAcks)
	c.i32(&p.ConfirmationWindow)
	c.bool(&p.PreAcknowledge)
	c.nstr(&p.DefaultAddress)
	if p.V2 {
		c.nstr(&p.ClientID)
	}
}

// CreateSessionResponse says that the session is open and which version the server announces.
type CreateSessionResponse struct {
	ServerVersion int32
}

// Type is CREATESESSION_RESP.
func (*CreateSessionResponse) Type(int32) Type { return TypeCreateSessionResponse }

func (p *CreateSessionResponse) layout(c *cursor) { c.i32(&p.ServerVersion) }

// ReattachSession asks for a session of an earlier connection.
type ReattachSession struct {
	Name                   string
	LastConfirmedCommandID int32 // the last command that the client processed, -1 for none
}

// Type is REATTACH_SESSION.
func (*ReattachSession) Type(int32) Type { return TypeReattachSession }

func (p *ReattachSession) layout(c *cursor) {
	c.str(&p.Name)
	c.i32(&p.LastConfirmedCommandID)
}

// ReattachSessionResponse answers ReattachSession; with Reattached false the client creates the session anew.
type ReattachSessionResponse struct {
	LastConfirmedCommandID int32 // the last command that the server processed, -1 when not reattached
	Reattached             bool
}

// Type is REATTACH_SESSION_RESP.
func (*ReattachSessionResponse) Type(int32) Type { return TypeReattachSessionResponse }

func (p *ReattachSessionResponse) layout(c *cursor) {
	c.i32(&p.LastConfirmedCommandID)
	c.bool(&p.Reattached)
}

// Start lets deliveries flow. No answer.
type Start struct{}

// Type is SESS_START.
func (*Start) Type(int32) Type { return TypeStart }

func (*Start) layout(*cursor) {}

// Stop ends deliveries; after its answer none may come.
type Stop struct{}

// Type is SESS_STOP.
func (*Stop) Type(int32) Type { return TypeStop }

func (*Stop) layout(*cursor) {}

// Close ends the session and rolls back its open local transaction.
type Close struct{}

// Type is SESS_CLOSE.
func (*Close) Type(int32) Type { return TypeClose }

func (*Close) layout(*cursor) {}

// AddMetadata attaches a name to the session; the oldest of the three forms, always answered.
type AddMetadata struct {
	Key, Value string
}

// Type is SESS_ADD_METADATA.
func (*AddMetadata) Type(int32) Type { return TypeAddMetadata }

func (p *AddMetadata) layout(c *cursor) {
	c.str(&p.Key)
	c.str(&p.Value)
}

// AddMetadataV2 attaches a name to the session. Without RequiresResponse it must not be answered and is not counted.
type AddMetadataV2 struct {
	Key, Value       string
	RequiresResponse bool
}

// Type is SESS_ADD_METADATA2.
func (*AddMetadataV2) Type(int32) Type { return TypeAddMetadataV2 }

func (p *AddMetadataV2) layout(c *cursor) {
	c.str(&p.Key)
	c.str(&p.Value)
	c.bool(&p.RequiresResponse)
}

// AddUniqueMetadata attaches a name to the session that no other session of the server may have with the same value.
type AddUniqueMetadata struct {
	Key, Value       string
	RequiresResponse bool
}

// Type is SESS_UNIQUE_ADD_METADATA.
func (*AddUniqueMetadata) Type(int32) Type { return TypeAddUniqueMetadata }

func (p *AddUniqueMetadata) layout(c *cursor) {
	c.str(&p.Key)
	c.str(&p.Value)
	c.bool(&p.RequiresResponse)
}
