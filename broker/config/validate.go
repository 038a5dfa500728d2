package config

import "fmt"

// checker gathers what is wrong between settings.
type checker struct {
	c    *Config
	errs Errors
}

func (k *checker) fail(at Place, next, format string, args ...any) {
	if len(k.errs) < errorsMax {
		k.errs = append(k.errs, &Error{File: k.c.File, At: at, Problem: fmt.Sprintf(format, args...), Next: next})
	}
}

// Validate checks the settings against each other; nothing is opened or resolved. It returns nil or Errors. Load has
// called it; a program that builds or changes a Config calls it before it starts a broker.
func (c *Config) Validate() error {
	k := &checker{c: c}
	k.basics()
	k.acceptors()
	k.cluster()
	k.pair()
	k.addresses()
	k.security()
	if len(k.errs) > 0 {
		return k.errs
	}
	return nil
}

func (k *checker) basics() {
	c := k.c
	switch {
	case c.Name == "":
		k.fail(Place{}, "add <name>", "the broker has no name")
	case c.Journal.Dir == "":
		k.fail(Place{}, "add <journal-directory>", "the journal has no directory")
	case c.Journal.Engine != EngineAuto && c.Journal.Engine != EnginePwrite:
		k.fail(Place{}, "write ASYNCIO or NIO", "the journal's engine is %q", c.Journal.Engine)
	}
	j := c.Journal
	if j.FileSize < fileSizeFloor || j.FileSize > fileSizeLimit || j.Files < filesFloor || j.Files > filesLimit {
		k.fail(Place{}, "correct journal-file-size or journal-max-files", "a journal of %d files of %d bytes is not possible: "+
			"%d to %d files of %d to %d bytes are", j.Files, j.FileSize, filesFloor, filesLimit, fileSizeFloor, int64(fileSizeLimit))
	}
	if j.BlockSize < 4096 || j.BlockSize > 16384 || j.BlockSize&(j.BlockSize-1) != 0 {
		k.fail(Place{}, "write 4096, 8192 or 16384", "the block size is %d", j.BlockSize)
	} else if j.FileSize%int64(j.BlockSize) != 0 {
		k.fail(Place{}, "write a multiple of it", "journal-file-size %d is not a multiple of the block size %d", j.FileSize, j.BlockSize)
	}
	if c.Memory.GlobalMax < 1<<20 {
		k.fail(Place{}, "write at least 1M", "global-max-size is %d bytes", c.Memory.GlobalMax)
	}
	if c.Duplicates.CacheSize < 0 {
		k.fail(Place{}, "write 0 or more", "id-cache-size is %d", c.Duplicates.CacheSize)
	}
}

func (k *checker) acceptors() {
	c := k.c
	if len(c.Acceptors) == 0 {
		k.fail(Place{}, `add <acceptor name="artemis">tcp://127.0.0.1:61616?protocols=CORE</acceptor> to <acceptors>`,
			"no acceptor serves a protocol that is supported, so no client could connect")
	}
	for i, a := range c.Acceptors {
		if a.Port < 0 || a.Port > 65535 || c.File != "" && a.Port == 0 {
			k.fail(a.At, "write a port from 1 to 65535", "acceptor %q has port %d", a.Name, a.Port)
		}
		for _, b := range c.Acceptors[:i] {
			if a.Port != 0 && a.Port == b.Port && (a.Host == b.Host || a.Host == "" || b.Host == "") {
				k.fail(a.At, "give one another port", "acceptors %q and %q both listen on port %d", b.Name, a.Name, a.Port)
			}
		}
	}
}

