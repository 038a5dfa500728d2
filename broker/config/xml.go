package config

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits of a broker.xml. The largest known file (every element of the schema once) has 561 elements; a file at one of
// these limits is not a configuration.
const (
	fileSizeMax   = 4 << 20
	depthMax      = 24
	nodesMax      = 100_000
	attributesMax = 32
	textSizeMax   = 64 << 10
)

// node is one element with everything in it. Namespaces are checked and gone.
type node struct {
	at       Place
	name     string
	attrs    []attr
	text     string // all character data, trimmed
	children []*node
}

type attr struct{ name, value string }

// attr returns an attribute, and whether it is there.
func (n *node) attr(name string) (string, bool) {
	for _, a := range n.attrs {
		if a.name == name {
			return a.value, true
		}
	}
	return "", false
}

// parser builds nodes from raw tokens. It uses RawToken because Token neither refuses undeclared prefixes nor repeated
// attributes, and both hide mistakes.
type parser struct {
	file  string
	dec   *xml.Decoder
	open  []*node
	scope []map[string]string // by open element: prefixes declared there
	raw   []string            // by open element: its name as written
	root  *node
	nodes int
}

// parseXML reads one document into its root element.
func parseXML(file string, data []byte) (*node, error) {
	if len(data) > fileSizeMax {
		return nil, &Error{File: file, Problem: fmt.Sprintf("the file has %d bytes, %d is the limit", len(data), fileSizeMax),
			Next: "check that this is a broker.xml"}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	p := &parser{file: file, dec: xml.NewDecoder(bytes.NewReader(data))}
	for {
		at := p.place()
		tok, err := p.dec.RawToken()
		if errors.Is(err, io.EOF) {
			return p.finish()
		}
		if err == nil {
			err = p.token(at, tok)
		} else {
			err = p.syntax(err)
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *parser) place() Place {
	line, column := p.dec.InputPos()
	return Place{Line: line, Column: column}
}

func (p *parser) fail(at Place, next, format string, args ...any) error {
	return &Error{File: p.file, At: at, Problem: fmt.Sprintf(format, args...), Next: next}
}

// syntax turns an error of the decoder into one of ours.
func (p *parser) syntax(err error) error {
	msg := err.Error()
	var se *xml.SyntaxError
	if errors.As(err, &se) {
		msg = se.Msg
	}
	return p.fail(p.place(), "correct the file here or just before", "not well-formed XML: %s", msg)
}

func (p *parser) finish() (*node, error) {
	if len(p.open) > 0 {
		n := p.open[len(p.open)-1]
		return nil, p.fail(n.at, "add the end tag, or restore the rest of the file", "<%s> is never closed", n.name)
	}
	if p.root == nil {
		return nil, p.fail(Place{}, "write a <configuration> element, or start without --config for the embedded defaults",
			"the file holds no element")
	}
	return p.root, nil
}

func (p *parser) token(at Place, tok xml.Token) error {
	switch t := tok.(type) {
	case xml.StartElement:
		return p.start(at, t)
	case xml.EndElement:
		return p.end(at, t)
	case xml.CharData:
		return p.charData(at, string(t))
	case xml.Directive:
		return p.fail(at, "remove it; broker.xml needs no document type",
			"a document type or other <! directive is not accepted")
	case xml.ProcInst:
		if t.Target != "xml" {
			return p.fail(at, "remove it", "processing instruction <?%s is not accepted", t.Target)
		}
	}
	return nil // comments, and the XML declaration, which the decoder has checked
}

func (p *parser) start(at Place, t xml.StartElement) error {
	if p.root != nil && len(p.open) == 0 {
		return p.fail(at, "remove it", "<%s> stands after the end of <%s>", t.Name.Local, p.root.name)
	}
	if len(p.open) >= depthMax {
		return p.fail(at, "check that this is a broker.xml", "elements are nested more than %d deep", depthMax)
	}
	if p.nodes++; p.nodes > nodesMax {
		return p.fail(at, "check that this is a broker.xml", "the file has more than %d elements", nodesMax)
	}
	if len(t.Attr) > attributesMax {
		return p.fail(at, "remove attributes", "<%s> has %d attributes, %d is the limit", t.Name.Local, len(t.Attr), attributesMax)
	}
	n := &node{at: at, name: t.Name.Local}
	p.scope = append(p.scope, declarations(t.Attr))
	p.raw = append(p.raw, rawName(t.Name))
	if err := p.element(n, t); err != nil {
		return err
	}
	if p.root == nil {
		p.root = n
	} else {
		parent := p.open[len(p.open)-1]
		parent.children = append(parent.children, n)
	}
	p.open = append(p.open, n)
	return nil
}

// element checks the namespace of an element and gathers its attributes.
func (p *parser) element(n *node, t xml.StartElement) error {
	space, declared := p.lookup(t.Name.Space)
	switch {
	case !declared:
		return p.fail(n.at, "declare it by xmlns:"+t.Name.Space+"=\"...\", or remove it",
			"prefix %q of <%s> is not declared", t.Name.Space, t.Name.Local)
	case space == xincludeSpace:
		return p.fail(n.at, "copy the included file in here", "XInclude (<%s>) is not supported yet", rawName(t.Name))
	case space != "" && space != configSpace && space != coreSpace:
		return p.fail(n.at, "remove it; broker.xml is in "+configSpace+" and "+coreSpace,
			"<%s> is in the unknown namespace %q", t.Name.Local, space)
	}
	seen := make(map[xml.Name]bool, len(t.Attr))
	for _, a := range t.Attr {
		if seen[a.Name] {
			return p.fail(n.at, "remove one", "attribute %s of <%s> is given twice", rawName(a.Name), n.name)
		}
		seen[a.Name] = true
		if a.Name.Space == "xmlns" || (a.Name.Space == "" && a.Name.Local == "xmlns") {
			continue
		}
		if a.Name.Space != "" {
			space, declared := p.lookup(a.Name.Space)
			if !declared {
				return p.fail(n.at, "declare it by xmlns:"+a.Name.Space+"=\"...\", or remove the attribute",
					"prefix %q of attribute %s is not declared", a.Name.Space, rawName(a.Name))
			}
			if space != schemaSpace && space != xmlSpace {
				return p.fail(n.at, "remove it", "attribute %s is in the unknown namespace %q", rawName(a.Name), space)
			}
			continue // schema locations and xml:space say nothing to a broker
		}
		if len(a.Value) > textSizeMax {
			return p.fail(n.at, "shorten it", "attribute %s of <%s> has %d bytes, %d is the limit",
				a.Name.Local, n.name, len(a.Value), textSizeMax)
		}
		n.attrs = append(n.attrs, attr{name: a.Name.Local, value: strings.TrimSpace(a.Value)})
	}
	return nil
}

// The namespaces that may occur.
const (
	configSpace   = "urn:activemq"
	coreSpace     = "urn:activemq:core"
	schemaSpace   = "http://www.w3.org/2001/XMLSchema-instance"
	xmlSpace      = "http://www.w3.org/XML/1998/namespace"
	xincludeSpace = "http://www.w3.org/2001/XInclude"
)

// lookup resolves a prefix; the empty one is the default namespace.
func (p *parser) lookup(prefix string) (space string, declared bool) {
	for i := len(p.scope) - 1; i >= 0; i-- {
		if space, ok := p.scope[i][prefix]; ok {
			return space, true
		}
	}
	if prefix == "xml" {
		return xmlSpace, true
	}
	return "", prefix == ""
}

func declarations(attrs []xml.Attr) map[string]string {
	var m map[string]string
	for _, a := range attrs {
		prefix, ok := "", a.Name.Space == "" && a.Name.Local == "xmlns"
		if a.Name.Space == "xmlns" {
			prefix, ok = a.Name.Local, true
		}
		if !ok {
			continue
		}
		if m == nil {
			m = make(map[string]string)
		}
		m[prefix] = a.Value
	}
	return m
}

func rawName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

func (p *parser) end(at Place, t xml.EndElement) error {
	if len(p.open) == 0 {
		return p.fail(at, "remove it", "</%s> closes nothing", rawName(t.Name))
	}
	last := len(p.open) - 1
	if p.raw[last] != rawName(t.Name) {
		return p.fail(at, fmt.Sprintf("close <%s> of line %d first", p.raw[last], p.open[last].at.Line),
			"</%s> closes <%s>", rawName(t.Name), p.raw[last])
	}
	p.open[last].text = strings.TrimSpace(p.open[last].text)
	p.open, p.raw, p.scope = p.open[:last], p.raw[:last], p.scope[:last]
	return nil
}

func (p *parser) charData(at Place, text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	if len(p.open) == 0 {
		return p.fail(at, "remove it", "text stands outside of any element")
	}
	n := p.open[len(p.open)-1]
	if len(n.text)+len(text) > textSizeMax {
		return p.fail(at, "shorten it", "the text of <%s> has more than %d bytes", n.name, textSizeMax)
	}
	n.text += text
	return nil
}
