package aio

import (
	"slices"
	"strings"
	"testing"
)

const sampleMounts = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
30 22 0:26 / /tmp rw,nosuid - tmpfs tmpfs rw,size=1g
31 22 8:17 / /data rw,noatime - xfs /dev/sdb1 rw,nobarrier
32 22 8:18 / /data rw,noatime - ext4 /dev/sdb2 rw,data=journal
33 22 0:40 /sub /pool/with\040space rw - btrfs /dev/sdc rw,ssd
34 22 0:41 / /srv rw - nfs4 host:/export rw,vers=4.2
35 22 0:42 / /fs rw - fuse.sshfs x rw
broken line
36 22 0:43 / /ov rw - overlay overlay rw,lowerdir=a
`

func TestFindMount(t *testing.T) {
	for _, c := range []struct{ path, device, want, mount string }{
		{"/", "254:0", "ext4", "/"},
		{"/tmpfile", "254:0", "ext4", "/"},
		{"/tmp/x", "0:26", "tmpfs", "/tmp"},
		{"/data/j", "8:18", "ext4", "/data"}, // the later mount covers the earlier one
		{"/data/j", "8:17", "xfs", "/data"},
		{"/pool/with space/j", "0:99", "btrfs", "/pool/with space"}, // btrfs: other device numbers
		{"/srv/a/b", "0:41", "nfs", "/srv"},
		{"/fs/a", "0:42", "fuse", "/fs"},
		{"/ov/var", "0:43", "overlay", "/ov"},
	} {
		f := findMount(strings.NewReader(sampleMounts), c.path, c.device)
		if f.Type != c.want || f.Mount != c.mount {
			t.Errorf("%s on %s: %s at %s", c.path, c.device, f.Type, f.Mount)
		}
	}
	f := findMount(strings.NewReader(sampleMounts), "/data/j", "8:18")
	if want := []string{"data=journal", "noatime", "rw"}; !slices.Equal(f.Options, want) {
		t.Errorf("options %v", f.Options)
	}
}

func TestAssess(t *testing.T) {
	for _, c := range []struct {
		fs   FileSystem
		want string // "": no warning
	}{
		{FileSystem{Type: "ext4", Options: []string{"data=ordered", "rw"}}, ""},
		{FileSystem{Type: "xfs"}, ""},
		{FileSystem{Type: "unknown"}, ""},
		{FileSystem{Type: "ext4", Options: []string{"data=journal"}}, "data=journal"},
		{FileSystem{Type: "ext4", Options: []string{"barrier=0"}}, "barriers"},
		{FileSystem{Type: "xfs", Options: []string{"nobarrier"}}, "barriers"},
		{FileSystem{Type: "btrfs"}, "btrfs"}, {FileSystem{Type: "zfs"}, "zfs"}, {FileSystem{Type: "overlay"}, "overlayfs"},
		{FileSystem{Type: "nfs"}, "NFS"}, {FileSystem{Type: "tmpfs"}, "memory"}, {FileSystem{Type: "fuse"}, "FUSE"},
	} {
		c.fs.assess()
		got := strings.Join(c.fs.Warnings, " ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q", c.fs, got)
		}
	}
}

func TestDetectFSHere(t *testing.T) {
	dir := t.TempDir()
	there, below := DetectFS(dir), DetectFS(dir+"/not/there/yet")
	if there.Type == "unknown" || there.Mount == "" || there.Type != below.Type || there.Mount != below.Mount {
		t.Errorf("%+v, below %+v", there, below)
	}
	if p := DetectFS("/proc"); p.Type != "proc" {
		t.Errorf("/proc is %+v", p)
	}
	if m := typeByMagic(dir); m != there.Type {
		t.Errorf("by magic %s, by mount table %s", m, there.Type)
	}
}
