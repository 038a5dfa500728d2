package config

import (
	"fmt"
	"strings"
	"testing"
)

// What the XML layer refuses before anything is interpreted.
func TestXMLRefused(t *testing.T) {
	for _, c := range []struct{ name, xml, want string }{
		{"cut off", "<a>\n <b>", "b.xml:2:2: <b> is never closed; add the end tag, or restore the rest of the file"},
		{"crossed", "<a><b></a></b>", "b.xml:1:7: </a> closes <b>; close <b> of line 1 first"},
		{"closes nothing", "<a/></a>", "b.xml:1:5: </a> closes nothing; remove it"},
		{"second root", "<a/>\n<b/>", "b.xml:2:1: <b> stands after the end of <a>; remove it"},
		{"text outside", "<a/>x", "b.xml:1:5: text stands outside of any element; remove it"},
		{"attribute twice", `<a b="1" b="2"/>`, "b.xml:1:1: attribute b of <a> is given twice; remove one"},
		{"prefix of an element", "<x:a/>", `b.xml:1:1: prefix "x" of <a> is not declared; declare it by xmlns:x="...", or remove it`},
		{"prefix of an attribute", `<a x:b="1"/>`,
			`b.xml:1:1: prefix "x" of attribute x:b is not declared; declare it by xmlns:x="...", or remove the attribute`},
		{"prefix out of scope", `<a><b xmlns:x="urn:activemq"/><x:c/></a>`,
			`b.xml:1:31: prefix "x" of <c> is not declared; declare it by xmlns:x="...", or remove it`},
		{"foreign namespace", `<a xmlns="urn:other"/>`,
			`b.xml:1:1: <a> is in the unknown namespace "urn:other"; remove it; broker.xml is in urn:activemq and urn:activemq:core`},
		{"foreign attribute", `<a xmlns:o="urn:other" o:b="1"/>`,
			`b.xml:1:1: attribute o:b is in the unknown namespace "urn:other"; remove it`},
		{"document type", "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
			"b.xml:1:1: a document type or other <! directive is not accepted; remove it; broker.xml needs no document type"},
		{"entity", "<a>&secret;</a>", "b.xml:1:12: not well-formed XML: invalid character entity &secret;; correct the file here or just before"},
		{"instruction", "<?php x?><a/>", "b.xml:1:1: processing instruction <?php is not accepted; remove it"},
		{"encoding", `<?xml version="1.0" encoding="latin1"?><a/>`,
			`b.xml:1:40: not well-formed XML: xml: encoding "latin1" declared but Decoder.CharsetReader is nil; correct the file here or just before`},
		{"include", `<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="x.xml"/></a>`,
			"b.xml:1:47: XInclude (<xi:include>) is not supported yet; copy the included file in here"},
		{"nothing", "", "b.xml: the file holds no element; write a <configuration> element, or start without --config for the embedded defaults"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseXML("b.xml", []byte(c.xml))
			if err == nil {
				t.Fatalf("accepted; want: %s", c.want)
			}
			if err.Error() != c.want {
				t.Errorf("\n got: %s\nwant: %s", err, c.want)
			}
		})
	}
}

// Every limit of the XML layer, one below, at and one above it.
func TestXMLLimits(t *testing.T) {
	attributes := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " a%d='1'", i)
		}
		return "<a" + b.String() + "/>"
	}
	for _, c := range []struct {
		name  string
		limit int
		build func(n int) string
		want  string
	}{
		{"depth", depthMax, func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }, "nested more than 24 deep"},
		{"elements", nodesMax, func(n int) string { return "<a>" + strings.Repeat("<b/>", n-1) + "</a>" }, "more than 100000 elements"},
		{"attributes", attributesMax, attributes, "has 33 attributes, 32 is the limit"},
		{"attribute's size", textSizeMax, func(n int) string { return `<a b="` + strings.Repeat("x", n) + `"/>` }, "65536 is the limit"},
		{"text", textSizeMax, func(n int) string {
			return "<a>" + strings.Repeat("x", n/2) + "<b/>" + strings.Repeat("x", n-n/2) + "</a>"
		}, "more than 65536 bytes"},
		{"file", fileSizeMax, func(n int) string { return "<a/>" + strings.Repeat(" ", n-4) }, "4194304 is the limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range []int{c.limit - 1, c.limit} {
				if _, err := parseXML("b.xml", []byte(c.build(n))); err != nil {
					t.Errorf("%d: %v", n, err)
				}
			}
			if _, err := parseXML("b.xml", []byte(c.build(c.limit+1))); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d: %v, want %q", c.limit+1, err, c.want)
			}
		})
	}
}

func TestXMLAccepted(t *testing.T) {
	text := "\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\n<!-- c --><a xmlns='urn:activemq' xml:space='preserve' b=' 1 '>\n x &amp; <![CDATA[<y>]]> <c/>z </a>\n<!-- end -->"
	n, err := parseXML("b.xml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := n.attr("b"); n.text != "x & <y>z" || b != "1" || len(n.children) != 1 || len(n.attrs) != 1 {
		t.Errorf("%+v", n)
	}
	if c := n.children[0]; c.at != (Place{Line: 3, Column: 26}) {
		t.Errorf("<c> stands at %+v", c.at)
	}
}
