package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hind runs one command line.
func hind(args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	code = Main(World{Version: "1.2.3", Args: args, Out: &stdout, Err: &stderr})
	return code, stdout.String(), stderr.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestVersion(t *testing.T) {
	code, out, errs := hind("version")
	if code != 0 || errs != "" || !strings.HasPrefix(out, "hind      1.2.3\ngo        go") || !strings.Contains(out, "pwrite") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	code, out, _ = hind("version", "--json")
	var r versionReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatalf("%d, %v:\n%s", code, err, out)
	}
	pwrite := false
	for _, e := range r.Engines {
		if e.Available == (e.Reason != "") {
			t.Errorf("engine %s: %+v", e.Name, e)
		}
		pwrite = pwrite || e.Name == "pwrite" && e.Available
	}
	if r.Version != "1.2.3" || !pwrite {
		t.Errorf("%+v", r)
	}
}

// Each way to call it wrongly has exit code 2, says what was wrong and where to look.
func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"frobnicate"}, `unknown command "frobnicate" for "hind"`},
		{[]string{"--frobnicate"}, "unknown flag: --frobnicate"},
		{[]string{"check", "nothing"}, `unknown command "nothing" for "hind check"`},
		{[]string{"version", "x"}, `unknown command "x" for "hind version"`},
		{[]string{"check", "config", "a", "b"}, "accepts at most 1 arg(s), received 2"},
	} {
		code, out, errs := hind(c.args...)
		if code != exitUsage || out != "" || !strings.Contains(errs, c.want) || !strings.Contains(errs, "--help") {
			t.Errorf("%v: %d\n%s\n%s", c.args, code, out, errs)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"check"}, {"check", "config", "--help"}, {"completion", "--help"}} {
		if code, out, errs := hind(args...); code != 0 || errs != "" || !strings.Contains(out, "Usage:") {
			t.Errorf("%v: %d\n%s\n%s", args, code, out, errs)
		}
	}
	// Every command says more than its name, and shows how it is called.
	root := newRoot(World{})
	for _, group := range root.Commands() {
		for _, cmd := range append(group.Commands(), group) {
			if cmd.Short == "" || !cmd.HasSubCommands() && (cmd.Long == "" || cmd.Example == "") {
				t.Errorf("%s has no description or no example", cmd.CommandPath())
			}
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if code, out, _ := hind("completion", shell); code != 0 || !strings.Contains(out, "hind") {
			t.Errorf("%s: %d, %d bytes", shell, code, len(out))
		}
	}
	if code, out, _ := hind("__complete", "check", ""); code != 0 || !strings.HasPrefix(out, "config\t") {
		t.Errorf("%d, %s", code, out)
	}
}

const good = `<configuration><core><name>n</name><security-enabled>false</security-enabled>` +
	`<acceptors><acceptor name="a">tcp://127.0.0.1:7001?protocols=CORE</acceptor></acceptors></core></configuration>`

func TestCheckConfig(t *testing.T) {
	path := write(t, "broker.xml", good)
	code, out, errs := hind("check", "config", path)
	want := "notice: " + path + ": security-enabled is false: no login is asked for, and whoever reaches the port may do everything\n" +
		"name: n\njournal: " + filepath.Join(filepath.Dir(path), "data/journal") + ", 16 files of 33554432 bytes, engine auto\n" +
		"acceptor: a (127.0.0.1:7001)\npair: none\nlogin: not asked for\naddresses: 0 declared\n"
	if code != 0 || errs != "" || out != want {
		t.Errorf("%d\n%s\n%s\nwant\n%s", code, out, errs, want)
	}
	code, out, _ = hind("check", "config")
	if code != 0 || !strings.HasPrefix(out, "notice: no broker.xml is given: listening on 127.0.0.1:61616 only") {
		t.Errorf("%d\n%s", code, out)
	}
}

func TestCheckConfigMistakes(t *testing.T) {
	path := write(t, "broker.xml", strings.Replace(good, "<name>", "<turbo/>\n<nam/><name>", 1))
	code, out, errs := hind("check", "config", path)
	if code != exitConfig || out != "" || !strings.Contains(errs, path+":1:22: <turbo> is not an element of <core>; remove it") ||
		!strings.Contains(errs, path+":2:1: <nam> is not an element of <core>; did you mean <name>?") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	code, out, errs = hind("check", "config", "--json", path)
	var r configReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitConfig || r.Valid || len(r.Errors) != 2 {
		t.Fatalf("%d, %v:\n%s\n%s", code, err, out, errs)
	}
	if e := r.Errors[1]; e.Line != 2 || e.Column != 1 || e.Next != "did you mean <name>?" {
		t.Errorf("%+v", e)
	}
}
