package core

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/net/core/wire"
)

// formatPacket writes a packet as one line of a transcript: its name and the fields that are not zero.
func formatPacket(direction string, channel int64, p wire.Packet, version int32) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %v", direction, channel, p.Type(version))
	formatFields(&b, "", reflect.ValueOf(p).Elem())
	return b.String()
}

func formatFields(b *strings.Builder, prefix string, v reflect.Value) {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		if !field.IsExported() || value.IsZero() {
			continue
		}
		name := prefix + field.Name
		switch {
		case name == "Message" && value.Kind() == reflect.Struct:
			formatText(b, value.Field(0).String())
		case strings.HasPrefix(value.Type().Name(), "Optional"):
			formatValue(b, name, value.Field(0))
		case name == "Message" && value.Kind() == reflect.Slice:
			fmt.Fprintf(b, " %s", formatMessage(value.Bytes()))
		case value.Kind() == reflect.Struct:
			formatFields(b, name+".", value)
		default:
			formatValue(b, name, value)
		}
	}
}

// formatText writes the text of a refusal if it is this package's own; those of the domain are tested there.
func formatText(b *strings.Builder, text string) {
	if strings.Contains(text, "SESS_") {
		fmt.Fprintf(b, " Message=%q", text)
	}
}

func formatValue(b *strings.Builder, name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		fmt.Fprintf(b, " %s=%q", name, v.String())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			fmt.Fprintf(b, " %s=%q", name, v.Bytes())
			return
		}
		fmt.Fprintf(b, " %s=%v", name, v.Interface())
	case reflect.Struct:
		b.WriteString(" " + name + "={")
		formatFields(b, "", v)
		b.WriteString(" }")
	default:
		fmt.Fprintf(b, " %s=%v", name, v.Interface())
	}
}

func formatMessage(raw []byte) string {
	m, err := message.Parse(raw)
	if err != nil {
		return fmt.Sprintf("message{%v}", err)
	}
	h := m.Header()
	s := fmt.Sprintf("message{id=%d address=%q type=%d durable=%t priority=%d", h.ID, h.Address, h.Type, h.Durable, h.Priority)
	switch body := m.Body(); {
	case len(body) == 0:
	case h.Type == message.TypeText && len(body) >= 5:
		s += fmt.Sprintf(" text=%q", message.DecodeText(body[5:]))
	default:
		s += fmt.Sprintf(" body=%q", body)
	}
	for _, p := range m.Properties() {
		switch p.Value.Kind {
		case message.KindString:
			s += fmt.Sprintf(" %s=%q", p.Name, p.Value.Text())
		default:
			s += fmt.Sprintf(" %s=%d", p.Name, p.Value.Int())
		}
	}
	return s + "}"
}
