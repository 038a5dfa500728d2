//go:build aix || solaris

package aio

import (
	"os"

	"golang.org/x/sys/unix"
)

// flock does not exist here; the POSIX lock does not hold against a second opener in the same process.
func flock(f *os.File) error {
	l := unix.Flock_t{Type: unix.F_WRLCK}
	err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &l)
	if err == unix.EAGAIN || err == unix.EACCES {
		return unix.EWOULDBLOCK
	}
	return err
}
