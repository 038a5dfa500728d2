package config

import "testing"

// Wider matches fill in what narrower ones leave out.
func TestSettingsAreMerged(t *testing.T) {
	c, _, err := parse("b.xml", []byte(core(`<id-cache-size>77</id-cache-size><address-settings>
		<address-setting match="orders.eu"><max-delivery-attempts>3</max-delivery-attempts></address-setting>
		<address-setting match="#"><dead-letter-address>DLQ</dead-letter-address><max-delivery-attempts>7</max-delivery-attempts><max-size-bytes>1M</max-size-bytes></address-setting>
		<address-setting match="orders.#"><dead-letter-address>orders.dead</dead-letter-address><auto-create-queues>false</auto-create-queues><max-size-bytes>-1</max-size-bytes></address-setting>
	</address-settings>`)))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		address  string
		dead     string
		attempts int
		create   bool
		size     int64
	}{
		{"news", "DLQ", 7, true, 1 << 20},
		{"orders", "orders.dead", 7, false, -1},
		{"orders.eu", "orders.dead", 3, false, -1},
	} {
		s := c.SettingsFor(k.address)
		if s.DeadLetterAddress != k.dead || s.MaxDeliveryAttempts != k.attempts || s.AutoCreateQueues != k.create || s.MaxSize != k.size {
			t.Errorf("%s: %+v", k.address, s)
		}
		if s.IDCacheSize != 77 || s.DefaultQueueRouting != Multicast || !s.AutoDeleteAddresses || s.DefaultMaxConsumers != -1 {
			t.Errorf("%s: defaults are lost: %+v", k.address, s)
		}
	}
}

func TestSizes(t *testing.T) {
	// As ByteUtil of Artemis 2.40.0 reads them: all units are powers of 1024.
	for text, want := range map[string]int64{
		"10": 10, "1b": 1, "1K": 1024, "1KB": 1024, "1KiB": 1024, "1k": 1024, "1 kb": 1024, "2M": 2 << 20, "2MB": 2 << 20,
		"2MiB": 2 << 20, "1G": 1 << 30, "1GB": 1 << 30, "1GiB": 1 << 30,
	} {
		if got, err := parseSize(text, 1, 1<<40); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "K", "1T", "1.5M", "-1", "1kk", "0x10", "9223372036854775807G", "10 10"} {
		if got, err := parseSize(text, 1, 1<<40); err == nil {
			t.Errorf("%q is accepted as %d", text, got)
		}
	}
	for _, c := range []struct {
		text string
		ok   bool
	}{{"1023", false}, {"1K", true}, {"4K", true}, {"4097", false}} {
		if _, err := parseSize(c.text, 1024, 4096); (err == nil) != c.ok {
			t.Errorf("%q within 1024 to 4096: %v", c.text, err)
		}
	}
}
