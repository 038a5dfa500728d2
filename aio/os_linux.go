package aio

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// openFile opens for direct I/O where it can. Reads of a read-only handle go through the page cache: tools read small
// pieces, and a journal that lives is written around it.
func openFile(name string, mode Mode, opts OSOptions, ft *fate) (*osFile, error) {
	switch {
	case mode == ReadOnly:
		return openPlain(name, mode, "opened read-only", ft)
	case opts.Buffered:
		return openPlain(name, mode, "buffered I/O was asked for", ft)
	}
	flag := os.O_RDWR | unix.O_DIRECT
	if opts.Sync == SyncDSync {
		flag |= unix.O_DSYNC
	}
	f, err := os.OpenFile(name, flag, 0)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		return openPlain(name, mode, "the file system refuses O_DIRECT: "+unwrapErrno(err), ft)
	}
	if err != nil {
		return nil, explain("open", name, err)
	}
	align, reason := directAlign(descriptor(f))
	if reason != "" {
		if err := f.Close(); err != nil {
			return nil, explain("open", name, err)
		}
		return openPlain(name, mode, reason, ft)
	}
	return wrap(f, mode, Description{Direct: true, Align: align, Sync: opts.Sync}, ft)
}

// directAlign asks the kernel for the alignment of direct I/O; a reason means that there is none to be used.
func directAlign(fd int) (align int, reason string) {
	var st unix.Statx_t
	err := retry(func() error { return unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &st) })
	if err != nil || st.Mask&unix.STATX_DIOALIGN == 0 {
		return BufferAlign, "" // an older kernel, or a file system that does not say: safe for all that are known
	}
	return chooseAlign(int(st.Dio_mem_align), int(st.Dio_offset_align))
}

// chooseAlign is one alignment for address and offset.
func chooseAlign(memory, offset int) (align int, reason string) {
	switch align = max(memory, offset); {
	case memory == 0 || offset == 0:
		return 0, "the file system does no direct I/O on this file"
	case align > BufferAlign || BufferAlign%align != 0:
		return 0, fmt.Sprintf("direct I/O wants an alignment of %d, buffers have %d", align, BufferAlign)
	}
	return align, ""
}

// retry repeats a call that a signal interrupted before it did anything.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

func unwrapErrno(err error) string {
	var e unix.Errno
	if errors.As(err, &e) {
		return e.Error()
	}
	return err.Error()
}

func (f *osFile) writeAt(p []byte, off int64) (n int, err error) {
	err = retry(func() (err error) { n, err = unix.Pwrite(f.fd, p, off); return err })
	return n, err
}

func (f *osFile) readAt(p []byte, off int64) (n int, err error) {
	err = retry(func() (err error) { n, err = unix.Pread(f.fd, p, off); return err })
	return n, err
}

// dataSync is called once: see writeDurable.
func dataSync(f *os.File) error { return unix.Fdatasync(descriptor(f)) }

// syncDir makes the names in dir durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return explain("sync directory", dir, err)
	}
	if err := unix.Fsync(descriptor(f)); err != nil {
		return errors.Join(explain("sync directory", dir, err), f.Close())
	}
	return f.Close()
}

// renameNew renames without replacing.
func renameNew(from, to string) error {
	err := retry(func() error { return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE) })
	if err == unix.EINVAL || err == unix.ENOSYS { // this file system cannot; the directory's lock has to do
		if _, err := os.Lstat(to); err == nil {
			return unix.EEXIST
		}
		return os.Rename(from, to)
	}
	return err
}

// createDirect makes a new file for zero-filling, direct if size allows it, so that zeros do not drive out the cache.
func createDirect(name string, size int64) (f *os.File, direct bool, err error) {
	flag := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if size%BufferAlign == 0 {
		f, err = os.OpenFile(name, flag|unix.O_DIRECT, filePerm)
		if err == nil {
			return f, true, nil
		}
		// Some file systems make the name before they refuse.
		if removeErr := os.Remove(name); removeErr != nil && !errors.Is(removeErr, os.ErrNotExist) {
			return nil, false, err
		}
	}
	f, err = os.OpenFile(name, flag, filePerm)
	return f, false, err
}

// setBuffered turns direct I/O off.
func setBuffered(f *os.File) error {
	fl, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_SETFL, fl&^unix.O_DIRECT)
	}
	return err
}

// preallocate reserves the space: a full disk is known before the first zero is written. File systems that cannot are
// none the worse.
func preallocate(f *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	err := retry(func() error { return unix.Fallocate(descriptor(f), 0, 0, size) })
	if isNoSpace(err) || err == unix.EDQUOT || err == unix.EFBIG {
		return err
	}
	return nil
}

// tryLock takes an OFD lock: unlike a POSIX lock it is not lost when another descriptor of the file is closed, and it
// also holds against a second opener in this process.
func tryLock(f *os.File) error {
	l := unix.Flock_t{Type: unix.F_WRLCK, Whence: 0}
	err := retry(func() error { return unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &l) })
	if err == unix.EAGAIN || err == unix.EACCES {
		return ErrLocked
	}
	return err
}

// descriptor is the number of an open file. It stays usable as long as f is open.
func descriptor(f *os.File) int { return int(f.Fd()) }

func isNoSpace(err error) bool    { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
func isReadOnlyFS(err error) bool { return errors.Is(err, unix.EROFS) }
func isInvalid(err error) bool    { return errors.Is(err, unix.EINVAL) }

// parentOf is the directory to examine for a name that may not exist yet.
func parentOf(name string) string {
	for {
		if _, err := os.Stat(name); err == nil || name == filepath.Dir(name) {
			return name
		}
		name = filepath.Dir(name)
	}
}
