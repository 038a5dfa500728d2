package replication

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func testIdentity(key Key, name string) identity {
	id := identity{key: key, name: name}
	copy(id.process[:], strings.Repeat(name, 16))
	for i := range id.nonce {
		id.nonce[i] = byte(len(name) + i)
	}
	return id
}

// shake runs two sides against each other, in pieces of the given size, until both are done or one fails. It returns
// what each said.
func shake(call, answer *handshake, piece int) (said [2][]byte, errs [2]error, done [2]bool) {
	sides := [2]*handshake{call, answer}
	said[0] = append(said[0], call.start()...)
	var taken [2]int // of what the other said
	for progress := true; progress; {
		progress = false
		for i, h := range sides {
			heard := said[1-i]
			for end := taken[i]; errs[i] == nil && !done[i] && end < len(heard); {
				end = min(end+piece, len(heard))
				n, reply, ok, err := h.feed(heard[taken[i]:end])
				taken[i] += n
				said[i] = append(said[i], reply...)
				errs[i], done[i] = err, ok
				progress = progress || n > 0 || len(reply) > 0 || err != nil
			}
		}
	}
	return said, errs, done
}

func TestHandshake(t *testing.T) {
	for _, piece := range []int{1, 7, 1000} {
		call, answer := newHandshake(testIdentity(testKey(), "left"), true), newHandshake(testIdentity(testKey(), "right"), false)
		said, errs, done := shake(call, answer, piece)
		if !done[0] || !done[1] || errs[0] != nil || errs[1] != nil {
			t.Fatalf("pieces of %d: %v %v", piece, done, errs)
		}
		if call.peer.Name != "right" || answer.peer.Name != "left" || call.peer.Process != answer.id.process {
			t.Errorf("peers %+v, %+v", call.peer, answer.peer)
		}
		for i, s := range said {
			if len(s) > handshakeMax {
				t.Errorf("side %d sent %d bytes, more than %d", i, len(s), handshakeMax)
			}
			for _, secret := range [][]byte{[]byte("secret"), testKeyBytes()} {
				if bytes.Contains(s, secret) {
					t.Errorf("side %d sent a secret", i)
				}
			}
		}
	}
}

func TestGoldenHandshake(t *testing.T) {
	lines := golden(t, "handshake.hex")
	if len(lines) != 3 {
		t.Fatalf("%d vectors", len(lines))
	}
	if got := hex.EncodeToString(testKeyBytes()); got != lines[0] {
		t.Errorf("the key is %s instead of %s", got, lines[0])
	}
	said, _, _ := shake(newHandshake(testIdentity(testKey(), "left"), true), newHandshake(testIdentity(testKey(), "right"), false), 1)
	for i, side := range []string{"caller", "answerer"} {
		if got := hex.EncodeToString(said[i]); got != lines[1+i] {
			t.Errorf("the %s says\n%s instead of\n%s", side, got, lines[1+i])
		}
	}
}

func testKeyBytes() []byte {
	k := testKey()
	return k.secret[:]
}

func TestHandshakeFailures(t *testing.T) {
	left, right := testIdentity(testKey(), "left"), testIdentity(testKey(), "right")
	wrong := testIdentity(otherKey(), "left")
	same := testIdentity(testKey(), "left")
	same.nonce[0]++
	for _, test := range []struct {
		name         string
		call, answer identity
		mangle       func(call, answer *handshake)
		wantCall     error
		wantAnswer   error
	}{
		{"wrong password", wrong, right, nil, ErrPeerRefuses, ErrWrongProof},
		{"own port", same, left, nil, ErrPeerRefuses, ErrSelf},
		{"newer caller", left, right, func(c, _ *handshake) { c.mine[8] = 2 }, ErrPeerRefuses, ErrVersion},
		{"newer answerer", left, right, func(_, a *handshake) { a.mine[8] = 2 }, ErrVersion, ErrPeerRefuses},
		{"name too long", left, right, func(c, _ *handshake) { c.mine[10] = NameMax + 1 }, nil, ErrStranger},
	} {
		call, answer := newHandshake(test.call, true), newHandshake(test.answer, false)
		if test.mangle != nil {
			test.mangle(call, answer)
		}
		_, errs, done := shake(call, answer, 1000)
		if !errors.Is(errs[0], test.wantCall) || !errors.Is(errs[1], test.wantAnswer) || done[1] {
			t.Errorf("%s: caller %v, answerer %v", test.name, errs[0], errs[1])
		}
		// The caller is told the reason, not only that there is one.
		if errors.Is(errs[0], ErrPeerRefuses) && !errors.Is(errs[0], test.wantAnswer) {
			t.Errorf("%s: the caller learns only %v", test.name, errs[0])
		}
	}
}

