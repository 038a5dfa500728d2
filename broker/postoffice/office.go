package postoffice

import (
	"sort"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/queue"
)

// Address is one address.
type Address struct {
	Name        string
	Routings    address.RoutingSet
	AutoCreated bool
	Temporary   bool   // goes with its last queue, is in no record
	Record      uint64 // id of its record; 0: it is in none
	Settings    address.Settings
	IdleSince   int64 // boot clock in ns when it last had queues

	office  *Office
	queues  []*queue.Queue // in the order they were bound
	turn    int            // rotates among anycast queues
	memory  memory
	blocked []blocked
	window  *Window // durable duplicate ids, nil: none yet
	passing *Window // those that no record has
}

// Queues of the address, in the order they were bound; shared, do not change it.
func (a *Address) Queues() []*queue.Queue { return a.queues }

// Options limit an office.
type Options struct {
	GlobalMaxBytes int64 // memory of all addresses at which every producer waits; <= 0: no limit
	DuplicatesMax  int   // duplicate ids of all addresses together, at 16 B each; they must fit a checkpoint
	QueuesMax      int   // queues of the broker; their counters must fit a checkpoint; <= 0: no limit
}

// Office is the table of addresses and queues.
type Office struct {
	options  Options
	settings *address.Table

	addresses map[string]*Address
	queues    map[string]*queue.Queue
	byID      map[queue.ID]*queue.Queue
	windows   map[string]*Window
	ids       int // durable duplicate ids in all windows
	memory    memory
	relieved  bool       // memory was released since the last Relieve
	stopped   bool       // every producer waits
	waiting   []*Address // that have producers waiting
}

// New makes an empty office.
func New(settings *address.Table, o Options) *Office {
	return &Office{
		options: o, settings: settings,
		addresses: map[string]*Address{}, queues: map[string]*queue.Queue{}, byID: map[queue.ID]*queue.Queue{},
		windows: map[string]*Window{},
	}
}

// Settings of an address that need not exist.
func (o *Office) Settings(name string) address.Settings { return o.settings.Of(name) }

// Address by name, nil if there is none.
func (o *Office) Address(name string) *Address { return o.addresses[name] }

// Queue by name, nil if there is none.
func (o *Office) Queue(name string) *queue.Queue { return o.queues[name] }

// QueueByID returns nil if there is none.
func (o *Office) QueueByID(id queue.ID) *queue.Queue { return o.byID[id] }

// Addresses lists all of them by name.
func (o *Office) Addresses() []*Address {
	list := make([]*Address, 0, len(o.addresses))
	for _, a := range o.addresses {
		list = append(list, a)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// AddAddress takes in an address that is not there yet.
func (o *Office) AddAddress(a *Address) {
	a.office = o
	a.Settings = o.settings.Of(a.Name)
	a.window = o.windows[a.Name]
	o.addresses[a.Name] = a
}

// RemoveAddress forgets an address without queues, with its duplicate ids. Producers that wait for it are let go.
func (o *Office) RemoveAddress(a *Address) {
	delete(o.addresses, a.Name)
	o.forgetWindow(a.Name)
	a.window = nil
	a.release()
}

// Crowded says that no more queues may be made.
func (o *Office) Crowded() bool {
	return o.options.QueuesMax > 0 && len(o.queues) >= o.options.QueuesMax
}

// AddQueue binds a queue to its address, which exists.
func (o *Office) AddQueue(q *queue.Queue) {
	o.queues[q.Name] = q
	o.byID[q.ID] = q
	if a := o.addresses[q.Address]; a != nil {
		a.queues = append(a.queues, q)
	}
}

// RemoveQueue unbinds a queue. Its references are the caller's business.
func (o *Office) RemoveQueue(q *queue.Queue) {
	delete(o.queues, q.Name)
	delete(o.byID, q.ID)
	if a := o.addresses[q.Address]; a != nil {
		for i, other := range a.queues {
			if other == q {
				a.queues = append(a.queues[:i:i], a.queues[i+1:]...)
				break
			}
		}
	}
}
