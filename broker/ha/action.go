package ha

import "fmt"

// Action is something the node does for the machine, in the order given; see Machine.Actions.
type Action interface {
	fmt.Stringer
	action()
}

// The actions.
type (
	// Dial: connect to the peer's pair port once; report LinkUp, Refused or Unreachable.
	Dial struct{ Peer Peer }
	// CloseLink: close the connection after what was sent before; report LinkDown.
	CloseLink struct {
		Link Link
		Why  string
	}
	// SendWord: send the word on the connection, behind everything sent there before.
	SendWord struct {
		Link Link
		Word Word
	}

	// Persist: make the local state durable; report Persisted.
	Persist struct {
		Seq   uint64
		State LocalState
	}
	// WriteRecord: write the role record; report RecordDurable. With NewEpoch this ends any following (no
	// acknowledgement leaves any more) and activates the journal: a new file whose page 0 holds the record. Without,
	// it is one record of the running epoch.
	WriteRecord struct {
		Seq      uint64
		Record   RoleRecord
		NewEpoch bool
	}
	// Settle: stop following or appending, end all sending, wait until nothing is being written, read the log again;
	// report Loaded.
	Settle struct{}

	// Follow: begin to follow Owner's epoch on the connection: send the manifest, find the last common page, report
	// TailChecked. Nothing may be cut or copied before Copy. It replaces an earlier Follow.
	Follow struct {
		Link  Link
		Epoch uint64
		Owner Instance
	}
	// Copy: cut the tail, keep what was cut, copy, acknowledge; report Followed for role records.
	Copy struct{ Link Link }
	// Send: begin to send this log to the follower on the connection; report CaughtUp and Acked.
	Send struct {
		Link   Link
		Epoch  uint64
		Member Instance
	}
	// StopSending: end it.
	StopSending struct{ Link Link }

	// OpenClients: this broker is active: start what the active does and open the client acceptors.
	OpenClients struct{ Epoch uint64 }
	// CloseClients: close the client acceptors and all client connections; nothing is confirmed after it unless
	// Machine.Confirm still says so.
	CloseClients struct{}
	// Deliver: deliveries, reads and non-durable work may go on, or must pause; MayDeliver says so at any moment.
	Deliver struct{ On bool }

	// Ask: show the question to the operator until Answered.
	Ask      struct{ Question Question }
	Answered struct{}
	// Fence: the broker serves nobody until its journal was verified or an operator spoke. Write nothing.
	Fence struct{ Reason string }
	// Log: a line for the log.
	Log struct{ Text string }
	// Exit: make what is written durable, end the process. Nothing follows.
	Exit struct{ Reason string }
)

func (Dial) action()         {}
func (CloseLink) action()    {}
func (SendWord) action()     {}
func (Persist) action()      {}
func (WriteRecord) action()  {}
func (Settle) action()       {}
func (Follow) action()       {}
func (Copy) action()         {}
func (Send) action()         {}
func (StopSending) action()  {}
func (OpenClients) action()  {}
func (CloseClients) action() {}
func (Deliver) action()      {}
func (Ask) action()          {}
func (Answered) action()     {}
func (Fence) action()        {}
func (Log) action()          {}
func (Exit) action()         {}

func (a Dial) String() string      { return fmt.Sprintf("dial peer %d", a.Peer) }
func (a CloseLink) String() string { return fmt.Sprintf("close link %d: %s", a.Link, a.Why) }
func (a SendWord) String() string  { return fmt.Sprintf("send %d %v", a.Link, a.Word) }
func (a Persist) String() string   { return fmt.Sprintf("persist %d: %v", a.Seq, a.State) }
func (a WriteRecord) String() string {
	if a.NewEpoch {
		return fmt.Sprintf("write record %d in a new epoch: %v", a.Seq, a.Record)
	}
	return fmt.Sprintf("write record %d: %v", a.Seq, a.Record)
}
func (Settle) String() string { return "settle" }
func (a Follow) String() string {
	return fmt.Sprintf("follow on link %d e%d of %v", a.Link, a.Epoch, a.Owner)
}
func (a Copy) String() string { return fmt.Sprintf("copy on link %d", a.Link) }
func (a Send) String() string {
	return fmt.Sprintf("send pages on link %d e%d to %v", a.Link, a.Epoch, a.Member)
}
func (a StopSending) String() string { return fmt.Sprintf("stop sending pages on link %d", a.Link) }
func (a OpenClients) String() string { return fmt.Sprintf("open clients e%d", a.Epoch) }
func (CloseClients) String() string  { return "close clients" }
func (a Deliver) String() string {
	if a.On {
		return "deliveries on"
	}
	return "deliveries off"
}
func (a Ask) String() string    { return "ask: " + a.Question.String() }
func (Answered) String() string { return "question closed" }
func (a Fence) String() string  { return "fence: " + a.Reason }
func (a Log) String() string    { return "log: " + a.Text }
func (a Exit) String() string   { return "exit: " + a.Reason }
