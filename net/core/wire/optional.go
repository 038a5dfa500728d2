package wire

// Optional is a field that may be null or absent on the wire. The zero value is null.
type Optional[T any] struct {
	Value T
	Set   bool
}

// Some is a value that is there.
func Some[T any](v T) Optional[T] { return Optional[T]{Value: v, Set: true} }

// Or is the value, or def where it is null.
func (o Optional[T]) Or(def T) T {
	if o.Set {
		return o.Value
	}
	return def
}
