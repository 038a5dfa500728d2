package message

import "math"

// Kind is the type of a property's value, with the numbers of the encoding.
type Kind int8

const (
	KindNull   Kind = 0
	KindBool   Kind = 2
	KindByte   Kind = 3
	KindBytes  Kind = 4
	KindShort  Kind = 5
	KindInt    Kind = 6
	KindLong   Kind = 7
	KindFloat  Kind = 8
	KindDouble Kind = 9
	KindString Kind = 10
	KindChar   Kind = 11
)

// Value is one typed value. Numbers, booleans and chars are in bits; floats as their IEEE bits; strings and bytes in
// data, strings still in UTF-16 little-endian. The zero Value is null. Data may alias the message: do not change it.
type Value struct {
	Kind Kind
	bits uint64
	data []byte
}

// Int is the value of a boolean, byte, short, char, int or long as a number.
func (v Value) Int() int64 { return int64(v.bits) }

// Bool is the value of a boolean.
func (v Value) Bool() bool { return v.bits != 0 }

// Float is the value of a float or double.
func (v Value) Float() float64 {
	if v.Kind == KindFloat {
		return float64(math.Float32frombits(uint32(v.bits)))
	}
	return math.Float64frombits(v.bits)
}

// Text is the value of a string.
func (v Value) Text() string { return DecodeText(v.data) }

// Bytes is the value of bytes, or a string in UTF-16 little-endian; shared with the message.
func (v Value) Bytes() []byte { return v.data }

// Constructors, one for each kind.

func Bool(b bool) Value {
	if b {
		return Value{Kind: KindBool, bits: 1}
	}
	return Value{Kind: KindBool}
}
func Byte(n int8) Value      { return Value{Kind: KindByte, bits: uint64(int64(n))} }
func Short(n int16) Value    { return Value{Kind: KindShort, bits: uint64(int64(n))} }
func Char(u uint16) Value    { return Value{Kind: KindChar, bits: uint64(u)} }
func Int(n int32) Value      { return Value{Kind: KindInt, bits: uint64(int64(n))} }
func Long(n int64) Value     { return Value{Kind: KindLong, bits: uint64(n)} }
func Float(f float32) Value  { return Value{Kind: KindFloat, bits: uint64(math.Float32bits(f))} }
func Double(f float64) Value { return Value{Kind: KindDouble, bits: math.Float64bits(f)} }
func String(s string) Value  { return Value{Kind: KindString, data: AppendText(nil, s)} }

// Bytes shares b.
func Bytes(b []byte) Value { return Value{Kind: KindBytes, data: b} }

// Property is one named value.
type Property struct {
	Name  string
	Value Value
}
