package config

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A hashed password is what `artemis mask --hash` and `artemis user add` write: ENC(iterations:salt:hash), salt and hash
// in hexadecimal, the hash by PBKDF2 with HMAC-SHA-1. SHA-1 is what the files hold; its weakness (collisions) does not
// touch this use.
const (
	hashedPrefix = "ENC("
	hashedSuffix = ")"

	// The limits bound what one login may cost, whoever wrote the file.
	iterationsMax = 1 << 20
	saltSizeMax   = 256
	hashSizeMin   = 16
	hashSizeMax   = 256
)

// hashed is a parsed ENC(...) password.
type hashed struct {
	iterations int
	salt, hash []byte
}

// isHashed says whether a stored password is not plain text.
func isHashed(stored string) bool {
	return strings.HasPrefix(stored, hashedPrefix) && strings.HasSuffix(stored, hashedSuffix)
}

func parseHashed(stored string) (hashed, error) {
	inner := strings.TrimSuffix(strings.TrimPrefix(stored, hashedPrefix), hashedSuffix)
	parts := strings.Split(inner, ":")
	if len(parts) != 3 {
		return hashed{}, fmt.Errorf("has %d parts between colons where iterations:salt:hash has 3", len(parts))
	}
	n, err := strconv.Atoi(parts[0])
	if err != nil || n < 1 || n > iterationsMax {
		return hashed{}, fmt.Errorf("has iterations %.20q; a number from 1 to %d is expected", parts[0], iterationsMax)
	}
	salt, err := hex.DecodeString(parts[1])
	if err != nil || len(salt) == 0 || len(salt) > saltSizeMax {
		return hashed{}, fmt.Errorf("has a salt that is not 1 to %d bytes in hexadecimal", saltSizeMax)
	}
	hash, err := hex.DecodeString(parts[2])
	if err != nil || len(hash) < hashSizeMin || len(hash) > hashSizeMax {
		return hashed{}, fmt.Errorf("has a hash that is not %d to %d bytes in hexadecimal", hashSizeMin, hashSizeMax)
	}
	return hashed{iterations: n, salt: salt, hash: hash}, nil
}

// checkStored says what is wrong with a stored password, in words that follow "the password of user x", or nil.
func checkStored(stored string) error {
	switch {
	case stored == "":
		return errors.New("is empty")
	case isHashed(stored):
		_, err := parseHashed(stored)
		return err
	}
	return nil
}

// checkPassword compares a password with a stored one in constant time. An empty stored password never matches: it is
// what an unknown user has.
func checkPassword(stored, password string) bool {
	if !isHashed(stored) {
		return subtle.ConstantTimeCompare([]byte(stored), []byte(password)) == 1 && stored != ""
	}
	h, err := parseHashed(stored)
	if err != nil {
		return false
	}
	got, err := pbkdf2.Key(sha1.New, password, h.salt, h.iterations, len(h.hash))
	return err == nil && subtle.ConstantTimeCompare(got, h.hash) == 1
}
