package emulator

import (
	"testing"
	"time"
)

func TestTheBackOffIsTheKubelets(t *testing.T) {
	at := time.Unix(0, 0)
	var b backOff
	for i, row := range []struct{ ran, want time.Duration }{
		{time.Second, 0}, // the first end of all
		{time.Second, 10 * time.Second},
		{time.Minute, 20 * time.Second}, // running for a while does not help
		{time.Second, 40 * time.Second},
		{time.Second, 80 * time.Second},
		{time.Second, 160 * time.Second},
		{time.Second, 300 * time.Second},
		{time.Second, 300 * time.Second},
		{10*time.Minute + time.Second, 0}, // it is forgotten
		{time.Second, 10 * time.Second},
	} {
		at = at.Add(row.ran)
		got := b.next(at)
		if got != row.want {
			t.Errorf("end %d: waits %s, want %s", i, got, row.want)
		}
		at = at.Add(got)
	}
}
