//go:build unix && !linux

package aio

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return explain("sync directory", dir, err)
	}
	if err := f.Sync(); err != nil {
		return errors.Join(explain("sync directory", dir, err), f.Close())
	}
	return f.Close()
}

// tryLock uses flock: it belongs to the open file, like the OFD lock of Linux.
func tryLock(f *os.File) error {
	err := flock(f)
	if err == unix.EWOULDBLOCK {
		return ErrLocked
	}
	return err
}

func isNoSpace(err error) bool    { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
func isReadOnlyFS(err error) bool { return errors.Is(err, unix.EROFS) }
