package replication

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// The handshake, as a machine without I/O. The caller dialed, the answerer accepted.
//
//	caller                                   answerer
//	  | greeting "HINDCALL" ------------------> |   checks magic, version, that it is not itself
//	  | <------------- ok, greeting "HINDANSW"  |   or a refusal code
//	  | checks the same                         |
//	  | ok, proof of the caller --------------> |   or a refusal code
//	  | <--------------- ok, proof of answerer  |   or a refusal code
//	  |                                         |
//
// The caller proves itself first: a stranger who dials gets a nonce and nothing that could be searched for the
// password. Greeting, little-endian:
//
//	+0  magic    8 bytes, "HINDCALL" or "HINDANSW"
//	+8  version  u16   1
//	+10 nameSize u16   at most NameMax
//	+12 process  16 bytes, random, of this process
//	+28 nonce    32 bytes, random, of this connection
//	+60 name     of the broker, for people

const (
	protocolVersion = 1
	greetingFixed   = 60
	nonceSize       = 32
	// NameMax bounds the broker's name in the greeting.
	NameMax = 128
	// handshakeMax is how many bytes one side may have sent when the handshake ends.
	handshakeMax = greetingFixed + NameMax + 2 + sha256.Size

	magicCall   = "HINDCALL"
	magicAnswer = "HINDANSW"
)

// ProcessID is random per process; it tells a restarted broker from the same one.
type ProcessID [16]byte

func (p ProcessID) String() string { return fmt.Sprintf("%x", p[:]) }

// Peer is who proved itself at the other end of a Link.
type Peer struct {
	Name    string // the broker's name, for people; chosen by the peer
	Process ProcessID
	Address string // host:port of its end of the connection
}

// Reasons why a handshake fails. All but ErrPeerRefuses come from what the peer sent or did not.
var (
	// ErrStranger: what answered, or called, does not speak this protocol.
	ErrStranger = errors.New("not a broker's pair port")
	// ErrVersion: it is a pair port of a version that this broker does not speak.
	ErrVersion = errors.New("pair port protocol version is not known")
	// ErrWrongProof: it speaks the protocol and does not know the cluster user and password of this broker.
	ErrWrongProof = errors.New("cluster user or password differs")
	// ErrSelf: this process reached its own pair port.
	ErrSelf = errors.New("this is the broker's own pair port")
	// ErrPeerRefuses: the peer said no to us. Another reason of this list is wrapped beside it.
	ErrPeerRefuses = errors.New("the peer refuses")
)

// refusal codes, part of the protocol.
const (
	codeOK      = 0
	codeProof   = 1
	codeVersion = 2
	codeSelf    = 3
)

func refusal(code byte) error {
	switch code {
	case codeProof:
		return fmt.Errorf("%w: %w", ErrPeerRefuses, ErrWrongProof)
	case codeVersion:
		return fmt.Errorf("%w: %w", ErrPeerRefuses, ErrVersion)
	case codeSelf:
		return fmt.Errorf("%w: %w", ErrPeerRefuses, ErrSelf)
	}
	return fmt.Errorf("%w: code %d", ErrStranger, code)
}

func codeOf(err error) (code byte, tell bool) {
	switch {
	case errors.Is(err, ErrPeerRefuses), errors.Is(err, ErrStranger):
		return 0, false // it knows, or would not understand
	case errors.Is(err, ErrWrongProof):
		return codeProof, true
	case errors.Is(err, ErrVersion):
		return codeVersion, true
	case errors.Is(err, ErrSelf):
		return codeSelf, true
	}
	return 0, false
}

// step of the handshake: what is awaited next.
type step uint8

const (
	awaitGreeting step = iota // answerer: the call; caller: ok and the answer
	awaitProof
	proven
)

// identity is what a side brings to a handshake.
type identity struct {
	key     Key
	name    string
	process ProcessID
	nonce   [nonceSize]byte
}

// handshake is one side of one.
type handshake struct {
	id     identity
	caller bool
	step   step
	mine   []byte // greetings as sent
	theirs []byte
	peer   Peer
}

func newHandshake(id identity, caller bool) *handshake {
	h := &handshake{id: id, caller: caller}
	magic := magicAnswer
	if caller {
		magic = magicCall
	}
	h.mine = append(h.mine, magic...)
	h.mine = binary.LittleEndian.AppendUint16(h.mine, protocolVersion)
	h.mine = binary.LittleEndian.AppendUint16(h.mine, uint16(len(id.name)))
	h.mine = append(h.mine, id.process[:]...)
	h.mine = append(h.mine, id.nonce[:]...)
	h.mine = append(h.mine, id.name...)
	return h
}

