package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Shell runs commands of the user's, such as build.run; it is an emulator.Shell.
type Shell struct{}

// shellGrace is how long a command has to end when its context does.
const shellGrace = 2 * time.Second

// Run runs a command in dir with the host's variables and copies its output. When
// ctx ends it ends the command and its children, and returns ctx's error.
func (Shell) Run(ctx context.Context, dir, command string, stdout, stderr io.Writer) error {
	out, errs, err := pipes()
	if err != nil {
		return err
	}
	g, err := startGroup(dir, command, os.Environ(), out.write, errs.write)
	_ = out.write.Close()
	_ = errs.write.Close()
	if err != nil {
		_ = out.read.Close()
		_ = errs.read.Close()
		return err
	}
	var copying sync.WaitGroup
	copying.Go(func() { _, _ = io.Copy(stdout, out.read); _ = out.read.Close() })
	copying.Go(func() { _, _ = io.Copy(stderr, errs.read); _ = errs.read.Close() })
	go g.wait()
	select {
	case <-g.done:
	case <-ctx.Done():
		g.terminate()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shellGrace)
		g.gone(grace)
		cancel()
	}
	g.kill() // whatever it left in the background: nothing of ours outlives it
	<-g.done
	copying.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case g.code != 0:
		return fmt.Errorf("exit code %d", g.code)
	}
	return nil
}
