package journal

// members are the brokers whose disks count in stable.
type members struct {
	list []memberState
}

type memberState struct {
	id      Member
	durable Position
}

// SetMembers says who counts in Stable beside this disk. Who stays keeps its position; who is new starts at zero, so
// Stable may fall.
func (m *Machine) SetMembers(ids []Member) {
	var list []memberState
	for _, id := range ids {
		s := memberState{id: id}
		for _, old := range m.members.list {
			if old.id == id {
				s.durable = old.durable
			}
		}
		list = append(list, s)
	}
	m.members.list = list
	m.releaseRetired()
}

// MemberDurable records what a member says is durable on it. Positions never fall; strangers are ignored.
func (m *Machine) MemberDurable(id Member, pos Position) {
	for i := range m.members.list {
		if s := &m.members.list[i]; s.id == id && s.durable.Less(pos) {
			s.durable = pos
			m.releaseRetired()
		}
	}
}

// Stable is the lowest of Durable and what the members said.
func (m *Machine) Stable() Position {
	pos := m.writer.pos
	for i := range m.members.list {
		if d := m.members.list[i].durable; d.Less(pos) {
			pos = d
		}
	}
	return pos
}
