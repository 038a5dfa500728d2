//go:build !unix

package aio

// reserve takes n aligned bytes from the Go heap.
func reserve(n int) ([]byte, error) {
	p := make([]byte, n+BufferAlign)
	skip := int(-address(p) & (BufferAlign - 1))
	return p[skip : skip+n : skip+n], nil
}

func unreserve([]byte) error { return nil }
