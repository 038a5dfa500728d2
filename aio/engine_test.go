package aio

import (
	"testing"
)

func TestEnginesHere(t *testing.T) {
	for _, i := range Engines() {
		t.Logf("%s: %v", i.Name, i.Err)
	}
}
