package watch

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestThePauseOfPollingKeepsItsShareOfAProcessor(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		0:                     500 * time.Millisecond,
		time.Millisecond:      500 * time.Millisecond,
		4 * time.Millisecond:  1400 * time.Millisecond,
		80 * time.Millisecond: 28 * time.Second,
		time.Second:           30 * time.Second,
	} {
		if got := pause(took); got != want {
			t.Errorf("after a turn of %v it waits %v, want %v", took, got, want)
		}
	}
}

// Files have their turn bit by bit; those beside the latest change every time.
func TestAWriteInPlaceIsFoundInTurnAndNearAChangeAtOnce(t *testing.T) {
	const folders, files = 8, 400
	onPolling(t, func(l *lab, _ *Options) {
		for i := range folders * files {
			l.write(fmt.Sprintf("d%d/f%d", i/files, i%files), "1")
		}
	}, func(l *lab) {
		l.first()
		within := func(d time.Duration, want string) {
			l.t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if sets := l.taken(); len(sets) != 1 || sets[0].String() != want {
				l.t.Errorf("reported %v within %v, want %s", sets, d, want)
			}
		}
		l.pass()
		for i := range folders {
			l.append(fmt.Sprintf("d%d/f7", i), "more")
			within(pollFast*(2+folders*files/filesATurn)+most, fmt.Sprintf("modified d%d/f7", i))
			l.append(fmt.Sprintf("d%d/f8", i), "more")
			within(pollFast+2*quiet, fmt.Sprintf("modified d%d/f8", i))
		}
		l.write("d3/new", "a new file changes its folder")
		within(pollFast+2*quiet, "added d3/new")
	})
}
