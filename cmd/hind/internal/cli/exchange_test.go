package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/client"
	"github.com/hindmq/hind/net/core/coretest"
)

func testBroker(t *testing.T, o coretest.Options) (url string) {
	t.Helper()
	b, err := coretest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return "tcp://" + b.Addr()
}

// What the producer counts, the consumer gets: with and without scheme, as text and as JSON.
func TestProducerAndConsumer(t *testing.T) {
	url := testBroker(t, coretest.Options{})
	code, out, errs := hind("producer", "--url", url, "--destination", "queue://orders", "--message-count", "20", "--message-size", "1000")
	if code != 0 || errs != "" || !strings.HasPrefix(out, "queue://orders: 20 messages acknowledged, 0 without an answer, 20000 bytes, in ") {
		t.Fatalf("%d\n%s\n%s", code, out, errs)
	}
	code, out, errs = hind("producer", "--url", url, "--destination", "orders", "--message-count", "5", "--message-size", "0", "--ha", "--non-persistent", "--json")
	var sent producerReport
	if err := json.Unmarshal([]byte(out), &sent); err != nil || code != 0 || errs != "" || sent.Acknowledged != 5 || sent.Unknown != 0 || sent.Bytes != 0 || sent.Problem != "" {
		t.Fatalf("%d, %v, %+v\n%s", code, err, sent, errs)
	}
	code, out, errs = hind("consumer", "--url", url, "--destination", "orders", "--message-count", "3", "--rate", "1000")
	if code != 0 || errs != "" || !strings.HasPrefix(out, "queue://orders: 3 messages received, 3 acknowledged, 0 unsure, 0 not for the first time, 3000 bytes, in ") {
		t.Fatalf("%d\n%s\n%s", code, out, errs)
	}
	// The rest, until none comes.
	code, out, errs = hind("consumer", "--url", url, "--destination", "orders", "--message-count", "0", "--timeout", "200ms", "--json")
	var got consumerReport
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || errs != "" || got.Received != 22 || got.Acknowledged != 22 || got.Bytes != 17000 {
		t.Fatalf("%d, %v, %+v\n%s", code, err, got, errs)
	}
	// Less than asked for is exit code 1, with the counts.
	code, out, errs = hind("consumer", "--url", url, "--destination", "orders", "--message-count", "1", "--timeout", "50ms", "--json")
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitFailed || got.Problem != errNoMore.Error() || !strings.Contains(errs, "0 messages were acknowledged: no message came") {
		t.Fatalf("%d, %v, %+v\n%s", code, err, got, errs)
	}
}

// An acknowledgement without an answer counts until the message comes again, and one for an earlier connection never does.
func TestSettle(t *testing.T) {
	r := &consumerReport{unsure: map[int64]bool{}}
	refused := errors.New("refused")
	for i, c := range []struct {
		id                   int64
		err, want            error
		acknowledged, unsure int64
	}{
		{1, nil, nil, 1, 0},
		{2, fmt.Errorf("ack: %w", client.ErrUnanswered), nil, 1, 1},
		{3, client.ErrStale, nil, 1, 1},
		{3, nil, nil, 2, 1},
		{2, client.ErrUnanswered, nil, 2, 1},
		{2, client.ErrStale, nil, 2, 0},
		{2, nil, nil, 3, 0},
		{4, refused, refused, 3, 0},
	} {
		if err := r.settle(c.id, c.err); err != c.want || r.Acknowledged != c.acknowledged || r.Unsure != c.unsure {
			t.Errorf("step %d: %v, %+v", i, err, r)
		}
	}
}

// door lets one user in.
type door struct{}

func (door) Authenticate(user, password string) (session.Identity, error) {
	if user != "u" || password != "secret" {
		return nil, fmt.Errorf("unknown user or wrong password")
	}
	return session.Everyone{}.Authenticate(user, password)
}

func TestLogin(t *testing.T) {
	url := testBroker(t, coretest.Options{Authority: door{}})
	if code, out, errs := hind("producer", "--url", url, "--message-count", "1", "--user", "u", "--password", "secret"); code != 0 {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	for _, command := range []string{"producer", "consumer"} {
		code, out, errs := hind(command, "--url", url, "--user", "u", "--password", "guess")
		if code != exitFailed || out != "" || !strings.Contains(errs, "wrong password") || strings.Contains(errs, "guess") {
			t.Errorf("%s: %d\n%s\n%s", command, code, out, errs)
		}
	}
}

// Several urls are tried in turn; with none alive it is exit code 1, and each is named with its reason.
func TestURLs(t *testing.T) {
	b, err := coretest.Start(coretest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	gone := "tcp://" + b.Addr()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := hind("producer", "--url", gone+","+testBroker(t, coretest.Options{}), "--message-count", "1"); code != 0 {
		t.Errorf("%d\n%s", code, errs)
	}
	code, out, errs := hind("producer", "--url", gone, "--message-count", "1")
	if code != exitFailed || out != "" || !strings.Contains(errs, b.Addr()) || !strings.Contains(errs, "refused") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
}

func TestExchangeUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"producer", "--destination", "topic://t"}, "only queues are supported yet"},
		{[]string{"consumer", "--destination", "queue://"}, "has no name"},
		{[]string{"producer", "--message-size", "999999"}, "is not between 0 and 102400"},
		{[]string{"producer", "--message-count", "-1"}, "is below 0"},
		{[]string{"consumer", "--rate", "-1"}, "is below 0"},
		{[]string{"consumer", "--window", "0"}, "is not between"},
		{[]string{"consumer", "--ha", "--reconnect", "0s"}, "must be above 0"},
	} {
		if code, out, errs := hind(c.args...); code != exitUsage || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%v: %d\n%s\n%s", c.args, code, out, errs)
		}
	}
}

// Progress goes to standard error, and not more than once a second.
func TestProgress(t *testing.T) {
	var errs bytes.Buffer
	p := newPace(World{Err: &errs}, "sent", &clientFlags{count: 10})
	p.tell(1)
	if errs.Len() != 0 {
		t.Errorf("told at once: %s", errs.String())
	}
	p.told = p.told.Add(-2e9)
	p.tell(4)
	p.tell(5)
	if got := errs.String(); !strings.HasPrefix(got, "4 of 10 messages sent, ") || strings.Count(got, "\n") != 1 {
		t.Error(got)
	}
}
