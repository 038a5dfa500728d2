package aio

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// DetectFS says what file system dir is on, or the nearest parent of it that exists. It never fails: what cannot be
// found out is "unknown".
func DetectFS(dir string) FileSystem {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return FileSystem{Type: "unknown"}
	}
	if real, err := filepath.EvalSymlinks(parentOf(abs)); err == nil {
		abs = real
	}
	f := FileSystem{Type: "unknown"}
	var st unix.Stat_t
	if mounts, err := os.Open("/proc/self/mountinfo"); err == nil && unix.Stat(abs, &st) == nil {
		device := fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))
		f = findMount(mounts, abs, device)
		_ = mounts.Close() // was only read
	}
	if f.Type == "unknown" {
		f.Type = typeByMagic(abs)
	}
	f.assess()
	return f
}

// findMount looks for the mount of path: the deepest mount point above it, the last one of those (it covers the others),
// and one with its device number before one without (btrfs and overlayfs give files other numbers).
func findMount(mountinfo io.Reader, path, device string) FileSystem {
	best := FileSystem{Type: "unknown"}
	bestRank := -1
	for s := bufio.NewScanner(mountinfo); s.Scan(); {
		// 36 35 98:0 /root /mount rw,noatime master:1 - ext4 /dev/sda1 rw,data=ordered
		left, right, ok := strings.Cut(s.Text(), " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 6 || len(r) < 3 {
			continue
		}
		point := unescape(l[4])
		if path != point && !strings.HasPrefix(path, strings.TrimSuffix(point, "/")+"/") {
			continue
		}
		rank := 2 * len(point)
		if l[2] == device {
			rank++
		}
		if rank < bestRank {
			continue
		}
		options := strings.Split(l[5]+","+r[2], ",")
		slices.Sort(options)
		best, bestRank = FileSystem{Type: shortType(r[0]), Mount: point, Options: slices.Compact(options)}, rank
	}
	return best
}

// unescape turns the octal escapes of mountinfo back.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// shortType takes variants together.
func shortType(t string) string {
	switch {
	case strings.HasPrefix(t, "nfs"):
		return "nfs"
	case t == "fuse" || t == "fuseblk" || strings.HasPrefix(t, "fuse."):
		return "fuse"
	}
	return t
}

// typeByMagic asks the file system itself, for machines without a readable mount table.
func typeByMagic(path string) string {
	var st unix.Statfs_t
	if retry(func() error { return unix.Statfs(path, &st) }) != nil {
		return "unknown"
	}
	switch uint32(st.Type) {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4" // ext2 and ext3 say the same
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.RAMFS_MAGIC:
		return "ramfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlay"
	case unix.NFS_SUPER_MAGIC:
		return "nfs"
	case unix.FUSE_SUPER_MAGIC:
		return "fuse"
	case unix.F2FS_SUPER_MAGIC:
		return "f2fs"
	case 0x2FC12FC1:
		return "zfs"
	}
	return "unknown"
}
