package main

import (
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// child is a process of the stage.
type child struct {
	cmd   *exec.Cmd
	log   *tail
	stdin io.Closer     // nil where it does not end by its input
	done  chan struct{} // closed when it has ended
}

// grace is how long a process may take to end by itself.
const grace = 2 * time.Second

func startChild(cmd *exec.Cmd) (*child, error) {
	c := &child{cmd: cmd, log: &tail{}, done: make(chan struct{})}
	cmd.Stderr = c.log
	if cmd.Stdout == nil {
		cmd.Stdout = c.log
	}
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// ended is closed when the process has; never where there is none.
func (c *child) ended() <-chan struct{} {
	if c == nil {
		return nil
	}
	return c.done
}

// stop ends the process: politely first, since nginx then ends its workers.
func (c *child) stop() {
	if c.stdin != nil {
		_ = c.stdin.Close()
	} else {
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
	}
	polite := time.NewTimer(grace)
	defer polite.Stop()
	select {
	case <-c.done:
	case <-polite.C:
		_ = c.cmd.Process.Signal(os.Kill)
		<-c.done
	}
}

// tail keeps the newest of what a process says.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailSize; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
