package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files of this package")

// golden compares text with a file under testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (renew with -update):\n%s", path, diff(string(want), got))
	}
}

// diff shows the first line that differs.
func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := 0; i < len(w) || i < len(g); i++ {
		var a, b string
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return "want: " + a + "\n got: " + b
		}
	}
	return ""
}

// instance makes a directory like that of an Artemis instance, with the given files in etc.
func instance(t *testing.T, files map[string]string) (broker string) {
	t.Helper()
	etc := filepath.Join(t.TempDir(), "etc")
	if err := os.Mkdir(etc, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(etc, "broker.xml")
}

func sample(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The two files that start a pair load as they are, and what they ask for beyond what is built is said.
func TestLoadSamplePair(t *testing.T) {
	for _, role := range []Role{Primary, Backup} {
		t.Run(string(role), func(t *testing.T) {
			path := instance(t, map[string]string{
				"broker.xml": sample(t, string(role)+"-broker.xml"),
				usersFile:    "admin = admin\n",
				rolesFile:    "amq = admin\n",
			})
			c, notices, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			checkSamplePair(t, c, role)
			var lines []string
			for _, n := range notices {
				lines = append(lines, strings.ReplaceAll(n.String(), path, "broker.xml"))
			}
			golden(t, string(role)+"-notices.txt", strings.Join(lines, "\n")+"\n")
		})
	}
}

func checkSamplePair(t *testing.T, c *Config, role Role) {
	t.Helper()
	own, other := 61616, 61617
	if role == Backup {
		own, other = other, own
	}
	root := filepath.Dir(filepath.Dir(c.File))
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	check("name", c.Name, string(role))
	check("policy", c.HA.Policy, Replication)
	check("role", c.HA.Role, role)
	check("asks for failback", c.HA.AskFailback, role == Primary)
	check("allows failback", c.HA.AllowFailback, true)
	check("journal", c.JournalDir(), filepath.Join(root, "data", "journal"))
	check("engine", c.Journal.Engine, EnginePwrite)
	check("file size", c.Journal.FileSize, int64(10<<20))
	check("client port", c.Acceptors[0].Port, own)
	check("pair port", c.PairListen(), HostPort{"127.0.0.1", own + 1000})
	check("self", c.Self(), HostPort{"127.0.0.1", own})
	check("peers", c.Peers(), []Peer{{"node0", HostPort{"127.0.0.1", other}, HostPort{"127.0.0.1", other + 1000}}})
	check("cluster login", [2]string{c.Cluster.User, c.Cluster.Password}, [2]string{"cluster", "clusterpw"})
	roles, ok := c.Security.Users.Authenticate("admin", "admin")
	check("login", ok, true)
	check("may send", c.Security.Allowed(roles, Send, "any.queue"), true)
	check("may view", c.Security.Allowed(roles, View, "any.queue"), false)
	s := c.SettingsFor("orders")
	check("dead letters", s.DeadLetterAddress, "DLQ")
	check("auto-delete", s.AutoDeleteQueues, false)
	check("queues", c.Addresses[1].Queues[0].Name, "ExpiryQueue")
}

func TestEmbeddedDefaults(t *testing.T) {
	c, notices, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Acceptors) != 1 || c.Acceptors[0].Host != "127.0.0.1" || c.Acceptors[0].Port != 61616 {
		t.Errorf("acceptors are %v; loopback only is expected", c.Acceptors)
	}
	if c.Security.Enabled || c.HA.Policy != NoHA || c.JournalDir() != filepath.Join("data", "journal") {
		t.Errorf("unexpected defaults: %+v", c)
	}
	want := "no broker.xml is given: listening on 127.0.0.1:61616 only, no login is asked for, data in ./data/journal"
	if len(notices) != 1 || notices[0].String() != want {
		t.Errorf("notices are %v", notices)
	}
	if s := c.SettingsFor("x"); s.DeadLetterAddress != "DLQ" || s.ExpiryAddress != "ExpiryQueue" {
		t.Errorf("settings are %+v", s)
	}
}

func TestDefaultsAreNotShared(t *testing.T) {
	a, b := Default(), Default()
	a.Acceptors[0].Port = 1
	a.Addresses[0].Queues[0].Name = "x"
	a.AddressSettings[0].Values[0].Value = "x"
	if !reflect.DeepEqual(b, Default()) {
		t.Error("a change to one configuration shows in another")
	}
}

func TestBaseDirectory(t *testing.T) {
	for _, c := range []struct{ file, path, want string }{
		{"/srv/a/etc/broker.xml", "data/journal", "/srv/a/data/journal"},
		{"/srv/a/broker.xml", "data/journal", "/srv/a/data/journal"},
		{"/srv/a/etc/broker.xml", "/var/journal", "/var/journal"},
		{"/srv/a/broker.xml", "../shared/j", "/srv/shared/j"},
	} {
		cfg := forFile(c.file)
		if got := cfg.Path(c.path); got != c.want {
			t.Errorf("%s in %s is %s, want %s", c.path, c.file, got, c.want)
		}
	}
}

func TestMissingFiles(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := Load(filepath.Join(dir, "broker.xml")); err == nil ||
		!strings.HasSuffix(err.Error(), "the file does not exist; correct the path, or start without --config for the embedded defaults") {
		t.Errorf("missing file: %v", err)
	}
	if _, _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "is a directory; make the file readable") {
		t.Errorf("directory: %v", err)
	}
	path := instance(t, map[string]string{"broker.xml": sample(t, "primary-broker.xml")})
	_, _, err := Load(path)
	if err == nil || !strings.Contains(err.Error(), usersFile+": login is required, but this file does not exist; create it") {
		t.Errorf("missing users: %v", err)
	}
	var one *Error
	if !errors.As(err, &one) || one.File == "" {
		t.Errorf("errors.As does not find the single error in %T", err)
	}
}

// Every element of Artemis' schema is known to the tables: taken, noticed or refused as not built, never taken for a
// slip of the pen.
func TestSchemaIsWhole(t *testing.T) {
	l := &loader{cfg: forFile("broker.xml")}
	for file, known := range map[string]table{
		"core-elements.txt":            l.coreTable(),
		"address-setting-elements.txt": l.settingTable(&AddressSetting{}),
	} {
		names := strings.Fields(sample(t, file))
		if len(names) < 60 {
			t.Fatalf("%s lists %d elements only", file, len(names))
		}
		for _, name := range names {
			if _, ok := known[name]; !ok {
				t.Errorf("%s: <%s> is unknown", file, name)
			}
		}
	}
}

// A single broker in the style of an Artemis instance, with all five of its usual ports, loads with notices.
func TestLoadSingleInstance(t *testing.T) {
	c, notices, err := parse("broker.xml", []byte(sample(t, "single-broker.xml")))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Acceptors) != 1 || c.Acceptors[0].Host != "" {
		t.Errorf("acceptors are %+v", c.Acceptors)
	}
	var lines []string
	for _, n := range notices {
		lines = append(lines, n.String())
	}
	golden(t, "single-notices.txt", strings.Join(lines, "\n")+"\n")
}
