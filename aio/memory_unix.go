//go:build unix

package aio

import "golang.org/x/sys/unix"

// reserve maps n bytes outside the Go heap. Pages cost memory once they are touched.
func reserve(n int) ([]byte, error) {
	return unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
}

func unreserve(p []byte) error { return unix.Munmap(p) }
