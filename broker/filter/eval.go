package filter

// node is one part of a condition.
type node interface {
	eval(s Source) Value
}

type constant struct{ value Value }

func (c constant) eval(Source) Value { return c.value }

type name string

func (n name) eval(s Source) Value { return s.Lookup(string(n)) }

type negation struct{ of node }

func (n negation) eval(s Source) Value { return n.of.eval(s).not() }

// allOf is AND: false if one is false, else unknown if one is unknown.
type allOf []node

func (a allOf) eval(s Source) Value {
	result := Bool(true)
	for _, part := range a {
		v := part.eval(s)
		if v.kind != kindBool {
			result = Value{}
		} else if !v.bool {
			return v
		}
	}
	return result
}

// anyOf is OR: true if one is true, else unknown if one is unknown.
type anyOf []node

func (a anyOf) eval(s Source) Value {
	result := Bool(false)
	for _, part := range a {
		v := part.eval(s)
		if v.kind != kindBool {
			result = Value{}
		} else if v.bool {
			return v
		}
	}
	return result
}

// comparison with null is unknown; of kinds that do not go together "=" and the orders are false, "<>" is true.
type comparison struct {
	op          string
	left, right node
	convert     bool
}

func (c comparison) eval(s Source) Value {
	a, b := c.left.eval(s), c.right.eval(s)
	if a.kind == kindNull || b.kind == kindNull {
		return Value{}
	}
	if c.convert {
		a, b = converted(a, b), converted(b, a)
	}
	order, ok := compare(a, b)
	switch c.op {
	case "=":
		return Bool(ok && order == 0)
	case "<>":
		return Bool(!ok || order != 0)
	case "<":
		return Bool(ok && order < 0)
	case ">":
		return Bool(ok && order > 0)
	case "<=":
		return Bool(ok && order <= 0)
	}
	return Bool(ok && order >= 0)
}

type nullTest struct {
	of      node
	negated bool
}

func (n nullTest) eval(s Source) Value {
	return Bool((n.of.eval(s).kind == kindNull) != n.negated)
}

type inTest struct {
	of   node
	list []Value
}

func (t inTest) eval(s Source) Value {
	v := t.of.eval(s)
	if v.kind == kindNull {
		return Value{}
	}
	for i := range t.list {
		if order, ok := compare(v, t.list[i]); ok && order == 0 {
			return Bool(true)
		}
	}
	return Bool(false)
}

type operation struct {
	op          byte
	left, right node
}

func (o operation) eval(s Source) Value { return arithmetic(o.op, o.left.eval(s), o.right.eval(s)) }

// fold computes an operation of two constants once.
func fold(o operation) node {
	_, left := o.left.(constant)
	_, right := o.right.(constant)
	if left && right {
		return constant{o.eval(nil)}
	}
	return o
}