// cluster checks that every connector that is named exists.
func (k *checker) cluster() {
	cl := k.c.Cluster
	if cl.RetryInterval <= 0 || cl.TTL <= 0 {
		k.fail(cl.At, "correct retry-interval or connection-ttl", "an attempt every %v, silence of %v: both must be positive",
			cl.RetryInterval, cl.TTL)
	}
	if cl.Name == "" {
		return
	}
	if cl.ConnectorRef == "" {
		k.fail(cl.At, "add <connector-ref> with the connector of this broker", "<cluster-connection> does not say under which "+
			"connector this broker is known")
	}
	for _, ref := range append([]string{cl.ConnectorRef}, cl.Static...) {
		if _, ok := k.c.Connector(ref); !ok && ref != "" {
			k.fail(cl.At, "define it in <connectors>, or correct the name", "<cluster-connection> names connector %q, which is not defined", ref)
		}
	}
	if contains(cl.Static, cl.ConnectorRef) {
		k.fail(cl.At, "name the other broker there", "connector %q is this broker's own and also in <static-connectors>", cl.ConnectorRef)
	}
	if k.c.HA.Policy == NoHA && len(cl.Static) > 0 {
		k.fail(cl.At, "add <ha-policy> with <replication>, or remove the cluster-connection",
			"a cluster without a pair is not supported yet")
	}
}

// pair checks what replication needs.
func (k *checker) pair() {
	c := k.c
	if c.HA.Policy != Replication {
		return
	}
	switch {
	case c.HA.Role != Primary && c.HA.Role != Backup:
		k.fail(c.HA.At, "add <primary/> or <backup/>", "<replication> does not say whether this broker is the primary or the backup")
	case c.Cluster.Name == "":
		k.fail(c.HA.At, "add a <cluster-connection> whose <static-connectors> name the other broker",
			"<replication> needs a cluster-connection to find the other broker")
		return
	case len(c.Cluster.Static) != 1:
		k.fail(c.Cluster.At, "name the other broker of the pair, and nothing else", "<static-connectors> names %d brokers; a pair "+
			"with exactly one other is supported", len(c.Cluster.Static))
	}
	if c.HA.cluster != "" && c.HA.cluster != c.Cluster.Name {
		k.fail(c.HA.clusterAt, "correct it or remove it", "<cluster-name>%s</cluster-name> is not the cluster-connection %q",
			c.HA.cluster, c.Cluster.Name)
	}
	if c.Cluster.User == "" || c.Cluster.Password == "" || c.Cluster.Password == "CHANGE ME!!" {
		k.fail(c.HA.At, "add <cluster-user> and <cluster-password>, alike on both brokers",
			"<replication> needs a cluster user and a password of its own: brokers prove themselves to each other by them")
	}
	k.pairPorts()
}

// pairPorts checks that the pair link has a port that nothing else takes.
func (k *checker) pairPorts() {
	c := k.c
	own := c.PairListen()
	if own.Port > 65535 || own.Port < 0 {
		k.fail(c.HA.At, "add pairPort=... to the acceptor's URL", "the pair port would be %d", own.Port)
	}
	for _, a := range c.Acceptors {
		if a.Port != 0 && a.Port == own.Port {
			k.fail(a.At, "add pairPort=... to an acceptor's URL", "acceptor %q listens on %d, which is also the pair port", a.Name, a.Port)
		}
	}
	for _, p := range c.Peers() {
		if p.Pair.Port > 65535 {
			k.fail(c.Cluster.At, "add pairPort=... to the connector's URL", "the pair port of connector %q would be %d", p.Name, p.Pair.Port)
		}
		if p.Pair == own {
			k.fail(c.Cluster.At, "name the other broker there", "connector %q leads to this broker's own pair port %s", p.Name, own)
		}
	}
}

func (k *checker) addresses() {
	c := k.c
	for _, a := range c.Addresses {
		if !a.Anycast && !a.Multicast {
			k.fail(a.At, "add <anycast/> or <multicast/>", "address %q has no routing type", a.Name)
		}
	}
	set := assignments()
	for _, s := range c.AddressSettings {
		if err := checkPattern(s.Match); err != nil {
			k.fail(s.At, "correct the match", "the match %q %v", s.Match, err)
		}
		for _, v := range s.Values {
			if err := set.apply(&AddressSettings{}, v); err != nil {
				k.fail(s.At, "correct the value", "the address setting %s %v", v.Name, err)
			}
		}
	}
}

func (k *checker) security() {
	for _, s := range k.c.Security.Settings {
		if err := checkPattern(s.Match); err != nil {
			k.fail(s.At, "correct the match", "the match %q %v", s.Match, err)
		}
	}
}
