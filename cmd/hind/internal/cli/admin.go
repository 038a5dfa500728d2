package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hindmq/hind/broker"
)

// clientPortDefault is the port of the embedded defaults, from which the admin port's default follows.
const clientPortDefault = 61616

// adminTimeout bounds one question to an admin port. The broker itself answers within 2 s or says that it cannot.
const adminTimeout = 5 * time.Second

// adminAnswerMax bounds what is read of an answer, in bytes.
const adminAnswerMax = 1 << 20

// adminFlag adds --admin.
func adminFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("admin", adminOf(clientPortDefault), "admin port of the broker, host:port: its client port + 2000 unless hind run was told otherwise")
}

// adminPort is the admin port of a running broker.
type adminPort struct{ address string }

// status asks the broker for its status.
func (a adminPort) status(ctx context.Context) (*broker.Status, error) {
	body, err := a.call(ctx, http.MethodGet, "/status", nil)
	if err != nil {
		return nil, err
	}
	st := new(broker.Status)
	if err := json.Unmarshal(body, st); err != nil {
		return nil, fmt.Errorf("admin port %s: the answer is no status of hind: %w; check the address", a.address, err)
	}
	return st, nil
}

// decide passes an operator's word on. The broker checks once more that it is asked for.
func (a adminPort) decide(ctx context.Context, decision string) (string, error) {
	word, err := json.Marshal(map[string]string{"decision": decision})
	if err != nil {
		return "", err
	}
	body, err := a.call(ctx, http.MethodPost, "/activation", word)
	return strings.TrimSpace(string(body)), err
}

func (a adminPort) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	if _, _, err := net.SplitHostPort(a.address); err != nil {
		return nil, fail(exitUsage, fmt.Errorf("--admin %q: %w; give host:port", a.address, err))
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+a.address+path, bytes.NewReader(body))
	if err != nil {
		return nil, fail(exitUsage, fmt.Errorf("--admin %q: %w", a.address, err))
	}
	// A transport of its own: a proxy of the environment has no business with a loopback port.
	t := &http.Transport{}
	defer t.CloseIdleConnections()
	answer, err := t.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("no broker answers at admin port %s: %w; is it running, and is that its --admin?", a.address, err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(io.LimitReader(answer.Body, adminAnswerMax))
	switch {
	case err != nil:
		return nil, fmt.Errorf("admin port %s: %w", a.address, err)
	case answer.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("admin port %s: %w", a.address, errors.New(strings.TrimSpace(string(got))))
	}
	return got, nil
}
