package config

// Security says who may log in and what he may do.
type Security struct {
	Enabled  bool // false: no login is asked for and everything is allowed
	Settings []SecuritySetting
	Users    Users
}

// SecuritySetting is what one security-setting grants on the addresses that match.
type SecuritySetting struct {
	At    Place
	Match string
	Roles [permissionCount][]string // by Permission: the roles that have it
}

// Permission is one right on an address.
type Permission uint8

// The permissions of a security-setting.
const (
	Send Permission = iota
	Consume
	Browse
	CreateAddress
	DeleteAddress
	CreateDurableQueue
	DeleteDurableQueue
	CreateNonDurableQueue
	DeleteNonDurableQueue
	Manage
	View
	Edit
	permissionCount
)

// permissionNames are the names in broker.xml, by Permission.
func permissionNames() [permissionCount]string {
	return [permissionCount]string{
		Send: "send", Consume: "consume", Browse: "browse",
		CreateAddress: "createAddress", DeleteAddress: "deleteAddress",
		CreateDurableQueue: "createDurableQueue", DeleteDurableQueue: "deleteDurableQueue",
		CreateNonDurableQueue: "createNonDurableQueue", DeleteNonDurableQueue: "deleteNonDurableQueue",
		Manage: "manage", View: "view", Edit: "edit",
	}
}

// String is the name of the permission in broker.xml.
func (p Permission) String() string {
	if p >= permissionCount {
		return "unknown permission"
	}
	return permissionNames()[p]
}

// Allowed says whether a holder of roles has permission p on address. Of the settings that match the address the most
// specific one decides alone; without any the answer is no. It ignores Enabled.
func (s *Security) Allowed(roles []string, p Permission, address string) bool {
	best := -1
	for i := range s.Settings {
		if !Matches(s.Settings[i].Match, address) {
			continue
		}
		if best < 0 || MoreSpecific(s.Settings[i].Match, s.Settings[best].Match) {
			best = i
		}
	}
	if best < 0 || p >= permissionCount {
		return false
	}
	for _, granted := range s.Settings[best].Roles[p] {
		for _, role := range roles {
			if role == granted {
				return true
			}
		}
	}
	return false
}
