package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/proc"
)

const pollTimeout = 300 * time.Millisecond

// Hind is the broker of this repository.
type Hind struct {
	Binary string
	Flags  []string // further flags of hind run
	client http.Client
}

// Name implements Brand.
func (h *Hind) Name() string { return "hind" }

// Prepare writes the configuration and, beside it, the logins.
func (h *Hind) Prepare(_ context.Context, n *Node, xml string) error {
	etc := filepath.Join(n.Dir, "etc")
	if err := writeConfig(etc, xml); err != nil {
		return fmt.Errorf("broker: configure %s: %w", n.Name, err)
	}
	files := map[string]string{"artemis-users.properties": User + " = " + Password + "\n", "artemis-roles.properties": "amq = " + User + "\n"}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("broker: configure %s: %w", n.Name, err)
		}
	}
	return nil
}

// Spec implements Brand.
func (h *Hind) Spec(n *Node) proc.Spec {
	args := append([]string{"run", "--config", filepath.Join("etc", "broker.xml"), "--admin", fmt.Sprintf("127.0.0.1:%d", n.Admin)}, h.Flags...)
	return proc.Spec{Path: h.Binary, Args: args, Dir: n.Dir}
}

// FoundsAlone implements Brand.
func (h *Hind) FoundsAlone() bool { return false }

// Mark implements Brand: hind is asked instead.
func (h *Hind) Mark(s State, _ string) State { return s }

// Poll reads /status of the admin port.
func (h *Hind) Poll(ctx context.Context, n *Node) (State, bool) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/status", n.Admin), nil)
	if err != nil {
		return State{}, false
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return State{Text: "admin port does not answer"}, true
	}
	defer resp.Body.Close()
	var status struct {
		Role    string `json:"role"`
		Serving bool   `json:"serving"`
		Epoch   uint64 `json:"epoch"`
		InSync  bool   `json:"inSync"`
		Blocked string `json:"blocked"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&status); err != nil {
		return State{Text: "status is not JSON: " + err.Error()}, true
	}
	return State{Active: status.Serving, InSync: status.InSync, Epoch: status.Epoch, Text: strings.TrimSpace(status.Role + " " + status.Blocked)}, true
}
