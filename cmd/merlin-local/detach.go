package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// detach starts `up` in the background, shows what it does until all models are
// ready, and leaves it running. It returns an error where the session ended before.
func (u *up) detach(ctx context.Context, c *cobra.Command, file *config.File, models []*emulator.Model) error {
	session := control.FindHome().Session(file.Dir)
	if session.Alive() {
		return &control.InUse{Owner: session.Owner()}
	}
	child, log, err := u.spawn(c, session)
	if err != nil {
		return fmt.Errorf("start in the background: %w", err)
	}
	defer log.Close()
	ended := make(chan struct{})
	go func() { _ = child.Wait(); close(ended) }()

	view := u.detachedView(c.OutOrStdout(), models)
	err = follow(ctx, session, ended, view)
	switch {
	case errors.Is(err, errReady):
		if u.output == "plain" {
			fmt.Fprintln(c.OutOrStdout(), "running in the background: `merlin-local logs -f` follows it, `merlin-local down` stops it")
		}
		return nil
	case ctx.Err() != nil:
		fmt.Fprintln(c.ErrOrStderr(), "interrupted: stopping it")
		return u.abandon(session, ended)
	case err != nil:
		return err
	}
	<-ended
	if view.state.Ended {
		return toldError{errors.New(view.state.Error)}
	}
	text, _ := io.ReadAll(io.NewSectionReader(log, 0, 1<<20))
	fmt.Fprint(c.ErrOrStderr(), string(text))
	return toldError{errors.New("the background process ended before it began")}
}

func (u *up) detachedView(w io.Writer, models []*emulator.Model) *detachedView {
	v := &detachedView{plain: newPlain(w, models)}
	if u.output == "json" {
		v.json = w
	}
	return v
}

// spawn starts this program again without a terminal, its own output in a file.
func (u *up) spawn(c *cobra.Command, session control.Session) (*exec.Cmd, *os.File, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(session.Dir, 0o700); err != nil {
		return nil, nil, err
	}
	log, err := os.OpenFile(session.Log(), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(self, childArgs(c)...)
	cmd.Stderr = log
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return nil, nil, errors.Join(err, log.Close())
	}
	return cmd, log, nil
}

// childArgs are the flags of this command line, without those that are the parent's.
func childArgs(c *cobra.Command) []string {
	args := []string{"up", "--detached-child"}
	c.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if several, ok := f.Value.(pflag.SliceValue); ok {
			values = several.GetSlice()
		}
		if f.Name == "detach" || f.Name == "output" {
			return
		}
		for _, value := range values {
			args = append(args, "--"+f.Name+"="+value)
		}
	})
	return args
}

// errReady ends the following of a session that has come up.
var errReady = errors.New("ready")

// follow shows a session's events until it is ready (errReady), it ends, or its
// process does before it could be reached.
func follow(ctx context.Context, session control.Session, ended <-chan struct{}, view *detachedView) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := read(ctx, session, view)
		if !errors.Is(err, control.ErrNotRunning) {
			return err
		}
		select {
		case <-tick.C:
		case <-ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func read(ctx context.Context, session control.Session, view *detachedView) error {
	for e, err := range session.Events(ctx, control.Query{Follow: true}) {
		if err == nil {
			err = view.show(e)
		}
		if err != nil {
			return err
		}
		if view.state.Ready() {
			return errReady
		}
	}
	return nil
}

// abandon ends a session that is not wanted any more.
func (u *up) abandon(session control.Session, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := session.Down(ctx); err != nil && !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	select {
	case <-ended:
		return toldError{context.Canceled}
	case <-ctx.Done():
		return errors.New("it does not stop: end it with `merlin-local down`")
	}
}

// detachedView shows events as plain lines or as they are.
type detachedView struct {
	*plain
	json io.Writer
}

func (v *detachedView) show(e event.Event) error {
	if v.json == nil {
		return v.plain.show(e)
	}
	v.state.Apply(e)
	return writeJSON(v.json, e)
}
