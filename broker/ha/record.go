package ha

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// RecordKind is what a role record says.
type RecordKind uint8

const (
	RecordNone   RecordKind = iota // no role record: an empty log
	RecordAlone                    // the in-sync set is {owner}
	RecordPaired                   // the in-sync set is {owner, other}
	RecordToSwap                   // last record of the epoch: the other member opens the next one, both stay members
	RecordToStop                   // the same, and the owner stops: the next epoch begins with {successor}
)

var recordKindNames = [...]string{"none", "alone", "paired", "to (swap)", "to (stop)"}

func (k RecordKind) String() string {
	if int(k) < len(recordKindNames) {
		return recordKindNames[k]
	}
	return fmt.Sprintf("record kind %d", uint8(k))
}

// Member is one broker of an in-sync set.
type Member struct {
	Name     string // for people; membership is decided by Instance
	Instance Instance
}

// membersMax is the size of the largest in-sync set: an owner and one backup. A spare is never a member.
const membersMax = 2

// RoleRecord is what the log says about roles: the newest one is what a broker knows (rule H2). It is durable before it
// takes effect. Values are comparable with ==.
//
// Members stand in the order that settles ties (H7): the configured primary first. Owner owns Epoch; in the kinds
// RecordToSwap and RecordToStop the other member is the successor.
type RoleRecord struct {
	Kind    RecordKind
	Forced  bool   // written on an operator's word
	Owner   uint8  // index into Members
	Count   uint8  // members in use, 1 or 2
	Forces  uint32 // forced records up to and with this one: a count that differs shows a forced record between two
	Epoch   uint64
	Version uint64 // of the register that a witness keeps; 0 without one
	NodeID  NodeID
	Members [membersMax]Member
}

// IsZero says that there is no record.
func (r RoleRecord) IsZero() bool { return r.Kind == RecordNone }

// OwnerInstance is the journal of the owner, zero if there is no record.
func (r RoleRecord) OwnerInstance() Instance {
	if r.IsZero() {
		return Instance{}
	}
	return r.Members[r.Owner].Instance
}

// Has says whether the journal i is a member.
func (r RoleRecord) Has(i Instance) bool { return r.place(i) >= 0 }

// place is the index of member i, the order that settles ties; -1 if it is no member.
func (r RoleRecord) place(i Instance) int {
	for k := range int(r.Count) {
		if r.Members[k].Instance == i && !i.IsZero() {
			return k
		}
	}
	return -1
}

// Other is the member that is not the journal i; false if there is none.
func (r RoleRecord) Other(i Instance) (Member, bool) {
	for k := range int(r.Count) {
		if r.Members[k].Instance != i {
			return r.Members[k], true
		}
	}
	return Member{}, false
}

// IsTo says that the record hands the role over.
func (r RoleRecord) IsTo() bool { return r.Kind == RecordToSwap || r.Kind == RecordToStop }

// HandsTo says whether the record hands the role over to the journal i.
func (r RoleRecord) HandsTo(i Instance) bool {
	return r.IsTo() && r.Has(i) && r.OwnerInstance() != i
}

// OwnAlone says whether the record names the journal i as sole member.
func (r RoleRecord) OwnAlone(i Instance) bool { return r.Kind == RecordAlone && r.OwnerInstance() == i }

func (r RoleRecord) String() string {
	if r.IsZero() {
		return "none"
	}
	set := ""
	for k := range int(r.Count) {
		if k > 0 {
			set += ","
		}
		set += r.Members[k].Name
	}
	s := fmt.Sprintf("e%d %s %s {%s}", r.Epoch, r.Members[r.Owner].Name, r.Kind, set)
	if r.Forced {
		s += " forced"
	}
	return s
}

// Layout of an encoded role record, version 1, little-endian (docs/ha.md):
//
//	 0  1  format, 1
//	 1  1  kind, 1..4
//	 2  1  flags: bit 0 forced, others 0
//	 3  1  count of members, 1 or 2
//	 4  1  owner, index of a member
//	 5  3  zero
//	 8  8  epoch, at least 1
//	16  8  register version
//	24  4  forced records so far
//	28  4  zero
//	32 16  node id
//	48     members, each: instance 16, length of name 1, name
const (
	recordFormat    = 1
	recordFixedSize = 48
	memberFixedSize = len(Instance{}) + 1
	flagForced      = 1

	// RecordSizeMax is the largest encoded role record in bytes.
	RecordSizeMax = recordFixedSize + membersMax*(memberFixedSize+NameMax)
)

