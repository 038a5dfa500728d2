package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hindmq/hind/broker"
)

// adminStand is an admin port that says what the test wants and notes what it is told.
type adminStand struct {
	status broker.Status
	told   []string
}

// start returns the address of the stand.
func (a *adminStand) start(t *testing.T) string {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(&a.status); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("POST /activation", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		a.told = append(a.told, string(body))
		io.WriteString(w, "told the role machine\n")
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func pairedStatus() broker.Status {
	return broker.Status{
		Name: "primary", Role: "Paired", Epoch: 7, NodeID: "n-1", Serving: true, Owner: "primary", InSync: true, InSyncSet: []string{"primary", "backup"},
		Peers:    []broker.Peer{{Target: "127.0.0.1:61717", Name: "backup", Connected: true, InSync: true, Says: "Standby"}},
		LagBytes: 4096, Forecast: broker.Forecast{IfThisFails: "the backup takes over", IfOther: "confirms pause"},
		Positions: broker.Positions{LogEnd: "3/9", Durable: "3/8", Stable: "3/7"}, Queues: broker.Figures{Queues: 2, Messages: 11, Delivering: 3},
	}
}

func TestCheckNode(t *testing.T) {
	stand := &adminStand{status: pairedStatus()}
	admin := stand.start(t)
	code, out, errs := hind("check", "node", "--admin", admin)
	want := `broker                     primary
role                       Paired, serves clients
epoch                      7
node id                    n-1
active                     primary
in-sync set                primary, backup
other broker               backup at 127.0.0.1:61717, connected and in sync
lag                        4096 bytes
log                        end 3/9, durable 3/8, stable 3/7
messages                   11 in 2 queues, 3 of them at consumers
if this broker fails now   the backup takes over
if the other one fails now  confirms pause
`
	if code != 0 || errs != "" || strings.Join(strings.Fields(out), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("%d\n%s\n%s\nwant\n%s", code, out, errs, want)
	}
	code, out, _ = hind("check", "node", "--json", "--admin", admin)
	var r nodeReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatalf("%d, %v\n%s", code, err, out)
	}
	if !r.Ready || r.Admin != admin || r.Epoch != 7 || r.LagBytes != 4096 || r.IfOther != "confirms pause" || r.Peers[0].Says != "Standby" {
		t.Errorf("%+v", r)
	}
}

// A broker is ready if it serves or stands by; every other state has exit code 1 and says what it is.
func TestCheckNodeNotReady(t *testing.T) {
	for _, c := range []struct {
		role    string
		serving bool
		code    int
	}{{"Standby", false, 0}, {"Alone", true, 0}, {"Asking", false, 1}, {"Fenced", false, 1}, {"Paired", false, 1}} {
		stand := &adminStand{status: broker.Status{Name: "b", Role: c.role, Serving: c.serving, Fenced: "a reason", Blocked: "a wait", Overdue: true, Question: "what now"}}
		code, out, errs := hind("check", "node", "--admin", stand.start(t))
		if code != c.code || (code == 0) != (errs == "") || code != 0 && !strings.Contains(errs, "its role is "+c.role) {
			t.Errorf("%+v: %d\n%s\n%s", c, code, out, errs)
		}
		for _, part := range []string{"a reason", "a wait", "overdue", "what now; see hind activation list"} {
			if !strings.Contains(out, part) {
				t.Errorf("%q is missing in\n%s", part, out)
			}
		}
	}
}

// Nobody, somebody else, a broker that does not answer, and an address that is none.
func TestCheckNodeFailures(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }))
	defer other.Close()
	stuck := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the broker does not answer: too late", http.StatusServiceUnavailable)
	}))
	defer stuck.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, c := range []struct {
		admin, want string
		code        int
	}{
		{gone.Listener.Addr().String(), "no broker answers at admin port", exitFailed},
		{other.Listener.Addr().String(), "no status of hind", exitFailed},
		{stuck.Listener.Addr().String(), "does not answer: too late", exitFailed},
		{"nonsense", "give host:port", exitUsage},
	} {
		if code, out, errs := hind("check", "node", "--admin", c.admin); code != c.code || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%s: %d\n%s\n%s", c.admin, code, out, errs)
		}
	}
}
