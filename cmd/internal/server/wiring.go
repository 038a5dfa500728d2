package server

import (
	"errors"
	"fmt"
	"time"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/broker"
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/config"
	"github.com/hindmq/hind/broker/ha"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/net/core"
	"github.com/hindmq/hind/net/core/wire"
	"github.com/hindmq/hind/net/remoting"
	"github.com/hindmq/hind/net/transport"
)

// journalOptions are the journal's part of the configuration.
func journalOptions(c *config.Config) journal.Options {
	shift := uint8(0)
	for 1<<shift < c.Journal.BlockSize {
		shift++
	}
	o := journal.Defaults(datafile.Geometry{BlockShift: shift, Capacity: uint32(c.Journal.FileSize >> shift)})
	o.Slots, o.Reserve = c.Journal.Files, 0
	return o
}

// nodeOptions turns the configuration into what the node wants.
func (s *Server) nodeOptions() (broker.Options, error) {
	c := s.o.Config
	o := broker.DefaultOptions()
	o.Name, o.Env = c.Name, s.env
	o.FS, o.Dir, o.Journal = aio.NewOS(aio.OSOptions{}), c.JournalDir(), journalOptions(c)
	o.Engine, o.Pool = s.engine, s.pool
	o.Shard.Settings = address.Resolved(func(name string) address.Settings { return settingsOf(c.SettingsFor(name)) })
	o.Shard.Office.GlobalMaxBytes = c.Memory.GlobalMax
	// The host's part of a checkpoint must fit: half of it for duplicate ids, half for the counters of queues.
	o.Shard.Office.DuplicatesMax = min(o.Shard.Office.DuplicatesMax, o.Journal.BlobMax/2/duplicateSize)
	o.Shard.Office.QueuesMax = min(o.Shard.Office.QueuesMax, o.Journal.BlobMax/2/counterSize)
	o.Declared = declared(c)
	if c.Security.Enabled {
		o.Authority = authority{&c.Security}
	}
	o.HA = s.haConfig()
	for k := 0; k < len(o.HA.NewNodeID); k += 8 {
		v := s.env.Random()
		for j := range 8 {
			o.HA.NewNodeID[k+j] = byte(v >> (8 * j))
		}
	}
	return o, o.HA.Validate()
}

// What a duplicate id and a queue's counters take in a checkpoint, at most, with their address's share.
const (
	duplicateSize = 20
	counterSize   = 50
)

// haConfig is the role machine's part. A broker without a partner is a primary that founds at once.
func (s *Server) haConfig() ha.Config {
	c, h := s.o.Config, ha.DefaultConfig()
	h.Primary, h.Init = true, s.o.Init
	if s.o.Lease > 0 {
		h.Lease = s.o.Lease
		h.HeartbeatEvery = min(h.HeartbeatEvery, s.o.Lease/10)
	}
	if c.HA.Policy != config.Replication {
		return h
	}
	h.Primary = c.HA.Role == config.Primary
	if s.o.Lease == 0 && c.Cluster.TTL > 0 {
		h.Lease = c.Cluster.TTL
		h.HeartbeatEvery = min(h.HeartbeatEvery, h.Lease/10)
	}
	h.RedialEvery = min(h.RedialEvery, c.Cluster.RetryInterval)
	h.AllowFailback, h.Failback, h.SyncTimeout = c.HA.AllowFailback, c.HA.AskFailback, c.HA.SyncTimeout
	for _, p := range c.Peers() {
		h.Peers = append(h.Peers, p.Pair.String())
	}
	return h
}

