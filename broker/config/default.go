package config

import "time"

// Defaults with a reason of their own; docs/configuration.md lists all of them beside those of Artemis.
const (
	defaultPort = 61616

	// Filling the files with zeros is the price of the first start: 512 MiB take a few seconds on an ordinary disk. Files
	// of 32 MiB leave room for the duplicate ids that a checkpoint carries, and keep the reserve, which producers may not
	// use, below half of the log.
	defaultFileSize  = 32 << 20
	defaultBlockSize = 4096

	// Where broker.xml does not say how many files there are, they hold this much together. Artemis' journal has no
	// limit of its own, so the counts in its files (2 or 10 files of 10 MiB) are no measure of what the user needs.
	defaultCapacity = 512 << 20

	// Artemis takes half of the JVM's heap. There is no heap setting here to take half of, so this is a fixed figure
	// that a small machine can hold.
	defaultGlobalMax = 1 << 30

	defaultIDCacheSize = 20000
)

// Default returns the embedded configuration: what `hind run` uses without a broker.xml, and what Load starts from.
// It listens on loopback only and asks for no login; both hang together.
func Default() *Config {
	return &Config{
		Name: "hind",
		Journal: Journal{
			Dir:       "data/journal",
			Engine:    EngineAuto,
			FileSize:  defaultFileSize,
			Files:     filesFor(defaultFileSize),
			BlockSize: defaultBlockSize,
		},
		Memory:     Memory{GlobalMax: defaultGlobalMax},
		Duplicates: Duplicates{CacheSize: defaultIDCacheSize},
		Acceptors: []Acceptor{{
			Name: "artemis", Host: "127.0.0.1", Port: defaultPort, Transport: defaultTransport(),
		}},
		Cluster: Cluster{
			RetryInterval: 100 * time.Millisecond,
			TTL:           defaultPairTTL,
		},
		HA: HA{
			Policy: NoHA, AllowFailback: true, SyncTimeout: 30 * time.Second,
		},
		Security: Security{Enabled: false},
		Addresses: []Address{
			{Name: "DLQ", Anycast: true, Queues: []Queue{declaredQueue("DLQ")}},
			{Name: "ExpiryQueue", Anycast: true, Queues: []Queue{declaredQueue("ExpiryQueue")}},
		},
		AddressSettings: []AddressSetting{{
			Match: "#",
			Values: []Assignment{
				{Name: "dead-letter-address", Value: "DLQ"},
				{Name: "expiry-address", Value: "ExpiryQueue"},
			},
		}},
	}
}

// defaultPairTTL is how long the pair link may be silent. Artemis' default of a minute would leave clients without a
// broker for that long when a host vanishes; a false alarm of the pair costs a moment and no message.
const defaultPairTTL = 2 * time.Second

// filesFor is the number of files of a size that hold defaultCapacity.
func filesFor(size int64) int { return int((defaultCapacity + size - 1) / size) }

func defaultTransport() Transport {
	return Transport{HandshakeTimeout: 10 * time.Second}
}

func declaredQueue(name string) Queue {
	return Queue{Name: name, Routing: Anycast, Durable: true, MaxConsumers: -1}
}

// forFile is what a broker.xml starts from: the defaults without what only makes sense when there is no file. Login is
// asked for, as a file of Artemis expects.
func forFile(file string) *Config {
	c := Default()
	c.File = file
	c.Base = baseFor(file)
	c.Acceptors, c.Addresses, c.AddressSettings = nil, nil, nil
	c.Security.Enabled = true
	return c
}
