//go:build !linux

package aio

import (
	"errors"
	"io"
	"os"
)

// openFile opens for buffered I/O: the portable build.
func openFile(name string, mode Mode, opts OSOptions, ft *fate) (*osFile, error) {
	return openPlain(name, mode, "direct I/O is used on Linux only", ft)
}

func (f *osFile) writeAt(p []byte, off int64) (int, error) { return f.f.WriteAt(p, off) }

// readAt reports the end of the file as 0 bytes, as the system call does.
func (f *osFile) readAt(p []byte, off int64) (int, error) {
	n, err := f.f.ReadAt(p, off)
	if n > 0 || errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// dataSync is os.File.Sync: F_FULLFSYNC on Darwin, FlushFileBuffers on Windows.
func dataSync(f *os.File) error { return f.Sync() }

// renameNew renames without replacing, as far as the platform allows; the directory's lock does the rest.
func renameNew(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return os.ErrExist
	}
	return os.Rename(from, to)
}

func createDirect(name string, _ int64) (*os.File, bool, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
	return f, false, err
}

func setBuffered(*os.File) error { return nil }

func preallocate(*os.File, int64) error { return nil }

// descriptor is not used by the portable engines.
func descriptor(*os.File) int { return -1 }

func isInvalid(error) bool { return false }
