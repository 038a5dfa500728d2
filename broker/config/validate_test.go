package config

import (
	"strings"
	"testing"
	"time"
)

// pairConfig is a pair as a program would build it.
func pairConfig() *Config {
	c := Default()
	c.Connectors = []Connector{{Name: "me", Host: "h", Port: 1}, {Name: "other", Host: "i", Port: 2, PairPort: 9}}
	c.Acceptors[0].Host, c.Acceptors[0].Port = "h", 1
	c.Cluster.Name, c.Cluster.ConnectorRef, c.Cluster.Static = "c", "me", []string{"other"}
	c.Cluster.User, c.Cluster.Password = "u", "p"
	c.HA.Policy, c.HA.Role = Replication, Primary
	return c
}

// Each rule between settings, for a Config that a program built: one change to a good one, and what is said.
func TestValidate(t *testing.T) {
	if err := pairConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		change func(c *Config)
		want   string
	}{
		{func(c *Config) { c.Name = "" }, "the broker has no name; add <name>"},
		{func(c *Config) { c.Journal.Dir = "" }, "the journal has no directory"},
		{func(c *Config) { c.Journal.Engine = "mmap" }, `the journal's engine is "mmap"`},
		{func(c *Config) { c.Journal.Files = filesFloor - 1 }, "a journal of 7 files of 33554432 bytes is not possible"},
		{func(c *Config) { c.Journal.Files = filesLimit + 1 }, "a journal of 65537 files"},
		{func(c *Config) { c.Journal.FileSize = fileSizeFloor - 1 }, "files of 1048575 bytes is not possible"},
		{func(c *Config) { c.Journal.FileSize = fileSizeFloor + 1 }, "journal-file-size 1048577 is not a multiple of the block size 4096"},
		{func(c *Config) { c.Journal.BlockSize = 12288 }, "the block size is 12288"},
		{func(c *Config) { c.Memory.GlobalMax = 1<<20 - 1 }, "global-max-size is 1048575 bytes"},
		{func(c *Config) { c.Duplicates.CacheSize = -1 }, "id-cache-size is -1"},
		{func(c *Config) { c.Acceptors = nil }, "no acceptor serves a protocol"},
		{func(c *Config) { c.Acceptors[0].Port = 65536 }, `acceptor "artemis" has port 65536`},
		{func(c *Config) { c.Acceptors = append(c.Acceptors, Acceptor{Name: "b", Port: 1}) }, `acceptors "artemis" and "b" both listen on port 1`},
		{func(c *Config) { c.Acceptors = append(c.Acceptors, Acceptor{Name: "b", Port: 1001}) }, `acceptor "b" listens on 1001, which is also the pair port`},
		{func(c *Config) { c.Acceptors[0].Port = 65000; c.Connectors[0].Port = 65000 }, "the pair port would be 66000; add pairPort=... to the acceptor's URL"},
		{func(c *Config) { c.Connectors[1] = Connector{Name: "other", Host: "i", Port: 65000} }, `the pair port of connector "other" would be 66000`},
		{func(c *Config) { c.Connectors[1] = Connector{Name: "other", Host: "h", Port: 3, PairPort: 1001} }, `connector "other" leads to this broker's own pair port h:1001`},
		{func(c *Config) { c.Cluster.RetryInterval = 0 }, "an attempt every 0s, silence of 2s: both must be positive"},
		{func(c *Config) { c.Cluster.TTL = -time.Second }, "silence of -1s: both must be positive"},
		{func(c *Config) { c.Cluster.ConnectorRef = "" }, "does not say under which connector this broker is known"},
		{func(c *Config) { c.Cluster.Static = nil }, "<static-connectors> names 0 brokers"},
		{func(c *Config) { c.Cluster.Static = append(c.Cluster.Static, "me2") }, `names connector "me2", which is not defined`},
		{func(c *Config) { c.Cluster.User = "" }, "needs a cluster user and a password of its own"},
		{func(c *Config) { c.HA.Role = "" }, "does not say whether this broker is the primary or the backup"},
		{func(c *Config) { c.AddressSettings[0].Values[0].Name = "x" }, "the address setting x is none that takes effect"},
		{func(c *Config) { c.AddressSettings[0].Match = "#.a" }, `the match "#.a" has # before the end`},
		{func(c *Config) { c.Security.Settings = []SecuritySetting{{Match: "a#"}} }, `the match "a#" has a wildcard inside`},
	} {
		c := pairConfig()
		k.change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("got: %v\nwant: %s", err, k.want)
		}
	}
}

// A port of 0 is for programs that take any free one; a file must name one.
func TestAnyPort(t *testing.T) {
	c := Default()
	c.Acceptors[0].Port = 0
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	c.File = "b.xml"
	if err := c.Validate(); err == nil {
		t.Error("a file may leave the port open")
	}
}

func TestPairPlaces(t *testing.T) {
	c := pairConfig()
	if got := c.PairListen().String(); got != "h:1001" {
		t.Errorf("listens at %s", got)
	}
	if got := c.Peers(); len(got) != 1 || got[0].Pair.String() != "i:9" || got[0].Client.String() != "i:2" {
		t.Errorf("peers are %v", got)
	}
	if got := (HostPort{"::1", 5}).String(); got != "[::1]:5" {
		t.Errorf("got %s", got)
	}
}
