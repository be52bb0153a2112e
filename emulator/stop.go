package emulator

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// cutSlack is how long the port may take to notice that the answers of a dead
// container will not come.
const cutSlack = time.Second

// terminate stops the container as the kubelet does, SIGTERM and then SIGKILL after the
// grace period, and tells what was wrong with its end.
func (c *incarnation) terminate(ctx context.Context, grace time.Duration) error {
	cut := c.Router.Farewell(c.id, c.container.Address())
	begun := time.Now()
	err := c.container.Stop(ctx, grace)
	f := event.Terminated{Pod: c.name, Replica: c.started.Replica, Grace: grace}
	f.Forced = ctx.Err() != nil
	f.Killed = err == nil && time.Since(begun) >= grace && !f.Forced && !c.endedItself()
	settle, cancel := context.WithTimeout(ctx, cutSlack)
	defer cancel()
	f.Cut = cut(settle)
	if f.Killed || f.Cut > 0 {
		f.Next = c.stopAdvice(f)
		c.publish(f)
	}
	return err
}

// killedCode is the exit code of what SIGKILL ended.
const killedCode = 137

// endedItself tells whether a container that was stopped had ended when SIGKILL came: a
// busy Engine reports an end late. A process's own end says nothing of its children,
// which may be what had to be killed.
func (c *incarnation) endedItself() bool {
	if c.exit == nil {
		select {
		case exit := <-c.container.Exited():
			c.exit = &exit
		default:
			return false
		}
	}
	return !c.model.OnHost && c.exit.Code != killedCode
}

// stopAdvice is what to do about a bad end.
func (c *incarnation) stopAdvice(f event.Terminated) string {
	switch {
	case f.Forced: // no fault of the model's
		return ""
	case !f.Killed:
		return "at SIGTERM stop taking connections, finish what runs, then exit"
	}
	next := "handle SIGTERM: in production it holds up every scale-down and deployment"
	if shell := c.shell(); shell != "" {
		return next + fmt.Sprintf("; %q is a shell as PID 1, which does not pass SIGTERM on: write ENTRYPOINT as a JSON list, or exec the server", shell)
	}
	return next
}

// shells are programs that wait for their child and leave SIGTERM alone.
var shells = map[string]bool{"sh": true, "bash": true, "dash": true, "ash": true, "ksh": true, "zsh": true}

// shell returns the first words of the container's command where a shell is PID 1.
func (p *pod) shell() string {
	words := p.spec.Command
	if len(words) == 0 {
		words = p.image.Entrypoint
	}
	if len(words) == 0 {
		words = p.image.Cmd
	}
	if len(words) == 0 {
		return ""
	}
	if name := path.Base(words[0]); shells[name] || strings.HasSuffix(name, ".sh") {
		return strings.Join(words[:min(len(words), 2)], " ")
	}
	return ""
}
