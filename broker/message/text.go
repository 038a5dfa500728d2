package message

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// DecodeText turns UTF-16 little-endian bytes into a string. A surrogate without its partner becomes U+FFFD.
func DecodeText(b []byte) string {
	ascii := true
	for i := 0; i+1 < len(b); i += 2 {
		if b[i+1] != 0 || b[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		out := make([]byte, len(b)/2)
		for i := range out {
			out[i] = b[2*i]
		}
		return string(out)
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// AppendText appends s as UTF-16 little-endian.
func AppendText(dst []byte, s string) []byte {
	for _, r := range s {
		if r < 0x10000 {
			dst = append(dst, byte(r), byte(r>>8))
			continue
		}
		hi, lo := utf16.EncodeRune(r)
		dst = append(dst, byte(hi), byte(hi>>8), byte(lo), byte(lo>>8))
	}
	return dst
}

// textEqual compares UTF-16 little-endian bytes with a string without allocating.
func textEqual(b []byte, s string) bool {
	i := 0
	for _, r := range s {
		if r < 0x10000 {
			if i+2 > len(b) || b[i] != byte(r) || b[i+1] != byte(r>>8) {
				return false
			}
			i += 2
			continue
		}
		hi, lo := utf16.EncodeRune(r)
		if i+4 > len(b) || b[i] != byte(hi) || b[i+1] != byte(hi>>8) || b[i+2] != byte(lo) || b[i+3] != byte(lo>>8) {
			return false
		}
		i += 4
	}
	return i == len(b)
}

// AppendSimple appends s as a simple string (sstr).
func AppendSimple(dst []byte, s string) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = AppendText(dst, s)
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}
