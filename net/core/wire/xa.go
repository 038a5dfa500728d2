package wire

// Xid names a branch of a distributed transaction.
type Xid struct {
	FormatID    int32
	Branch      []byte // branch qualifier; aliases the frame
	Transaction []byte // global transaction id; aliases the frame
}

func (x *Xid) layout(c *cursor) {
	c.i32(&x.FormatID)
	c.blob(&x.Branch)
	c.blob(&x.Transaction)
}

// XA is one of the operations on a branch; Operation is the packet type.
type XA struct {
	Operation Type
	Xid       Xid
	Flag      bool // SESS_XA_END: failed; SESS_XA_COMMIT: one phase
}

// Type is the operation.
func (p *XA) Type(int32) Type { return p.Operation }

func (p *XA) setType(t Type) { p.Operation = t }

func (p *XA) layout(c *cursor) {
	p.Xid.layout(c)
	if p.Operation == TypeXAEnd || p.Operation == TypeXACommit {
		c.bool(&p.Flag)
	}
}

// XAQuery is one of the XA operations without fields: suspend, in-doubt xids, get time-out.
type XAQuery struct {
	Operation Type
}

// Type is the operation.
func (p *XAQuery) Type(int32) Type { return p.Operation }

func (p *XAQuery) setType(t Type) { p.Operation = t }

func (*XAQuery) layout(*cursor) {}

// XASetTimeout sets how long a branch may stay undecided.
type XASetTimeout struct {
	Seconds int32
}

// Type is SESS_XA_SET_TIMEOUT.
func (*XASetTimeout) Type(int32) Type { return TypeXASetTimeout }

func (p *XASetTimeout) layout(c *cursor) { c.i32(&p.Seconds) }

// XAResponse answers the operations on a branch, failures too.
type XAResponse struct {
	Error   bool
	Code    int32 // XA's own numbers
	Message Optional[string]
}

// Type is SESS_XA_RESP.
func (*XAResponse) Type(int32) Type { return TypeXAResponse }

func (p *XAResponse) layout(c *cursor) {
	c.bool(&p.Error)
	c.i32(&p.Code)
	c.nstr(&p.Message)
}
