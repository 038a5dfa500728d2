package filter

import (
	"math"
	"strconv"
	"strings"
)

type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindInt
	kindFloat
	kindString
)

// Value is null, a boolean, a whole number, a float or a string. As a truth value null is "unknown".
type Value struct {
	kind   kind
	bool   bool
	int    int64
	float  float64
	string string
}

// Bool, Int, Float and String make values; the zero Value is null.
func Bool(b bool) Value     { return Value{kind: kindBool, bool: b} }
func Int(n int64) Value     { return Value{kind: kindInt, int: n} }
func Float(f float64) Value { return Value{kind: kindFloat, float: f} }
func String(s string) Value { return Value{kind: kindString, string: s} }

func (v Value) numeric() bool { return v.kind == kindInt || v.kind == kindFloat }

func (v Value) asFloat() float64 {
	if v.kind == kindInt {
		return float64(v.int)
	}
	return v.float
}

// not is the three-valued negation; what is no truth value is unknown.
func (v Value) not() Value {
	if v.kind == kindBool {
		return Bool(!v.bool)
	}
	return Value{}
}

// compare orders two values of kinds that can be ordered; ok is false for others and for NaN.
func compare(a, b Value) (order int, ok bool) {
	switch {
	case a.kind == kindInt && b.kind == kindInt:
		switch {
		case a.int < b.int:
			return -1, true
		case a.int > b.int:
			return 1, true
		}
		return 0, true
	case a.numeric() && b.numeric():
		x, y := a.asFloat(), b.asFloat()
		switch {
		case x < y:
			return -1, true
		case x > y:
			return 1, true
		}
		return 0, x == y
	case a.kind == kindString && b.kind == kindString:
		return strings.Compare(a.string, b.string), true
	case a.kind == kindBool && b.kind == kindBool:
		if a.bool == b.bool {
			return 0, true
		}
		if b.bool {
			return -1, true
		}
		return 1, true
	}
	return 0, false
}

// converted makes a number of a string that is compared with a number; the string itself if it is none.
func converted(v, other Value) Value {
	if v.kind != kindString || !other.numeric() {
		return v
	}
	if n, err := strconv.ParseInt(v.string, 10, 64); err == nil {
		return Int(n)
	}
	if f, err := strconv.ParseFloat(v.string, 64); err == nil {
		return Float(f)
	}
	return v
}

// arithmetic computes a op b; anything that has no result (a string, a division of whole numbers by zero) is null.
func arithmetic(op byte, a, b Value) Value {
	if !a.numeric() || !b.numeric() {
		return Value{}
	}
	if a.kind == kindInt && b.kind == kindInt {
		return whole(op, a.int, b.int)
	}
	x, y := a.asFloat(), b.asFloat()
	switch op {
	case '+':
		return Float(x + y)
	case '-':
		return Float(x - y)
	case '*':
		return Float(x * y)
	case '/':
		return Float(x / y)
	}
	return Float(math.Mod(x, y))
}

// whole computes with whole numbers, which wrap as in Java.
func whole(op byte, a, b int64) Value {
	switch op {
	case '+':
		return Int(a + b)
	case '-':
		return Int(a - b)
	case '*':
		return Int(a * b)
	}
	switch {
	case b == 0:
		return Value{}
	case b == -1: // the lowest number divided by -1 wraps instead of trapping
		if op == '/' {
			return Int(-a)
		}
		return Int(0)
	case op == '/':
		return Int(a / b)
	}
	return Int(a % b)
}
