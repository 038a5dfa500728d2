package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hindmq/hind/cmd/internal/demo"
)

// childVariable makes the test binary hind itself: the demonstration starts its own executable.
const childVariable = "HIND_TEST_IS_HIND"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(Main(World{Version: "test", Args: os.Args[1:], Out: os.Stdout, Err: os.Stderr}))
	}
	os.Exit(m.Run())
}

// Three kills: the second and the third meet what the one before made of both brokers. Nothing is lost, the report says so,
// and no process and no file is left.
func TestDemoFailover(t *testing.T) {
	t.Setenv(childVariable, "1")
	dir := t.TempDir()
	code, out, errs := hind("demo", "failover", "--kills", "3", "--json", "--dir", dir)
	var r demo.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, out, errs)
	}
	if code != exitOK || errs != "" || !r.OK || !r.Clean() || r.Acknowledged == 0 || r.Delivered != r.Acknowledged {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	victims := map[string]int{}
	for _, k := range r.Kills {
		victims[k.Victim]++
		if k.Failover <= 0 || k.InSync <= 0 {
			t.Errorf("%+v", k)
		}
	}
	if len(r.Kills) != 3 || victims["primary"] != 2 || victims["backup"] != 1 {
		t.Errorf("killed were %v", victims)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// What cannot be is refused before anything is started, and the flag to change is named.
func TestDemoFailoverRefusals(t *testing.T) {
	code, out, errs := hind("demo", "failover", "--dir", filepath.Join(t.TempDir(), "absent"))
	if code != exitFailed || out != "" || !strings.Contains(errs, "--dir") {
		t.Errorf("a directory that is not there: exit code %d\n%s%s", code, out, errs)
	}
	for _, args := range [][]string{{"--kills", "-1"}, {"--size", "1"}, {"--producers", "0"}} {
		if code, out, errs := hind(append([]string{"demo", "failover"}, args...)...); code != exitUsage || out != "" || !strings.Contains(errs, args[0]) {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, errs)
		}
	}
}