// settingsOf translates the settings of one address.
func settingsOf(v config.AddressSettings) address.Settings {
	return address.Settings{
		DeadLetterAddress: v.DeadLetterAddress, ExpiryAddress: v.ExpiryAddress, MaxDeliveryAttempts: v.MaxDeliveryAttempts,
		MaxSizeBytes: v.MaxSize, MaxSizeMessages: v.MaxMessages, IDCacheSize: v.IDCacheSize,
		AutoCreateQueues: v.AutoCreateQueues, AutoCreateAddresses: v.AutoCreateAddresses,
		AutoDeleteQueues: v.AutoDeleteQueues, AutoDeleteQueuesDelay: v.AutoDeleteQueuesDelay, AutoDeleteAddresses: v.AutoDeleteAddresses,
		DefaultQueueRouting: routing(v.DefaultQueueRouting), DefaultAddressRouting: routing(v.DefaultRouting),
		DefaultMaxConsumers: int32(v.DefaultMaxConsumers), DefaultPurge: v.DefaultPurge, DefaultExclusive: v.DefaultExclusive,
		DefaultConsumerWindow: int32(v.DefaultConsumerWindow),
	}
}

func routing(r config.Routing) address.Routing {
	if r == config.Anycast {
		return address.Anycast
	}
	return address.Multicast
}

// declared lists the addresses and queues of broker.xml.
func declared(c *config.Config) []session.QueueOptions {
	var all []session.QueueOptions
	for _, a := range c.Addresses {
		for _, r := range []struct {
			has bool
			is  address.Routing
		}{{a.Anycast, address.Anycast}, {a.Multicast, address.Multicast}} {
			if r.has {
				all = append(all, session.QueueOptions{Address: a.Name, Routing: r.is})
			}
		}
		for _, q := range a.Queues {
			consumers, purge, exclusive := int32(q.MaxConsumers), q.Purge, q.Exclusive
			all = append(all, session.QueueOptions{Address: a.Name, Name: q.Name, Filter: q.Filter, Routing: routing(q.Routing),
				Kind: session.QueueKind{Durable: q.Durable}, MaxConsumers: &consumers, PurgeOnNoConsumers: &purge, Exclusive: &exclusive})
		}
	}
	return all
}

// authority asks the users and permissions of the configuration.
type authority struct{ security *config.Security }

// errLogin carries the number that runbooks of Artemis know.
var errLogin = errors.New("AMQ229031: unable to validate user: unknown user or wrong password")

func (a authority) Authenticate(user, password string) (session.Identity, error) {
	roles, ok := a.security.Users.Authenticate(user, password)
	if !ok {
		return nil, errLogin
	}
	return identity{a.security, user, roles}, nil
}

type identity struct {
	security *config.Security
	name     string
	roles    []string
}

func (i identity) Name() string { return i.name }

var permissions = map[session.Permission]config.Permission{
	session.Send: config.Send, session.Consume: config.Consume, session.Browse: config.Browse, session.Manage: config.Manage,
	session.CreateAddress: config.CreateAddress, session.DeleteAddress: config.DeleteAddress,
	session.CreateDurableQueue: config.CreateDurableQueue, session.DeleteDurableQueue: config.DeleteDurableQueue,
	session.CreateNonDurableQueue: config.CreateNonDurableQueue, session.DeleteNonDurableQueue: config.DeleteNonDurableQueue,
}

func (i identity) May(p session.Permission, addr string) bool {
	want, known := permissions[p]
	return known && i.security.Allowed(i.roles, want, addr)
}

// clientLimits bound one client connection. Frames of an unmodified client hold a message of at most 100 KiB, so the inbound
// limit is the largest frame that is taken.
func clientLimits(t config.Transport) transport.Limits {
	l := transport.Limits{Inbound: wire.FrameSizeMaxDefault + 1<<16, Outbound: 8 << 20, Connections: t.ConnectionsMax,
		Handshake: t.HandshakeTimeout, Idle: t.ConnectionTTL}
	if l.Idle == 0 {
		l.Idle = time.Minute
	}
	return core.TransportLimits(l, session.DefaultOptions())
}

// coreProtocol offers CORE by its first bytes.
func coreProtocol(server *core.Server) remoting.Protocol {
	return remoting.Protocol{Name: "CORE", Match: core.Match, Accept: server.Accept,
		Farewell: func(reason error) { server.Close(core.FarewellShutDown, fmt.Errorf("broker stops: %w", reason)) }}
}
