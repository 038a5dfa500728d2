package broker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hindmq/hind/bench/interop"
)

// Config is what scenarios may choose; the rest is in the templates.
type Config struct {
	Journal  string // NIO or ASYNCIO
	Failback bool   // allow-failback of the backup
	// Forgetful turns persistence off: a broker that must fail every scenario with a kill, to prove the harness.
	Forgetful bool
}

// The timings are those that the reference broker's own tuning finds on a machine with a 0.13 ms synced write; left to
// itself it tunes anew for each instance, and two runs differ.
var journals = map[string]string{
	"NIO":     "<journal-type>NIO</journal-type>\n      <journal-buffer-timeout>148000</journal-buffer-timeout>\n      <journal-max-io>1</journal-max-io>",
	"ASYNCIO": "<journal-type>ASYNCIO</journal-type>\n      <journal-buffer-timeout>8000</journal-buffer-timeout>\n      <journal-max-io>4096</journal-max-io>",
}

func (c Config) single(port int) (string, error) { return c.fill("single", port, 0) }

func (c Config) pair(name string, port, peer int) (string, error) {
	return c.fill("replicated-"+name, port, peer)
}

func (c Config) fill(name string, port, peer int) (string, error) {
	journal, ok := journals[c.Journal]
	if !ok {
		return "", fmt.Errorf("broker: journal type %q; there are NIO and ASYNCIO", c.Journal)
	}
	text, err := interop.Files.ReadFile("configs/" + name + ".xml")
	if err != nil {
		return "", err
	}
	common, err := interop.Files.ReadFile("configs/common.xml")
	if err != nil {
		return "", err
	}
	s := strings.NewReplacer("{{PORT}}", fmt.Sprint(port), "{{PEER_PORT}}", fmt.Sprint(peer), "{{JOURNAL}}", journal,
		"{{COMMON}}", strings.TrimSpace(string(common))).Replace(string(text))
	if !c.Failback {
		s = strings.Replace(s, "<allow-failback>true<", "<allow-failback>false<", 1)
	}
	if c.Forgetful {
		s = strings.Replace(s, "<persistence-enabled>true<", "<persistence-enabled>false<", 1)
	}
	return s, nil
}

func writeConfig(dir, xml string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "broker.xml"), []byte(xml), 0o644)
}
