package emulator_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestOnlyASampleThatSaysSomethingNewIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			c.uses <- event.Usage{Memory: 50 << 20, CPU: 0.5, PIDs: 3}
			for range 30 {
				time.Sleep(time.Second)
				c.uses <- event.Usage{Memory: 50<<20 + 4096, CPU: 0.501, PIDs: 3}
			}
			c.uses <- event.Usage{Memory: 20 << 20, PIDs: 3}
		}
		during(t, w, iris(), 45*time.Second, func() {})
		told := facts[event.Usage](w)
		if len(told) != 2 {
			t.Fatalf("told are %+v", told)
		}
		if u := told[1]; u.Pod == "" || u.Replica != "abc" || u.Memory != 20<<20 || u.MemoryPeak != 50<<20+4096 || u.MemoryLimit != 1000<<20 {
			t.Errorf("the last is %+v", u)
		}
	})
}

func TestAnUnchangedSampleIsToldAgainAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			for range 150 {
				c.uses <- event.Usage{Memory: 1}
				time.Sleep(time.Second)
			}
		}
		during(t, w, iris(), 155*time.Second, func() {})
		if told := facts[event.Usage](w); len(told) != 3 {
			t.Errorf("told are %d", len(told))
		}
	})
}

func TestAnExitTellsThePeakWhichIsTheLimitAfterAnOOMKill(t *testing.T) {
	for name, test := range map[string]struct {
		exit emulator.Exit
		want int64
	}{
		"an OOM kill": {emulator.Exit{Code: 137, OOMKilled: true}, 1000 << 20},
		"another end": {emulator.Exit{Code: 1}, 70 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.run = func(c *fakeContainer) {
					c.uses <- event.Usage{Memory: 70 << 20}
					c.uses <- event.Usage{Memory: 60 << 20}
					if c.number == 1 {
						c.exit(test.exit)
					}
				}
				during(t, w, iris(), time.Second, func() {})
				exits := facts[event.Exited](w)
				if e := exits[0]; e.MemoryPeak != test.want || e.MemoryLimit != 1000<<20 {
					t.Errorf("the exit is %+v", e)
				}
			})
		})
	}
}

func TestAnOOMKillIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var died time.Time
		w.run = func(c *fakeContainer) {
			if c.number == 1 {
				time.Sleep(5 * time.Second)
				died = time.Now()
				c.exit(emulator.Exit{Code: 137, OOMKilled: true})
			}
		}
		during(t, w, iris(), 7*time.Second, func() {})
		var exit, card time.Time
		for _, e := range w.events.History() {
			switch e.Fact.(type) {
			case event.Exited:
				if exit.IsZero() {
					exit = e.Time
				}
			case event.Failed:
				card = e.Time
			}
		}
		if died.IsZero() || !exit.Equal(died) || !card.Equal(died) {
			t.Errorf("it died at %s; the exit is told at %s, the card at %s", died, exit, card)
		}
	})
}
