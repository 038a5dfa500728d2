package aio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// fillSize is the size of one zero write of Create: large enough for the disk's full rate, small enough that progress
// moves.
const fillSize = 1 << 20

// Create implements FS: fill under a temporary name, sync, rename, sync the directory. A crash leaves the whole file or
// none, and at most a temporary one. Real zeros, not only reserved space: writing into unwritten extents costs a
// metadata write each, two to three times as much as overwriting.
func (o *OS) Create(name string, size int64, progress func(done int64)) error {
	name, err := filepath.Abs(filepath.FromSlash(name))
	if err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	if size < 0 {
		return fmt.Errorf("create %s: %w: %d bytes", name, ErrOutside, size)
	}
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("create %s: %w", name, fs.ErrExist)
	}
	temp := filepath.Join(filepath.Dir(name), Temporary(filepath.Base(name)))
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return explain("remove the remains of an earlier create,", temp, err)
	}
	err = zeroFile(temp, size, progress)
	if err == nil {
		err = renameNew(temp, name)
	}
	if err != nil {
		return errors.Join(explain("create", name, err), clearTemp(temp))
	}
	return syncDir(filepath.Dir(name))
}

// clearTemp removes the temporary file of a failed create, so that a full disk is not kept full by it.
func clearTemp(temp string) error {
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return explain("remove", temp, err)
	}
	return nil
}

// zeroFile makes a file of real zeros and syncs it.
func zeroFile(temp string, size int64, progress func(done int64)) (err error) {
	f, direct, err := createDirect(temp, size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := preallocate(f, size); err != nil {
		return err
	}
	zeros, err := reserve(fillSize)
	if err != nil {
		return err
	}
	for done := int64(0); done < size && err == nil; {
		n := min(fillSize, size-done)
		if _, err = f.WriteAt(zeros[:n], done); direct && done == 0 && isInvalid(err) {
			// Taken at open and refused at the write: some file systems are like that.
			direct, err = false, setBuffered(f)
			continue
		}
		done += n
		if progress != nil && err == nil {
			progress(done)
		}
	}
	if err := errors.Join(err, unreserve(zeros)); err != nil {
		return err
	}
	return f.Sync() // not only the data: the size is metadata
}
