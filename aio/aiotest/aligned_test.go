package aiotest_test

import "reflect"

// alignedBytes is a slice whose address is a multiple of 4096.
func alignedBytes(n int) []byte {
	p := make([]byte, n+4096)
	skip := -int(reflect.ValueOf(p).Pointer()) & 4095
	return p[skip : skip+n : skip+n]
}
