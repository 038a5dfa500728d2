package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// Each element that takes effect, with a value that is not its default.
func TestValuesTakeEffect(t *testing.T) {
	for _, c := range []struct {
		xml  string
		got  func(c *Config) any
		want any
	}{
		{"<name>x</name>", func(c *Config) any { return c.Name }, "x"},
		{"<journal-directory>j</journal-directory>", func(c *Config) any { return c.Journal.Dir }, "j"},
		{"<journal-type>asyncio</journal-type>", func(c *Config) any { return c.Journal.Engine }, EngineAuto},
		{"<journal-type>NIO</journal-type>", func(c *Config) any { return c.Journal.Engine }, EnginePwrite},
		{"<journal-file-size>64M</journal-file-size>", func(c *Config) any { return c.Journal }, Journal{"data/journal", EngineAuto, 64 << 20, 8, 4096}},
		{"<journal-max-files>9</journal-max-files>", func(c *Config) any { return c.Journal.Files }, 9},
		{"<journal-file-size>1G</journal-file-size>", func(c *Config) any { return c.Journal.Files }, filesFloor},
		{"<journal-device-block-size>16K</journal-device-block-size>", func(c *Config) any { return c.Journal.BlockSize }, 16384},
		{"<global-max-size>3M</global-max-size>", func(c *Config) any { return c.Memory.GlobalMax }, int64(3 << 20)},
		{"<global-max-size>-1</global-max-size>", func(c *Config) any { return c.Memory.GlobalMax }, int64(1 << 30)},
		{"<id-cache-size>0</id-cache-size>", func(c *Config) any { return c.Duplicates.CacheSize }, 0},
		{"<security-enabled>False</security-enabled>", func(c *Config) any { return c.Security.Enabled }, false},
		{"<ha-policy><live-only/></ha-policy>", func(c *Config) any { return c.HA.Policy }, NoHA},
		{"<cluster-user>u</cluster-user><cluster-password>p</cluster-password>",
			func(c *Config) any { return c.Cluster.User + c.Cluster.Password }, "up"},
		{`<addresses><address name="a"><multicast><queue name="q" max-consumers="3" exclusive="true" purge-on-no-consumers="true" ring-size="-1"><durable>false</durable><filter string="x=1"/></queue></multicast></address></addresses>`,
			func(c *Config) any { q := c.Addresses[0].Queues[0]; q.At = Place{}; return q }, Queue{Name: "q", Routing: Multicast, Filter: "x=1", MaxConsumers: 3, Purge: true, Exclusive: true}},
		{`<address-settings><address-setting match="a"><max-delivery-attempts>-1</max-delivery-attempts><default-queue-routing-type>anycast</default-queue-routing-type><default-max-consumers>2</default-max-consumers><id-cache-size>5</id-cache-size><expiry-address>e</expiry-address><auto-delete-queues-delay>9</auto-delete-queues-delay><max-size-messages>8</max-size-messages><default-exclusive-queue>true</default-exclusive-queue></address-setting></address-settings>`,
			func(c *Config) any {
				s := c.SettingsFor("a")
				return []any{s.MaxDeliveryAttempts, s.DefaultQueueRouting, s.DefaultMaxConsumers, s.IDCacheSize, s.ExpiryAddress,
					s.AutoDeleteQueuesDelay, s.MaxMessages, s.DefaultExclusive}
			}, []any{-1, Anycast, 2, 5, "e", 9 * time.Millisecond, int64(8), true}},
	} {
		cfg, _, err := parse("b.xml", []byte(core(c.xml)))
		if err != nil {
			t.Errorf("%s: %v", c.xml, err)
			continue
		}
		if got := c.got(cfg); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.xml, got, c.want)
		}
	}
}

func TestPairValuesTakeEffect(t *testing.T) {
	cluster := `<cluster-connection name="c"><connector-ref>me</connector-ref><retry-interval>20</retry-interval><retry-interval-multiplier>1</retry-interval-multiplier>` +
		`<connection-ttl>2500</connection-ttl><reconnect-attempts>-1</reconnect-attempts><message-load-balancing>OFF</message-load-balancing>` +
		`<static-connectors allow-direct-connections-only="true"><connector-ref>other</connector-ref></static-connectors></cluster-connection>`
	ha := `<replication><backup><allow-failback>false</allow-failback><cluster-name>c</cluster-name><initial-replication-sync-timeout>4000</initial-replication-sync-timeout>` +
		`<quorum-size>-1</quorum-size></backup></replication>`
	c, notices, err := parse("b.xml", []byte(pair(cluster, ha)))
	if err != nil {
		t.Fatal(err)
	}
	if len(notices) != 0 {
		t.Errorf("notices: %v", notices)
	}
	if c.Cluster.RetryInterval != 20*time.Millisecond || c.Cluster.TTL != 2500*time.Millisecond {
		t.Errorf("%+v", c.Cluster)
	}
	if h := c.HA; h.AllowFailback || h.SyncTimeout != 4*time.Second || h.Role != Backup {
		t.Errorf("%+v", h)
	}
}

// Values that are taken, but not as Artemis takes them, say so once each.
func TestNotices(t *testing.T) {
	for xml, want := range map[string]string{
		"<journal-datasync>false</journal-datasync>":                "an acknowledgement waits for the disk in any case",
		"<persist-id-cache>false</persist-id-cache>":                "survive a restart always",
		"<global-max-size>-1</global-max-size>":                     "there is no heap to take half of; the limit is 1073741824 bytes",
		"<journal-compact-min-files>10</journal-compact-min-files>": "compaction is not built yet",
		"<jmx-management-enabled>true</jmx-management-enabled>":     "there is no JMX here",
	} {
		_, notices, err := parse("b.xml", []byte(core(xml)))
		if err != nil || len(notices) != 1 || !strings.Contains(notices[0].String(), want) {
			t.Errorf("%s: %v, %v", xml, notices, err)
		}
	}
	for ha, want := range map[string]string{
		"<replication><primary><quorum-size>2</quorum-size></primary></replication>":                             "one pair holds no vote",
		"<replication><primary><check-for-active-server>false</check-for-active-server></primary></replication>": "looks for an active broker in any case",
		"<replication><backup><restart-backup>false</restart-backup></backup></replication>":                     "goes on as a backup in any case",
		"<replication><backup><group-name>g</group-name></backup></replication>":                                 "tied by its static-connectors",
	} {
		_, notices, err := parse("b.xml", []byte(pair(goodCluster, ha)))
		if err != nil || len(notices) != 1 || !strings.Contains(notices[0].String(), want) {
			t.Errorf("%s: %v, %v", ha, notices, err)
		}
	}
}
