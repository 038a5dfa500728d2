package aio

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// syncDir does nothing: NTFS logs its metadata, and a directory handle cannot be flushed.
func syncDir(string) error { return nil }

func tryLock(f *os.File) error {
	const far = 1 << 30 // beyond the note, which others may read while the lock is held
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{Offset: far})
	if err == windows.ERROR_LOCK_VIOLATION {
		return ErrLocked
	}
	return err
}

func isNoSpace(err error) bool    { return errors.Is(err, windows.ERROR_DISK_FULL) }
func isReadOnlyFS(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }
