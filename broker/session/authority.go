package session

// Permission is one kind of thing that a user may do at an address.
type Permission uint8

const (
	Send Permission = iota
	Consume
	Browse
	CreateDurableQueue
	DeleteDurableQueue
	CreateNonDurableQueue
	DeleteNonDurableQueue
	CreateAddress
	DeleteAddress
	Manage
)

// String is the word of broker.xml.
func (p Permission) String() string {
	names := [...]string{"send", "consume", "browse", "createDurableQueue", "deleteDurableQueue",
		"createNonDurableQueue", "deleteNonDurableQueue", "createAddress", "deleteAddress", "manage"}
	if int(p) < len(names) {
		return names[p]
	}
	return "unknown"
}

// Identity is a user who logged in. It is immutable: any goroutine may ask it, and the owner of the shard does, so May
// must not block.
type Identity interface {
	// Name is the user's name for messages; "" is nobody in particular.
	Name() string

	// May says whether the user may do p at an address.
	May(p Permission, address string) bool
}

// Authority checks who somebody is. The configuration supplies it.
type Authority interface {
	// Authenticate is called on the connection's event loop and may compute (hash a password) but not wait for others.
	// An error becomes CodeSecurity for the client; its text must not tell whether the user exists.
	Authenticate(user, password string) (Identity, error)
}

// Everyone is the authority that asks nobody: every user may do everything.
type Everyone struct{}

type everyone string

// Authenticate accepts anybody.
func (Everyone) Authenticate(user, _ string) (Identity, error) { return everyone(user), nil }

func (e everyone) Name() string              { return string(e) }
func (everyone) May(Permission, string) bool { return true }
