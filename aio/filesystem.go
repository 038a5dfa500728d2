package aio

import (
	"fmt"
	"slices"
	"strings"
)

// FileSystem is what was found about where a directory lies.
type FileSystem struct {
	Type    string   // "ext4", "xfs", ...; "unknown"
	Mount   string   // mount point
	Options []string // of the mount and of the file system, sorted
	// Warnings name what breaks an assumption of the journal, each a sentence with what to do.
	Warnings []string
}

func (f FileSystem) String() string {
	if f.Mount == "" {
		return f.Type
	}
	return fmt.Sprintf("%s at %s", f.Type, f.Mount)
}

// assess fills Warnings from type and options. What each is about: overwriting in place (a copy-on-write file system
// allocates and writes metadata for each write, and may run out of space on an overwrite), a sync that reaches the disk,
// and a name that stays with its file.
func (f *FileSystem) assess() {
	warn := func(format string, args ...any) { f.Warnings = append(f.Warnings, fmt.Sprintf(format, args...)) }
	switch f.Type {
	case "btrfs":
		warn("btrfs copies on write: set the directory to no-copy (chattr +C) before the journal is made, or use ext4 or xfs")
	case "zfs", "bcachefs":
		warn("%s copies on write: slots made in advance do not keep their place; use ext4 or xfs", f.Type)
	case "f2fs", "nilfs":
		warn("%s writes each overwrite to another place: use ext4 or xfs", f.Type)
	case "overlay":
		warn("overlayfs is a container's own layer: it is gone with the container; mount a volume")
	case "nfs":
		warn("NFS: locks and syncs depend on the server and its mount options; two brokers must never share this directory")
	case "cifs", "smb2":
		warn("SMB: syncs and locks depend on the server; use a local disk")
	case "tmpfs", "ramfs":
		warn("%s lies in memory: nothing survives a power cut or a reboot", f.Type)
	case "fuse":
		warn("a FUSE file system: what a sync means there is up to its server")
	case "9p", "virtiofs":
		warn("%s is served by the host: what a sync means there is up to the host", f.Type)
	}
	has := func(option string) bool { return slices.Contains(f.Options, option) }
	if strings.HasPrefix(f.Type, "ext") && has("data=journal") {
		warn("mounted with data=journal: every write goes to the disk twice, and direct I/O is off; mount with data=ordered")
	}
	if has("nobarrier") || has("barrier=0") {
		warn("mounted without barriers: a sync does not empty the disk's cache; remount with barriers")
	}
}
