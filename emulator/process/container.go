package process

import (
	"context"
	"io"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// container is one running group.
type container struct {
	group          *group
	record         *record
	address        netip.AddrPort
	debugger       netip.AddrPort // not valid where there is none
	stdout, stderr *os.File
	exited         chan emulator.Exit
}

func (c *container) wait() {
	c.exited <- emulator.Exit{Code: c.group.wait()}
}

// Started describes the process.
func (c *container) Started() event.Started {
	return event.Started{
		Replica: replicaName(c.group.pid), Container: "pid " + strconv.Itoa(c.group.pid),
		Address: c.address.String(), Reach: "process",
	}
}

// Address is where the model listens.
func (c *container) Address() netip.AddrPort { return c.address }

// DebugAddress is where the model's debugger listens.
func (c *container) DebugAddress() netip.AddrPort { return c.debugger }

// OOMs is nil: no limit holds.
func (c *container) OOMs() <-chan struct{} { return nil }

// Exited receives the exit of the command; its children may outlive it until Stop
// or Remove.
func (c *container) Exited() <-chan emulator.Exit { return c.exited }

// Logs copies the output; it is called once.
func (c *container) Logs(ctx context.Context, stdout, stderr io.Writer) error {
	stop := context.AfterFunc(ctx, func() {
		_ = c.stdout.Close()
		_ = c.stderr.Close()
	})
	defer stop()
	var copying sync.WaitGroup
	var errs [2]error
	copying.Go(func() { _, errs[0] = io.Copy(stdout, c.stdout) })
	copying.Go(func() { _, errs[1] = io.Copy(stderr, c.stderr) })
	copying.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_ = c.stdout.Close()
	_ = c.stderr.Close()
	if errs[0] != nil {
		return errs[0]
	}
	return errs[1]
}

// Usage returns at once: no kernel counts a group of processes, and no limit holds.
func (c *container) Usage(context.Context, func(event.Usage)) error { return nil }

// Stop asks the whole group to end and kills what is left of it after grace.
func (c *container) Stop(ctx context.Context, grace time.Duration) error {
	c.group.terminate()
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	c.group.gone(ctx)
	return c.Remove(context.WithoutCancel(ctx))
}

// Remove kills what still runs.
func (c *container) Remove(context.Context) error {
	c.group.kill()
	<-c.group.done
	return c.record.drop(c.group.pid)
}

type pipe struct{ read, write *os.File }

func pipes() (stdout, stderr pipe, err error) {
	if stdout.read, stdout.write, err = os.Pipe(); err != nil {
		return stdout, stderr, err
	}
	if stderr.read, stderr.write, err = os.Pipe(); err != nil {
		_ = stdout.read.Close()
		_ = stdout.write.Close()
	}
	return stdout, stderr, err
}
