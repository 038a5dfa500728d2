package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"
)

// The files that hold the logins, in the directory of broker.xml.
const (
	usersFile = "artemis-users.properties"
	rolesFile = "artemis-roles.properties"
)

// Users are the logins of artemis-users.properties with the roles of artemis-roles.properties. The zero value knows
// nobody. It is read-only once loaded and safe for concurrent use.
type Users struct {
	byName map[string]user
	decoy  string // checked for unknown names, so that time does not tell which names exist
}

type user struct {
	password string   // plain, or ENC(iterations:salt:hash)
	roles    []string // sorted
}

// Count is the number of logins.
func (u Users) Count() int { return len(u.byName) }

// Authenticate returns the roles of a user who gives the right password, and whether he did. A hashed password costs
// milliseconds of CPU by design: call it from a bounded set of workers, never from a loop that others wait for.
func (u Users) Authenticate(name, password string) (roles []string, ok bool) {
	one, known := u.byName[name]
	if !known {
		checkPassword(u.decoy, password)
		return nil, false
	}
	if !checkPassword(one.password, password) {
		return nil, false
	}
	return append([]string(nil), one.roles...), true
}

// NewUsers builds logins from values: passwords by name (plain or ENC(...)) and names by role.
func NewUsers(passwords map[string]string, roles map[string][]string) (Users, error) {
	u := Users{byName: make(map[string]user, len(passwords))}
	for _, name := range sortedKeys(passwords) {
		stored := passwords[name]
		if err := checkStored(stored); err != nil {
			return Users{}, fmt.Errorf("the password of user %q %w", name, err)
		}
		if isHashed(stored) || u.decoy == "" {
			u.decoy = stored
		}
		u.byName[name] = user{password: stored}
	}
	for _, role := range sortedKeys(roles) {
		for _, name := range roles[role] {
			one, known := u.byName[name]
			if !known {
				return Users{}, fmt.Errorf("role %q names user %q, who has no password", role, name)
			}
			one.roles = append(one.roles, role)
			u.byName[name] = one
		}
	}
	return u, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// loadUsers reads both files in dir. A role may name users that have no login: Artemis' files do so when logins come
// from elsewhere, so that is a notice, and the name gets no rights.
func (l *loader) loadUsers(dir string) {
	logins, ok := l.properties(filepath.Join(dir, usersFile), "name = password")
	if !ok {
		return
	}
	members, ok := l.properties(filepath.Join(dir, rolesFile), "role = name,name")
	if !ok {
		return
	}
	passwords := make(map[string]string, len(logins))
	for _, p := range logins {
		if err := checkStored(p.value); err != nil {
			l.addError(&Error{File: p.file, At: p.at, Problem: fmt.Sprintf("the password of user %q %v", p.key, err),
				Next: "correct it; docs/configuration.md says which forms are read"})
			continue
		}
		passwords[p.key] = p.value
	}
	roles := make(map[string][]string, len(members))
	for _, p := range members {
		for _, name := range strings.Split(p.value, ",") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			if _, known := passwords[name]; !known {
				l.notices = append(l.notices, Notice{File: p.file, At: p.at,
					Text: fmt.Sprintf("role %q names user %q, who has no password in %s and cannot log in", p.key, name, usersFile)})
				continue
			}
			roles[p.key] = append(roles[p.key], name)
		}
	}
	u, err := NewUsers(passwords, roles)
	if err != nil { // both sides were checked above
		l.addError(&Error{File: filepath.Join(dir, usersFile), Problem: err.Error(), Next: "correct the files"})
		return
	}
	l.cfg.Security.Users = u
}

// properties reads one file into its entries; line is an example for who has none.
func (l *loader) properties(file, line string) ([]property, bool) {
	data, err := readBounded(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.addError(&Error{File: file, Problem: "login is required, but this file does not exist", Next: "create it with lines " +
			"like \"" + line + "\", or write <security-enabled>false</security-enabled> in broker.xml"})
		return nil, false
	case err != nil:
		l.addError(&Error{File: file, Problem: err.Error(), Next: "make the file readable"})
		return nil, false
	}
	props, bad := parseProperties(file, data)
	if bad != nil {
		l.addError(bad)
		return nil, false
	}
	return props, true
}