// TestAnswererMustProveItself plays an answerer that knows no password: nothing it can send makes it a peer.
func TestAnswererMustProveItself(t *testing.T) {
	fake := newHandshake(testIdentity(otherKey(), "right"), false)
	call := newHandshake(testIdentity(testKey(), "left"), true)
	_, greeting, _, err := fake.feed(call.start())
	if err != nil {
		t.Fatal(err)
	}
	_, proof, done, err := call.feed(greeting)
	if err != nil || done || len(proof) != 33 {
		t.Fatalf("the caller says %x, %v, %v", proof, done, err)
	}
	// Its own proof sent back (reflection), a proof made with another key, noise.
	c, a := call.greetings()
	other := otherKey().proof('A', c, a)
	for _, attempt := range [][]byte{proof[1:], other[:], make([]byte, 32)} {
		again := *call
		n, reply, done, err := again.feed(append([]byte{codeOK}, attempt...))
		if !errors.Is(err, ErrWrongProof) || done || n != 0 || !bytes.Equal(reply, []byte{codeProof}) {
			t.Errorf("attempt %x: %d %x %v %v", attempt[:4], n, reply, done, err)
		}
	}
}

// TestProofsBindEverything changes one byte of the transcript at a time: the proof no longer holds.
func TestProofsBindEverything(t *testing.T) {
	key := testKey()
	call, answer := newHandshake(testIdentity(key, "left"), true).mine, newHandshake(testIdentity(key, "right"), false).mine
	proof := key.proof('C', call, answer)
	if !key.holds('C', call, answer, proof[:]) {
		t.Fatal("a right proof does not hold")
	}
	if key.holds('A', call, answer, proof[:]) || key.holds('C', answer, call, proof[:]) {
		t.Error("it holds in the other role")
	}
	for _, text := range [][]byte{call, answer} {
		for i := range text {
			text[i] ^= 1
			if key.holds('C', call, answer, proof[:]) {
				t.Errorf("byte %d is not bound", i)
			}
			text[i] ^= 1
		}
	}
}

func TestStrangersAreKnownEarly(t *testing.T) {
	for _, first := range []string{"G", "GET / HTTP/1.1\r\n", "ARTEMIS", "\x16\x03\x01", "HINDANSW", "hindcall", strings.Repeat("A", 1000)} {
		h := newHandshake(testIdentity(testKey(), "right"), false)
		n, reply, done, err := h.feed([]byte(first))
		if !errors.Is(err, ErrStranger) || n != 0 || len(reply) != 0 || done {
			t.Errorf("%q: %d %q %v %v", first, n, reply, done, err)
		}
	}
	for _, first := range []string{"SSH-2.0", "\x00SSH", "\x09"} {
		h := newHandshake(testIdentity(testKey(), "left"), true)
		if _, reply, done, err := h.feed([]byte(first)); !errors.Is(err, ErrStranger) || len(reply) != 0 || done {
			t.Errorf("%q: %q %v %v", first, reply, done, err)
		}
	}
}

func TestKeys(t *testing.T) {
	if _, err := DeriveKey("", "x"); !errors.Is(err, ErrNoPassword) {
		t.Error(err)
	}
	if _, err := DeriveKey("x", ""); !errors.Is(err, ErrNoPassword) {
		t.Error(err)
	}
	if testKey() == otherKey() {
		t.Error("two passwords, one key")
	}
	k := testKey()
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s", k, k, k, k)} {
		if strings.Contains(s, hex.EncodeToString(k.secret[:4])) || strings.Contains(s, fmt.Sprint(k.secret[0])) {
			t.Errorf("a key prints as %s", s)
		}
	}
}

func FuzzHandshake(f *testing.F) {
	said, _, _ := shake(newHandshake(testIdentity(testKey(), "left"), true), newHandshake(testIdentity(testKey(), "right"), false), 1)
	f.Add(said[0], false, uint8(5))
	f.Add(said[1], true, uint8(1))
	f.Add([]byte("GET / HTTP/1.1"), false, uint8(1))
	f.Add([]byte{codeProof}, true, uint8(0))
	f.Fuzz(func(t *testing.T, wire []byte, caller bool, piece uint8) {
		name := "right"
		if caller {
			name = "left"
		}
		h := newHandshake(testIdentity(testKey(), name), caller)
		sent, kept := len(h.start()), []byte(nil)
		for len(wire) > 0 {
			n := min(int(piece)+1, len(wire))
			kept = append(kept, wire[:n]...)
			wire = wire[n:]
			consumed, reply, done, err := h.feed(kept)
			kept = kept[consumed:]
			if sent += len(reply); sent > handshakeMax+1 {
				t.Fatalf("it sends %d bytes", sent)
			}
			if err != nil {
				if done {
					t.Fatal("failed and done")
				}
				return
			}
			if done {
				call, answer := h.greetings()
				proof := h.id.key.proof(roleByte(!caller), call, answer)
				if !bytes.Contains(append([]byte(nil), said[0]...), proof[:]) && !bytes.Contains(said[1], proof[:]) {
					t.Fatal("somebody without the key was let in")
				}
				return
			}
			if len(kept) > handshakeMax {
				t.Fatalf("%d bytes are held before the proof", len(kept))
			}
		}
	})
}
