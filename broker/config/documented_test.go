package config

import (
	"os"
	"strings"
	"testing"
)

// docs/configuration.md lists every element that is taken, and none of those that are refused as not built.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	l := &loader{cfg: forFile("broker.xml")}
	for _, known := range []table{l.coreTable(), l.settingTable(&AddressSetting{}), l.clusterTable(), l.primaryTable(), l.backupTable()} {
		for _, name := range names(known) {
			if wrapped := map[string]bool{"connectors": true, "acceptors": true}; wrapped[name] {
				continue // a heading of the document
			}
			listed := strings.Contains(string(text), "`"+name+"`")
			if later := known[name].many; listed == later {
				t.Errorf("<%s>: listed in docs/configuration.md: %v, refused as not built: %v", name, listed, later)
			}
		}
	}
}
