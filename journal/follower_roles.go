package journal

import "slices"

// followedRoles are the role records of the log as far as it was received.
type followedRoles struct {
	all     []RolePoint
	pending []pendingRole // not durable, or not asked for yet
}

// pendingRole is a role record and the end of its page.
type pendingRole struct {
	point RolePoint
	end   Position
}

func (r *followedRoles) take(ps []pendingRole) {
	for _, p := range ps {
		if len(r.all) >= rolesMax {
			r.all = slices.Delete(r.all, 0, 1)
		}
		r.all = append(r.all, p.point)
		if len(r.pending) >= rolesMax {
			r.pending = slices.Delete(r.pending, 0, 1)
		}
		r.pending = append(r.pending, p)
	}
}

// cut forgets what lies beyond a position.
func (r *followedRoles) cut(at Position) {
	r.all = slices.DeleteFunc(r.all, func(p RolePoint) bool { return at.Less(p.Position) })
	r.pending = slices.DeleteFunc(r.pending, func(p pendingRole) bool { return at.Less(p.end) })
}

// Roles are the role records received, oldest first; the first may stem from the checkpoint.
func (f *Follower) Roles() []RolePoint { return slices.Clone(f.roles.all) }

// DurableRoles are the role records that became durable since the last call, in order.
func (f *Follower) DurableRoles() []RolePoint {
	var points []RolePoint
	for len(f.roles.pending) > 0 && !f.out.durable.Less(f.roles.pending[0].end) {
		points = append(points, f.roles.pending[0].point)
		f.roles.pending = f.roles.pending[1:]
	}
	return points
}
