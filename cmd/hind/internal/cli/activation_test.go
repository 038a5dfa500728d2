package cli

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/hindmq/hind/broker"
)

func blockedStatus() broker.Status {
	st := pairedStatus()
	st.Peers[0].Connected, st.Peers[0].InSync, st.InSync = false, false, false
	st.Question = "confirms are blocked: backup is not connected"
	st.Choices = []broker.Choice{{Decision: "member-dead", Loses: "everything that backup confirmed"}, {Decision: "discard-tail", Loses: "the tail"}}
	return st
}

func TestActivationList(t *testing.T) {
	stand := &adminStand{status: blockedStatus()}
	admin := stand.start(t)
	code, out, errs := hind("activation", "list", "--admin", admin)
	want := `primary (Paired) asks: confirms are blocked: backup is not connected

member-dead
  loses    everything that backup confirmed
  first    fence or wipe backup at 127.0.0.1:61717, not connected, last said "Standby"
  command  hind activation set member-dead --admin ` + admin + `

discard-tail
  loses    the tail
  command  hind activation set discard-tail --admin ` + admin + "\n"
	if code != 0 || errs != "" || out != want {
		t.Errorf("%d\n%s\n%s\nwant\n%s", code, out, errs, want)
	}
	code, out, _ = hind("activation", "list", "--json", "--admin", admin)
	var r activationReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || len(r.Choices) != 2 || len(r.Choices[0].First) != 1 || len(r.Choices[1].First) != 0 {
		t.Errorf("%d, %v, %+v", code, err, r)
	}
	stand.status = pairedStatus()
	if code, out, _ = hind("activation", "list", "--admin", admin); code != 0 || out != "primary (Paired) asks nothing\n" {
		t.Errorf("%d, %s", code, out)
	}
	stand.status.Question = "the journal is empty"
	if code, out, _ = hind("activation", "list", "--admin", admin); code != 0 || !strings.HasSuffix(out, "there is nothing to choose: it waits\n") {
		t.Errorf("%d, %s", code, out)
	}
}

// The word is passed on only if it is asked for now, and only after it was typed once more or --yes was given.
func TestActivationSet(t *testing.T) {
	const told = `{"decision":"member-dead"}`
	for _, c := range []struct {
		name  string
		args  []string
		typed string
		code  int
		told  []string
		want  string
	}{
		{"typed", []string{"member-dead"}, "member-dead\n", 0, []string{told}, "told the role machine"},
		{"typed without a line end", []string{"member-dead"}, "member-dead", 0, []string{told}, "told the role machine"},
		{"yes", []string{"member-dead", "--yes"}, "", 0, []string{told}, "loses    everything that backup confirmed"},
		{"typed otherwise", []string{"member-dead"}, "yes\n", exitFailed, nil, "nothing was done"},
		{"nothing typed", []string{"member-dead"}, "", exitFailed, nil, "nothing was done"},
		{"not asked for", []string{"activate", "--yes"}, "", exitFailed, nil, `does not take "activate" now, but member-dead or discard-tail`},
		{"no backup", []string{"hand-over", "--yes"}, "", exitFailed, nil, "a backup in sync"},
		{"no word", nil, "", exitUsage, nil, "accepts 1 arg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stand := &adminStand{status: blockedStatus()}
			var out bytes.Buffer
			args := append([]string{"activation", "set", "--admin", stand.start(t)}, c.args...)
			code := Main(World{Args: args, In: strings.NewReader(c.typed), Out: &out, Err: &out})
			if code != c.code || !slices.Equal(stand.told, c.told) || !strings.Contains(out.String(), c.want) {
				t.Errorf("%d, told %q\n%s", code, stand.told, out.String())
			}
		})
	}
}

func TestHandOver(t *testing.T) {
	stand := &adminStand{status: pairedStatus()}
	admin := stand.start(t)
	if code, out, errs := hind("activation", "set", "hand-over", "--yes", "--admin", admin); code != 0 || !slices.Equal(stand.told, []string{`{"decision":"hand-over"}`}) {
		t.Errorf("%d, told %q\n%s\n%s", code, stand.told, out, errs)
	}
	if code, _, errs := hind("activation", "set", "activate", "--yes", "--admin", admin); code != exitFailed || !strings.Contains(errs, "has no question") {
		t.Errorf("%d, %s", code, errs)
	}
}
