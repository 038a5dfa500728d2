package wire

// Acknowledge settles every message delivered to the consumer up to and including Message, in delivery order.
type Acknowledge struct {
	Consumer         int64
	Message          int64
	RequiresResponse bool
}

// Type is SESS_ACKNOWLEDGE.
func (*Acknowledge) Type(int32) Type { return TypeAcknowledge }

func (p *Acknowledge) layout(c *cursor) {
	c.i64(&p.Consumer)
	c.i64(&p.Message)
	c.bool(&p.RequiresResponse)
}

// IndividualAcknowledge settles that one message.
type IndividualAcknowledge struct {
	Consumer         int64
	Message          int64
	RequiresResponse bool
}

// Type is SESS_INDIVIDUAL_ACKNOWLEDGE.
func (*IndividualAcknowledge) Type(int32) Type { return TypeIndividualAcknowledge }

func (p *IndividualAcknowledge) layout(c *cursor) {
	c.i64(&p.Consumer)
	c.i64(&p.Message)
	c.bool(&p.RequiresResponse)
}

// Expired says that the client found the message expired. No answer.
type Expired struct {
	Consumer int64
	Message  int64
}

// Type is SESS_EXPIRED.
func (*Expired) Type(int32) Type { return TypeExpired }

func (p *Expired) layout(c *cursor) {
	c.i64(&p.Consumer)
	c.i64(&p.Message)
}

// Commit makes the session's sends and acknowledgements effective.
type Commit struct {
	Correlation Optional[int64] // 132 and later; left out by clients that do not wait
}

// Type is SESS_COMMIT.
func (*Commit) Type(int32) Type { return TypeCommit }

func (p *Commit) layout(c *cursor) {
	if c.version < versionCommitID {
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

// Rollback undoes the session's sends and acknowledgements and gives back what was delivered.
type Rollback struct {
	LastMessageDelivered bool // the first unacknowledged message of each consumer counts as delivered
}

// Type is SESS_ROLLBACK.
func (*Rollback) Type(int32) Type { return TypeRollback }

func (p *Rollback) layout(c *cursor) { c.bool(&p.LastMessageDelivered) }
