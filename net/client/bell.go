package client

// bell wakes everybody who waits for a change. It is used under the Client's mutex; the zero value is ready.
type bell struct{ rung chan struct{} }

// next is closed at the next ring.
func (b *bell) next() <-chan struct{} {
	if b.rung == nil {
		b.rung = make(chan struct{})
	}
	return b.rung
}

func (b *bell) ring() {
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}
