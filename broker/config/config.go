package config

import (
	"path/filepath"
	"strings"
	"time"
)

// Config is everything that a broker is wired from. It is plain values: build it with Default or Load, change what you
// need, call Validate, and do not change it once a broker has it.
type Config struct {
	File string // the broker.xml it came from; empty: embedded defaults
	Base string // directory against which relative paths are resolved (Path)
	Name string // of this broker, for people: logs, metrics, management

	Journal    Journal
	Memory     Memory
	Duplicates Duplicates

	Acceptors  []Acceptor
	Connectors []Connector
	Cluster    Cluster
	HA         HA

	Security        Security
	Addresses       []Address
	AddressSettings []AddressSetting
}

// Journal describes the one log of the broker. All durable state is in it.
type Journal struct {
	Dir       string // as written in the file; resolve with Config.Path
	Engine    Engine
	FileSize  int64 // bytes of one data file, all of them alike; fixed when the journal is made
	Files     int   // data files, zero-filled when the journal is made; more are added later, none is taken away
	BlockSize int   // bytes, the unit of direct I/O; fixed when the journal is made
}

// Engine says which I/O engine writes the log.
type Engine string

// The engines that broker.xml can ask for by journal-type.
const (
	EngineAuto   Engine = "auto"   // ASYNCIO: the best asynchronous engine that this machine offers
	EnginePwrite Engine = "pwrite" // NIO: blocking writes on worker threads
)

// Memory limits what messages may hold in memory, in real bytes.
type Memory struct {
	GlobalMax int64 // all addresses together; at the limit producers are blocked
}

// Duplicates is about the caches of duplicate ids, one per address.
type Duplicates struct {
	CacheSize int // ids remembered per address, unless an address setting says otherwise
}

// Acceptor is one port on which clients are served.
type Acceptor struct {
	At        Place
	Name      string
	Host      string // name or address to listen on; empty: all interfaces
	Port      int
	PairPort  int // port of the pair link beside it (rule H1 of docs/ha.md); 0: Port + PairPortOffset
	Transport Transport
}

// Transport is what the URL of an acceptor says about its connections. A zero number means the default of the code
// that serves them.
type Transport struct {
	ConnectionsMax   int           // connections at a time; 0: the server's own limit
	HandshakeTimeout time.Duration // until the first bytes of a protocol must have arrived
	ConnectionTTL    time.Duration // of clients that do not state their own; 0: 60 s
}

// Connector is an address at which a broker can be reached, as other brokers and clients are told it.
type Connector struct {
	At       Place
	Name     string
	Host     string
	Port     int
	PairPort int // where the pair link of that broker listens; 0: Port + PairPortOffset
}

// PairPortOffset is added to a client port where no pairPort is given.
const PairPortOffset = 1000

// Cluster is the one cluster connection: who the other brokers are and how they prove themselves.
type Cluster struct {
	At           Place
	User         string
	Password     string
	Name         string   // of the cluster connection; empty: there is none
	ConnectorRef string   // the connector under which this broker is known to others
	Static       []string // connectors of the other brokers, in the order of the file

	RetryInterval time.Duration // between two attempts to reach another broker; they never end
	TTL           time.Duration // silence on the link after which the other broker counts as gone
}

// HAPolicy says whether the broker has a partner.
type HAPolicy string

// The policies.
const (
	NoHA        HAPolicy = "none"        // alone
	Replication HAPolicy = "replication" // a pair with a log each
)

// Role is how a broker is configured; how it behaves now (active, passive) is decided at run time.
type Role string

// The roles of a pair.
const (
	Primary Role = "primary"
	Backup  Role = "backup"
)

// HA is the ha-policy. Role and what follows mean something with Replication only.
type HA struct {
	At            Place
	Policy        HAPolicy
	Role          Role
	AskFailback   bool          // primary: ask for its role back once it is in sync again (check-for-active-server)
	AllowFailback bool          // obey that request while active
	SyncTimeout   time.Duration // limit for the last step of bringing a backup in sync

	cluster   string // cluster-name, which Validate compares with Cluster.Name
	clusterAt Place
}

// Address is one address that broker.xml declares. It exists from the first activation on.
type Address struct {
	At        Place
	Name      string
	Anycast   bool
	Multicast bool
	Queues    []Queue
}

// Queue is one queue of a declared Address.
type Queue struct {
	At           Place
	Name         string
	Routing      Routing
	Durable      bool
	Filter       string // a selector; empty: every message
	MaxConsumers int    // -1: no limit
	Purge        bool   // messages go with the last consumer
	Exclusive    bool   // one consumer at a time
}

// Routing says whether one queue of an address gets a message, or each of them.
type Routing string

// The routing types.
const (
	Anycast   Routing = "ANYCAST"
	Multicast Routing = "MULTICAST"
)

// Path resolves a path of the configuration against Base.
func (c *Config) Path(p string) string {
	if p == "" || filepath.IsAbs(p) || c.Base == "" {
		return filepath.Clean(p)
	}
	return filepath.Join(c.Base, p)
}

// JournalDir is the directory of the log, resolved.
func (c *Config) JournalDir() string { return c.Path(c.Journal.Dir) }

// Connector finds a connector by its name.
func (c *Config) Connector(name string) (Connector, bool) {
	for _, n := range c.Connectors {
		if n.Name == name {
			return n, true
		}
	}
	return Connector{}, false
}

// baseFor says against what the relative paths of a broker.xml are resolved: an Artemis instance keeps the file in etc
// and its data beside etc, so the parent of a directory called etc, and any other directory itself.
func baseFor(file string) string {
	dir := filepath.Dir(file)
	if abs, err := filepath.Abs(dir); err == nil && strings.EqualFold(filepath.Base(abs), "etc") {
		return filepath.Join(dir, "..")
	}
	return dir
}
