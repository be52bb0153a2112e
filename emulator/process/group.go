package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"time"
)

// group is a shell command with all its children.
type group struct {
	cmd  *exec.Cmd
	pid  int // of the leader, and the group's id
	done chan struct{}
	code int // once done is closed
	tree     // how this system ends a process with all its children
}

func startGroup(dir, command string, env []string, stdout, stderr *os.File) (*group, error) {
	cmd := shellCommand(command)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, stdout, stderr
	g := &group{cmd: cmd, done: make(chan struct{})}
	if err := g.tree.start(cmd); err != nil {
		return nil, err
	}
	g.pid = cmd.Process.Pid
	return g, nil
}

// wait waits for the leader, once, and returns its exit code; 128+n where signal n
// ended it.
func (g *group) wait() int {
	defer close(g.done)
	err := g.cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		g.code = 0
	case errors.As(err, &exit):
		g.code = exitCode(exit.ProcessState)
	default:
		g.code = 1
	}
	return g.code
}

// gonePeriod is how often a group is looked at: nothing tells when its last process
// has ended.
const gonePeriod = 10 * time.Millisecond

// gone waits until no process of the group is left, or ctx ends.
func (g *group) gone(ctx context.Context) {
	tick := time.NewTicker(gonePeriod)
	defer tick.Stop()
	for g.alive() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (g *group) terminate() { g.tree.terminate(g.pid) }

func (g *group) kill() { g.tree.kill(g.pid) }

// alive tells whether a process of the group is left.
func (g *group) alive() bool {
	select {
	case <-g.done: // the leader is reaped: what answers now are its children
		return g.tree.alive(g.pid)
	default:
		return true
	}
}