var errRecord = errors.New("ha: role record is damaged or from a newer version")

// badRecord says what is wrong with the bytes of a role record.
func badRecord(format string, args ...any) error {
	return fmt.Errorf("%w: %s; run `hind journal verify` and compare the versions of both brokers", errRecord, fmt.Sprintf(format, args...))
}

// Append adds the encoded record to b. It panics on a record that Validate refuses: that is a mistake of ours.
func (r RoleRecord) Append(b []byte) []byte {
	if err := r.validate(); err != nil {
		panic(err)
	}
	var flags byte
	if r.Forced {
		flags |= flagForced
	}
	b = append(b, recordFormat, byte(r.Kind), flags, r.Count, r.Owner, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, r.Epoch)
	b = binary.LittleEndian.AppendUint64(b, r.Version)
	b = binary.LittleEndian.AppendUint32(b, r.Forces)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = append(b, r.NodeID[:]...)
	for k := range int(r.Count) {
		m := r.Members[k]
		b = append(b, m.Instance[:]...)
		b = append(b, byte(len(m.Name)))
		b = append(b, m.Name...)
	}
	return b
}

// Encode returns the record's bytes.
func (r RoleRecord) Encode() []byte { return r.Append(nil) }

// DecodeRecord reads a whole encoded role record. It never panics and accepts exactly what Encode makes.
func DecodeRecord(b []byte) (RoleRecord, error) {
	var r RoleRecord
	if len(b) < recordFixedSize {
		return r, badRecord("%d bytes, at least %d needed", len(b), recordFixedSize)
	}
	if b[0] != recordFormat {
		return r, badRecord("format %d, this version knows %d", b[0], recordFormat)
	}
	if b[2]&^flagForced != 0 || b[5]|b[6]|b[7] != 0 || binary.LittleEndian.Uint32(b[28:]) != 0 {
		return r, badRecord("reserved bits are set")
	}
	r.Kind, r.Forced, r.Count, r.Owner = RecordKind(b[1]), b[2]&flagForced != 0, b[3], b[4]
	r.Epoch = binary.LittleEndian.Uint64(b[8:])
	r.Version = binary.LittleEndian.Uint64(b[16:])
	r.Forces = binary.LittleEndian.Uint32(b[24:])
	copy(r.NodeID[:], b[32:])
	rest := b[recordFixedSize:]
	if r.Count > membersMax {
		return RoleRecord{}, badRecord("%d members, at most %d", r.Count, membersMax)
	}
	for k := range int(r.Count) {
		if len(rest) < memberFixedSize || len(rest) < memberFixedSize+int(rest[memberFixedSize-1]) {
			return RoleRecord{}, badRecord("member %d is cut off", k)
		}
		n := memberFixedSize + int(rest[memberFixedSize-1])
		copy(r.Members[k].Instance[:], rest)
		r.Members[k].Name = string(rest[memberFixedSize:n])
		rest = rest[n:]
	}
	if len(rest) != 0 {
		return RoleRecord{}, badRecord("%d bytes too many", len(rest))
	}
	if err := r.validate(); err != nil {
		return RoleRecord{}, err
	}
	return r, nil
}

// validate refuses what no broker writes.
func (r RoleRecord) validate() error {
	want := uint8(2)
	if r.Kind == RecordAlone {
		want = 1
	}
	switch {
	case r.Kind < RecordAlone || r.Kind > RecordToStop:
		return badRecord("unknown kind %d", uint8(r.Kind))
	case r.Count != want:
		return badRecord("%s with %d members", r.Kind, r.Count)
	case r.Owner >= r.Count:
		return badRecord("owner %d of %d members", r.Owner, r.Count)
	case r.Epoch == 0:
		return badRecord("epoch 0")
	case r.NodeID.IsZero():
		return badRecord("no node id")
	case r.Forced && r.Forces == 0:
		return badRecord("forced, but counts no forced record")
	}
	for k := range int(r.Count) {
		if r.Members[k].Instance.IsZero() {
			return badRecord("member %d has no journal instance", k)
		}
		if len(r.Members[k].Name) > NameMax {
			return badRecord("name of member %d has %d bytes, at most %d", k, len(r.Members[k].Name), NameMax)
		}
	}
	if r.Count == 2 && r.Members[0].Instance == r.Members[1].Instance {
		return badRecord("both members are the same journal")
	}
	return nil
}
