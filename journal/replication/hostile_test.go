package replication

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// victim is a follower that copied three files and is asked to take more.
func victim(t testing.TB) (c *conversation, next Message) {
	pool := newPool(t)
	a, b := newBroker(t, "a", tiny(), pool, 1), newBroker(t, "b", tiny(), pool, 2)
	a.own(1)
	a.settle()
	for range 3 {
		a.append(journal.Record{Kind: journal.KindAdd, Body: []byte("a message")})
		a.d.Roll()
		a.settle()
	}
	b.follow()
	c = connect(t, a, b, SenderOptions{})
	c.run()
	a.append(journal.Record{Kind: journal.KindAdd, Body: []byte("the last one")})
	c.run()
	a.append(journal.Record{Kind: journal.KindAdd, Body: []byte("the next one")})
	a.settle()
	m, ok, err := c.s.Next()
	if err != nil || !ok || m.Kind != KindPages {
		t.Fatalf("%v %v %+v", err, ok, m)
	}
	return c, travel(t, m)
}

// TestHostilePages: what is not the next page of the log is refused, by name of file and block, and nothing is written.
func TestHostilePages(t *testing.T) {
	reseal := func(m *Message, change func(h *record.Header)) {
		h, err := record.OpenPage(m.Pages.Data)
		if err != nil {
			t.Fatal(err)
		}
		change(&h)
		record.Seal(m.Pages.Data[:h.Size()], &h)
	}
	for _, x := range []struct {
		name   string
		change func(m *Message)
	}{
		{"a flipped bit", func(m *Message) { m.Pages.Data[200] ^= 1 }},
		{"another salt", func(m *Message) { m.Pages.File.Salt++ }},
		{"another file", func(m *Message) { m.Pages.File.ID++ }},
		{"a gap", func(m *Message) { m.Pages.Block++ }},
		{"an earlier place", func(m *Message) { m.Pages.Block-- }},
		{"half a page", func(m *Message) { m.Pages.Data = m.Pages.Data[:256] }},
		{"rubbish behind a page", func(m *Message) { m.Pages.Data = append(m.Pages.Data, make([]byte, 512)...) }},
		{"a bulk file", func(m *Message) { m.Pages.Kind = datafile.Bulk }},
		{"a page 0 in the middle", func(m *Message) { reseal(m, func(h *record.Header) { h.Kind = record.PageFirst }) }},
		{"another chain", func(m *Message) { reseal(m, func(h *record.Header) { h.PrevHash++ }) }},
		{"a place of its own", func(m *Message) { reseal(m, func(h *record.Header) { h.Block++ }) }},
		{"an older epoch", func(m *Message) { reseal(m, func(h *record.Header) { h.Epoch-- }) }},
		{"another incarnation", func(m *Message) { reseal(m, func(h *record.Header) { h.Incarnation++ }) }},
		{"skipped records", func(m *Message) { reseal(m, func(h *record.Header) { h.FirstRecord++ }) }},
		{"more records than there are", func(m *Message) { reseal(m, func(h *record.Header) { h.Records++ }) }},
		{"records cut short", func(m *Message) { reseal(m, func(h *record.Header) { h.Bytes-- }) }},
		{"a record that does not pass", func(m *Message) {
			reseal(m, func(*record.Header) { m.Pages.Data[record.HeaderSize+8] ^= 1 })
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			c, m := victim(t)
			good := m
			good.Pages.Data = bytes.Clone(m.Pages.Data)
			f := c.follower.f
			before, tip, files := c.follower.disk.Calls(), f.Tip(), f.Files()
			x.change(&m)
			err := c.r.Receive(m)
			if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), "block ") || !strings.Contains(err.Error(), m.Pages.File.String()) {
				t.Fatalf("error: %v", err)
			}
			c.follower.step(false)
			if f.Tip() != tip || !slices.Equal(f.Files(), files) || c.follower.disk.Calls() != before || f.Err() != nil {
				t.Fatalf("something changed: tip %s, was %s; %d calls to the disk", f.Tip(), tip, c.follower.disk.Calls()-before)
			}
			if err := c.r.Receive(good); err != nil {
				t.Fatalf("the true page is refused afterwards: %v", err)
			}
			c.run()
			c.same()
		})
	}
}

// TestUndueMessages: what does not belong into the conversation ends it, on both sides.
func TestUndueMessages(t *testing.T) {
	c, pages := victim(t)
	epoch := c.owner.d.Epoch()
	for _, m := range []Message{
		{Kind: KindPages, Epoch: epoch + 1, Pages: pages.Pages},
		{Kind: KindCommon, Epoch: epoch},
		{Kind: KindManifest, Epoch: epoch},
		{Kind: KindAck, Epoch: epoch},
		{Kind: KindCaughtUp, Epoch: epoch, At: journal.Position{File: 99, Block: 1}},
		{Kind: KindSafe, Epoch: epoch, At: journal.Position{File: 99, Block: 1}},
	} {
		if err := c.r.Receive(m); !errors.Is(err, ErrMessage) {
			t.Errorf("the follower takes %s: %v", m.Kind, err)
		}
	}
	for _, m := range []Message{
		{Kind: KindManifest, Epoch: epoch},
		{Kind: KindFetch, Epoch: epoch},
		{Kind: KindPages, Epoch: epoch},
		{Kind: KindAck, Epoch: epoch - 1},
		{Kind: KindAck, Epoch: epoch, At: journal.Position{File: 99, Block: 1}},
	} {
		if err := c.s.Receive(m); !errors.Is(err, ErrMessage) {
			t.Errorf("the owner takes %s: %v", m.Kind, err)
		}
	}
	fresh := NewSender(c.owner.d, epoch, SenderOptions{})
	if err := fresh.Receive(Message{Kind: KindManifest, Epoch: epoch, Geometry: datafile.Geometry{BlockShift: 12, Capacity: 24}}); !errors.Is(err, ErrMessage) {
		t.Errorf("other slot sizes: %v", err)
	}
	if _, err := DecodeMessage(AppendMessage(nil, &pages), nil); !errors.Is(err, ErrMessage) {
		t.Errorf("pages without pages: %v", err)
	}
}

// FuzzReceive decodes and receives anything: errors, never a panic, and nothing that was not checked gets into the log.
func FuzzReceive(f *testing.F) {
	c, m := victim(f)
	head := AppendMessage(nil, &m)
	f.Add(head, m.Pages.Data)
	for _, other := range []Message{{Kind: KindSafe, Epoch: 1}, {Kind: KindCommon, Epoch: 1, Files: c.owner.d.Files()}, {Kind: KindAck, Epoch: 1}, {Kind: KindFiles, Epoch: 1, Files: c.owner.d.Files()}} {
		f.Add(AppendMessage(nil, &other), []byte{})
	}
	tip := c.follower.f.Tip()
	f.Fuzz(func(t *testing.T, head, body []byte) {
		got, err := DecodeMessage(head, body)
		if err != nil {
			return
		}
		if again := AppendMessage(nil, &got); !bytes.Equal(again, head) {
			t.Fatalf("a head that is taken is written differently:\n%x\n%x", head, again)
		}
		if got.Kind == KindPages && got.Pages.File == m.Pages.File && bytes.Equal(got.Pages.Data, m.Pages.Data) {
			return // the true next page
		}
		_ = c.r.Receive(got)
		_ = c.s.Receive(got)
		if c.follower.f.Tip() != tip {
			t.Fatalf("%s moved the log to %s", got.Kind, c.follower.f.Tip())
		}
	})
}
