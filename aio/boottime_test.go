package aio

import "testing"

func TestBootTimeNeverFalls(t *testing.T) {
	last, err := BootTime()
	if err != nil || last <= 0 {
		t.Fatalf("boot time %v, %v", last, err)
	}
	for range 1000 {
		now, err := BootTime()
		if err != nil || now < last {
			t.Fatalf("boot time fell from %v to %v (%v)", last, now, err)
		}
		last = now
	}
}
