package replication

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"fmt"
)

// keyIterations makes a search for the password dearer for whoever has recorded a handshake, or made one of our callers
// answer his challenge. It costs one start of a broker some 25 ms, paid again at every restart of a failed process:
// more iterations would lengthen failback, and a cluster password is a machine's secret that can be long.
const keyIterations = 100_000

// Key is what both brokers of a pair derive from the cluster user and password. It is made once per process: deriving
// it is slow on purpose. Keys are not comparable by accident and print as nothing.
type Key struct{ secret [sha256.Size]byte }

// ErrNoPassword refuses an empty cluster user or password: everyone knows it.
var ErrNoPassword = errors.New("cluster user and password must not be empty: set <cluster-user> and " +
	"<cluster-password>, the same on both brokers")

// DeriveKey makes the key of a cluster user and password.
func DeriveKey(user, password string) (Key, error) {
	if user == "" || password == "" {
		return Key{}, ErrNoPassword
	}
	// The salt is fixed by necessity: the two brokers share nothing else. It binds the user and this protocol.
	b, err := pbkdf2.Key(sha256.New, password, []byte("hind pair port 1\x00"+user), keyIterations, sha256.Size)
	if err != nil {
		return Key{}, fmt.Errorf("derive the key of the pair port: %w", err)
	}
	var k Key
	copy(k.secret[:], b)
	return k, nil
}

// String keeps the key out of logs.
func (Key) String() string { return "(key)" }

// GoString does so for %#v.
func (Key) GoString() string { return "(key)" }

// proof is what shows that a side knows the key: bound to its role and to both greetings, and so to both nonces,
// processes and names. A proof of one role is no use in the other, nor on another connection.
func (k Key) proof(role byte, call, answer []byte) [sha256.Size]byte {
	mac := hmac.New(sha256.New, k.secret[:])
	mac.Write([]byte("hind pair proof 1\x00"))
	mac.Write([]byte{role})
	mac.Write(call)   // greetings carry their own length, so their border is fixed
	mac.Write(answer) //
	var p [sha256.Size]byte
	mac.Sum(p[:0])
	return p
}

func (k Key) holds(role byte, call, answer, proof []byte) bool {
	want := k.proof(role, call, answer)
	return hmac.Equal(want[:], proof)
}