// start returns what the caller sends first; nothing for the answerer.
func (h *handshake) start() []byte {
	if h.caller {
		return h.mine
	}
	return nil
}

// feed takes what has arrived, from the first byte not consumed yet. It returns how much it consumed and what is to
// be sent. After an error the reply, if any, is the refusal to send before the connection ends. done: the peer is
// proven, and what follows in data is frames.
func (h *handshake) feed(data []byte) (consumed int, reply []byte, done bool, err error) {
	for h.step != proven {
		n, out, err := h.take(data[consumed:])
		consumed += n
		reply = append(reply, out...)
		if err != nil {
			if code, tell := codeOf(err); tell {
				reply = append(reply, code)
			}
			return consumed, reply, false, err
		}
		if n == 0 {
			return consumed, reply, false, nil
		}
	}
	return consumed, reply, true, nil
}

// take handles one message if it is complete.
func (h *handshake) take(data []byte) (n int, reply []byte, err error) {
	start := 0
	if h.caller || h.step == awaitProof { // all but the call begin with a code
		if len(data) == 0 {
			return 0, nil, nil
		}
		if data[0] != codeOK {
			return 0, nil, refusal(data[0])
		}
		start = 1
	}
	if h.step == awaitGreeting {
		n, err = h.takeGreeting(data[start:])
	} else {
		n, err = h.takeProof(data[start:])
	}
	if n == 0 || err != nil {
		return 0, nil, err
	}
	return start + n, h.reply(), nil
}

// takeGreeting looks at each part as soon as it is there: a stranger is known by his first byte.
func (h *handshake) takeGreeting(data []byte) (int, error) {
	magic := magicCall
	if h.caller {
		magic = magicAnswer
	}
	if n := min(len(data), len(magic)); string(data[:n]) != magic[:n] {
		return 0, fmt.Errorf("%w: it begins with %q", ErrStranger, data[:min(len(data), 16)])
	}
	if len(data) >= 10 {
		if v := binary.LittleEndian.Uint16(data[8:]); v != protocolVersion {
			return 0, fmt.Errorf("%w: it speaks version %d, this broker version %d; run the same release on both",
				ErrVersion, v, protocolVersion)
		}
	}
	if len(data) < greetingFixed {
		return 0, nil
	}
	size := int(binary.LittleEndian.Uint16(data[10:]))
	if size > NameMax {
		return 0, fmt.Errorf("%w: its name has %d bytes, more than %d", ErrStranger, size, NameMax)
	}
	if len(data) < greetingFixed+size {
		return 0, nil
	}
	h.theirs = bytes.Clone(data[:greetingFixed+size])
	copy(h.peer.Process[:], h.theirs[12:])
	h.peer.Name = string(h.theirs[greetingFixed:])
	if h.peer.Process == h.id.process {
		return 0, fmt.Errorf("%w: the configured address of the peer leads back here; correct it", ErrSelf)
	}
	h.step = awaitProof
	return len(h.theirs), nil
}

func (h *handshake) takeProof(data []byte) (int, error) {
	if len(data) < sha256.Size {
		return 0, nil
	}
	call, answer := h.greetings()
	if !h.id.key.holds(roleByte(!h.caller), call, answer, data[:sha256.Size]) {
		return 0, fmt.Errorf("%w between this broker and %q: set the same <cluster-user> and <cluster-password> on both",
			ErrWrongProof, h.peer.Name)
	}
	h.step = proven
	return sha256.Size, nil
}

// reply follows a message that was accepted.
func (h *handshake) reply() []byte {
	switch {
	case !h.caller && h.step == awaitProof:
		return append([]byte{codeOK}, h.mine...)
	case h.caller && h.step == proven:
		return nil
	}
	call, answer := h.greetings()
	proof := h.id.key.proof(roleByte(h.caller), call, answer)
	return append([]byte{codeOK}, proof[:]...)
}

func (h *handshake) greetings() (call, answer []byte) {
	if h.caller {
		return h.mine, h.theirs
	}
	return h.theirs, h.mine
}

func roleByte(caller bool) byte {
	if caller {
		return 'C'
	}
	return 'A'
}
