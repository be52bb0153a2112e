package emulator

import (
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// oomKills counts the processes of a container that the kernel killed for memory. It
// belongs to the pod's goroutine.
type oomKills struct {
	all    int
	told   int
	settle <-chan time.Time // receives when the last one did not end the container
}

// oomSettle is how long a container may take to end of a kill: the Engine tells the end
// about 70 ms after it.
const oomSettle = 500 * time.Millisecond

func (o *oomKills) add() {
	o.all++
	o.settle = time.After(oomSettle)
}

// survived tells that a kill did not end the container.
func (c *incarnation) survived() {
	c.ooms.settle = nil
	if c.ooms.told == c.ooms.all {
		return
	}
	c.ooms.told = c.ooms.all
	peak, limit := c.memory(true)
	c.usage.atLeast(peak)
	c.publish(event.OutOfMemory{
		Pod: c.name, Replica: c.started.Replica, Kills: c.ooms.all, MemoryPeak: peak, MemoryLimit: limit,
	})
}

// countOOMs takes in what was told at the same time as the end of the container.
func (c *incarnation) countOOMs() int {
	for {
		select {
		case _, ok := <-c.container.OOMs():
			if !ok {
				return c.ooms.all
			}
			c.ooms.all++
			continue
		default:
		}
		if c.exit.OOMKilled {
			c.ooms.all = max(c.ooms.all, 1)
		}
		return c.ooms.all
	}
}
