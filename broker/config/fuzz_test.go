package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// FuzzBrokerXML feeds arbitrary bytes to the loader. Whatever they are: no panic, the same result twice, every error
// with a problem, a next step and a place inside the file, and a Config only if it is valid and can be used.
func FuzzBrokerXML(f *testing.F) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) == 0 {
		f.Fatal("no samples: ", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(core("<jurnal/>")))
	f.Add([]byte(pair(goodCluster, "<replication><slave/></replication>")))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, notices, err := parse("b.xml", data)
		again, noticesAgain, errAgain := parse("b.xml", data)
		if !reflect.DeepEqual(c, again) || !reflect.DeepEqual(notices, noticesAgain) || !reflect.DeepEqual(err, errAgain) {
			t.Fatal("two readings of the same bytes differ")
		}
		if err != nil {
			checkErrors(t, data, err)
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("not valid: %v", err)
		}
		for _, address := range []string{"", "DLQ", "a.b.c"} {
			c.SettingsFor(address)
			c.Security.Allowed([]string{"amq"}, Send, address)
		}
		c.Peers()
		c.PairListen()
	})
}

func checkErrors(t *testing.T, data []byte, err error) {
	t.Helper()
	var list Errors
	if !errors.As(err, &list) {
		var one *Error
		if !errors.As(err, &one) {
			t.Fatalf("%T is no error of this package", err)
		}
		list = Errors{one}
	}
	if len(list) == 0 || len(list) > errorsMax {
		t.Fatalf("%d errors", len(list))
	}
	lines := 1
	for _, b := range data {
		if b == '\n' {
			lines++
		}
	}
	for _, e := range list {
		if e.Problem == "" || e.Next == "" || e.At.Line > lines {
			t.Fatalf("incomplete or misplaced: %+v", e)
		}
	}
}

// FuzzProperties does the same for the files with users and roles.
func FuzzProperties(f *testing.F) {
	f.Add([]byte("admin = admin\n# c\na\\ b : \\u0041\\\n  c"))
	f.Add([]byte("amq=" + hashOfAdmin))
	f.Fuzz(func(t *testing.T, data []byte) {
		props, err := parseProperties("f", data)
		if err != nil {
			checkErrors(t, data, err)
			return
		}
		seen := make(map[string]bool)
		for _, p := range props {
			if seen[p.key] {
				t.Fatalf("%q twice", p.key)
			}
			seen[p.key] = true
			if isHashed(p.value) {
				if _, err := parseHashed(p.value); err == nil {
					continue // the cost of a check is bounded by its limits; not to be paid for each input
				}
			}
			checkPassword(p.value, "x")
		}
	})
}
