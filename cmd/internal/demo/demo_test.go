package demo

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/broker/config"
	"github.com/hindmq/hind/broker/message"
)

// A message says byte for byte what it is; any other byte is seen.
func TestBody(t *testing.T) {
	for _, size := range []int{BodySizeMin, BodySizeMin + 1, 1024} {
		scratch := make([]byte, size)
		m, err := message.Parse(encode(nil, "run", 3, 77, make([]byte, size)))
		if err != nil {
			t.Fatal(err)
		}
		if !m.Durable() || m.Address() != queueName || len(m.DuplicateID()) == 0 {
			t.Errorf("%+v", m.Header())
		}
		body := append([]byte(nil), m.Body()...)
		if producer, seq, ok := readBody(body, scratch); !ok || producer != 3 || seq != 77 {
			t.Errorf("size %d: %d, %d, %v", size, producer, seq, ok)
		}
		if size > BodySizeMin {
			body[size-1] ^= 1
			if _, _, ok := readBody(body, scratch); ok {
				t.Errorf("size %d: a changed byte was not seen", size)
			}
		}
		for _, wrong := range [][]byte{nil, body[:size-1], append(body, 0)} {
			if _, _, ok := readBody(wrong, scratch); ok {
				t.Errorf("size %d: %d bytes were taken", size, len(wrong))
			}
		}
	}
	a, b := encode(nil, "run", 1, 12, make([]byte, 16)), encode(nil, "run", 11, 2, make([]byte, 16))
	ma, _ := message.Parse(a)
	if mb, _ := message.Parse(b); string(ma.DuplicateID()) == string(mb.DuplicateID()) {
		t.Error("two messages have one duplicate id")
	}
}

// The two configurations make a pair: each names the other's ports, and neither asks for its role back.
func TestConfigurations(t *testing.T) {
	dir := t.TempDir()
	places, err := writePair(dir)
	if err != nil {
		t.Fatal(err)
	}
	ports := map[int]bool{}
	var both [2]*config.Config
	for i, p := range places {
		for _, port := range []int{p.Client, p.Pair, p.Admin} {
			if ports[port] || port < portMin || port >= portMax {
				t.Errorf("port %d", port)
			}
			ports[port] = true
		}
		path := filepath.Join(dir, p.Name, "etc", "broker.xml")
		c, notices, err := config.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(notices) != 1 || !strings.Contains(notices[0].Text, "security-enabled") {
			t.Errorf("%s: %v", p.Name, notices)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s holds a password: %v, %v", path, info.Mode(), err)
		}
		both[i] = c
	}
	for i, c := range both {
		peer := c.Peers()[0]
		if c.HA.Policy != config.Replication || peer.Client.String() != places[1-i].clientAddr() || peer.Pair.String() != both[1-i].PairListen().String() {
			t.Errorf("%s: %+v", c.Name, peer)
		}
		if c.Cluster.User != both[0].Cluster.User || c.Cluster.Password != both[0].Cluster.Password || len(c.Cluster.Password) < 20 {
			t.Errorf("%s: the cluster's password", c.Name)
		}
		if filepath.Dir(filepath.Dir(c.JournalDir())) != filepath.Join(dir, c.Name) {
			t.Errorf("%s: journal in %s", c.Name, c.JournalDir())
		}
	}
}

func TestValidate(t *testing.T) {
	good := Options{Kills: 1, Producers: 1, Size: BodySizeMin}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for flag, change := range map[string]func(*Options){
		"--kills":     func(o *Options) { o.Kills = -1 },
		"--duration":  func(o *Options) { o.Duration = DurationMax + 1 },
		"--producers": func(o *Options) { o.Producers = ProducersMax + 1 },
		"--size":      func(o *Options) { o.Size = BodySizeMin - 1 },
		"--lease":     func(o *Options) { o.Lease = -1 },
	} {
		o := good
		change(&o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), flag+" ") {
			t.Errorf("%s: %v", flag, err)
		}
	}
	good.Size, good.Producers = SizeMax, ProducersMax
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

// Every kind of mistake makes the run a failure, in words and in JSON; so does a run in which nothing happened.
func TestVerdict(t *testing.T) {
	good := Report{Counts: Counts{Acknowledged: 5, Delivered: 5, Redelivered: 1}}
	for name, c := range map[string]struct {
		change func(*Report)
		ok     bool
	}{
		"good":     {func(*Report) {}, true},
		"idle":     {func(r *Report) { r.Acknowledged = 0 }, false},
		"lost":     {func(r *Report) { r.Lost = 1 }, false},
		"doubled":  {func(r *Report) { r.Doubled = 1 }, false},
		"disorder": {func(r *Report) { r.Disordered = 1 }, false},
		"damaged":  {func(r *Report) { r.Damaged = 1 }, false},
		"left":     {func(r *Report) { r.Left = 1 }, false},
		"error":    {func(r *Report) { r.Error = "it broke" }, false},
	} {
		r := good
		c.change(&r)
		r.conclude()
		if r.OK != c.ok || strings.HasPrefix(r.Verdict(), "OK: ") != c.ok || strings.HasPrefix(r.Verdict(), "FAILED: ") == c.ok {
			t.Errorf("%s: %v, %s", name, r.OK, r.Verdict())
		}
	}
}

func TestReport(t *testing.T) {
	ms := func(n int) Millis { return Millis(time.Duration(n) * time.Millisecond) }
	r := Report{Kills: []Kill{{Failover: ms(30)}, {Failover: ms(10)}, {Failover: ms(40)}, {Failover: ms(20)}}, Counts: Counts{Acknowledged: 7}}
	r.conclude()
	if r.Failover != (Spread{ms(20), ms(40)}) || spread(nil) != (Spread{}) {
		t.Errorf("%+v", r.Failover)
	}
	text, err := json.Marshal(&r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, r) || !strings.Contains(string(text), `"failoverMillis":40.000`) {
		t.Errorf("%v: %+v\n%s", err, back, text)
	}
}
