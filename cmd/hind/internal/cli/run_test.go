package cli

import (
	"strings"
	"testing"
)

// hind run with a broker.xml that cannot be used starts nothing: exit code 3, and the file, the line and the mistake are named.
func TestRunWithBadConfiguration(t *testing.T) {
	const head = "<configuration xmlns=\"urn:activemq\">\n <core xmlns=\"urn:activemq:core\">\n"
	const tail = "\n </core>\n</configuration>\n"
	for name, c := range map[string]struct{ xml, place, names string }{
		"no XML":            {"this is no XML", "broker.xml:1", "XML"},
		"cut short":         {head + "  <name>a", "broker.xml:3", "name"},
		"unknown element":   {head + "  <frobnicate>1</frobnicate>" + tail, "broker.xml:3:", "frobnicate"},
		"no number":         {head + "  <journal-file-size>many</journal-file-size>" + tail, "broker.xml:3:", "journal-file-size"},
		"document type":     {"<!DOCTYPE x [<!ENTITY a \"b\">]>\n" + head + tail, "broker.xml:1:", "document type"},
		"acceptor's scheme": {head + "  <acceptors><acceptor name=\"a\">http://x</acceptor></acceptors>" + tail, "broker.xml:3:", "http"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "broker.xml", c.xml)
			code, out, errs := hind("run", "--config", path, "--data", t.TempDir())
			if code != exitConfig || out != "" || !strings.Contains(errs, c.place) || !strings.Contains(errs, c.names) {
				t.Errorf("exit code %d\n%s%s", code, out, errs)
			}
		})
	}
	if code, _, errs := hind("run", "--config", t.TempDir()+"/absent.xml"); code != exitConfig || !strings.Contains(errs, "absent.xml") {
		t.Errorf("a file that is not there: exit code %d\n%s", code, errs)
	}
}
