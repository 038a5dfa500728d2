package config

import "strings"

// securitySettings reads <security-settings>.
func (l *loader) securitySettings(n *node) {
	l.attrs(n, nil, nil)
	t := table{"security-setting": many(l.securitySetting)}
	l.later(t, "security-setting-plugin", "role-mapping")
	l.children(n, t)
}

func (l *loader) securitySetting(n *node) {
	if !l.attrs(n, []string{"match"}, nil) {
		return
	}
	s := SecuritySetting{At: n.at}
	s.Match, _ = n.attr("match")
	if !l.unique("security-setting", s.Match, n.at) {
		return
	}
	if err := checkPattern(s.Match); err != nil {
		l.fail(n.at, "correct the match", "the match %q %v", s.Match, err)
		return
	}
	l.children(n, table{"permission": many(func(c *node) { l.permission(c, &s) })})
	l.cfg.Security.Settings = append(l.cfg.Security.Settings, s)
}

func (l *loader) permission(n *node, s *SecuritySetting) {
	if !l.attrs(n, []string{"type", "roles"}, nil) {
		return
	}
	l.children(n, table{})
	kind, _ := n.attr("type")
	roles, _ := n.attr("roles")
	p := permissionOf(kind)
	if p == permissionCount {
		l.fail(n.at, "correct the type", "permission type %.40q is none of %s", kind, strings.Join(permissionNameList(), ", "))
		return
	}
	for _, r := range strings.Split(roles, ",") {
		if r = strings.TrimSpace(r); r != "" && !contains(s.Roles[p], r) {
			s.Roles[p] = append(s.Roles[p], r)
		}
	}
}

// permissionOf finds a permission by its name, with the short names that older files use; permissionCount: none.
func permissionOf(name string) Permission {
	switch name {
	case "createTempQueue":
		return CreateNonDurableQueue
	case "deleteTempQueue":
		return DeleteNonDurableQueue
	}
	for p, known := range permissionNames() {
		if known == name {
			return Permission(p)
		}
	}
	return permissionCount
}

func permissionNameList() []string {
	all := permissionNames()
	return all[:]
}
