package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// detach starts `up` in the background, shows what it does until all models are
// ready, and leaves it running. It returns an error where the session ended before.
func (u *up) detach(ctx context.Context, c *cobra.Command, file *config.File, models []*emulator.Model) error {
	here := control.FindHome().Session(file.Dir)
	if owner := here.Owner(); owner.PID != 0 && here.Alive() {
		return &control.InUse{Owner: owner}
	}
	child, err := spawn(c, here)
	if err != nil {
		return fmt.Errorf("start in the background: %w", err)
	}
	defer child.close()
	view := u.detachedView(c.OutOrStdout(), models)
	err = child.follow(ctx, view)
	switch {
	case errors.Is(err, errReady):
		if u.output == "plain" {
			fmt.Fprintln(c.OutOrStdout(), "running in the background: `merlin-local logs -f` follows it, `merlin-local down` stops it")
		}
		return nil
	case ctx.Err() != nil:
		fmt.Fprintln(c.ErrOrStderr(), "interrupted: stopping it")
		return child.abandon()
	case err != nil:
		return err
	}
	<-child.ended
	child.forget()
	if view.state.Ended {
		return endedEarly(&view.state)
	}
	text, _ := io.ReadAll(io.NewSectionReader(child.log, 0, 1<<20))
	if len(text) == 0 {
		return errors.New("the background process was killed before it was ready")
	}
	fmt.Fprint(c.ErrOrStderr(), string(text))
	return toldError{errors.New("the background process ended before it began")}
}

// endedEarly is why a session ended before it was ready. A model's own failure has
// been shown.
func endedEarly(state *session.State) error {
	failed := func(m *session.Model) bool { return m.Failure != nil && m.Failure.Final }
	switch {
	case state.Error == "":
		return errors.New("it was stopped before it was ready")
	case slices.ContainsFunc(state.Models, failed):
		return toldError{errors.New(state.Error)}
	}
	return errors.New(state.Error)
}

func (u *up) detachedView(w io.Writer, models []*emulator.Model) *detachedView {
	v := &detachedView{plain: newPlain(w, models)}
	if u.output == "json" {
		v.json = w
	}
	return v
}

// background is an `up` that was started without a terminal.
type background struct {
	session control.Session
	events  *os.File // what it hands over
	log     *os.File // its standard error
	ended   chan struct{}
}

// spawn starts this program again without a terminal.
func spawn(c *cobra.Command, session control.Session) (*background, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(session.Dir, 0o700); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(session.Log(), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	events, theirs, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	defer theirs.Close()
	child := &background{session: session, events: events, log: log, ended: make(chan struct{})}
	cmd := exec.Command(self, childArgs(c)...)
	cmd.Stdout, cmd.Stderr = theirs, log
	detach(cmd)
	if err := cmd.Start(); err != nil {
		child.close()
		return nil, err
	}
	go func() { _ = cmd.Wait(); close(child.ended) }()
	return child, nil
}

func (b *background) close() {
	_ = b.events.Close()
	_ = b.log.Close()
}

// forget removes what spawn made, where the child did not live to do so.
func (b *background) forget() {
	_ = os.Remove(b.session.Log())
	_ = os.Remove(b.session.Dir) // unless it is another's by now
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

// handOver writes events to the parent for as long as it reads them.
func handOver(w io.Writer) func(event.Event) error {
	read := true
	return func(e event.Event) error {
		read = read && writeJSON(w, e) == nil
		return nil
	}
}

// errReady ends the following of a session that has come up.
var errReady = errors.New("ready")

// follow shows the session's events until it is ready (errReady) or it ends.
func (b *background) follow(ctx context.Context, view *detachedView) error {
	stop := context.AfterFunc(ctx, func() { _ = b.events.Close() })
	defer stop()
	for decoder := json.NewDecoder(b.events); ; {
		var e event.Event
		if decoder.Decode(&e) != nil {
			return ctx.Err() // else it has ended: its state or its log says how
		}
		if err := view.show(e); err != nil {
			return err
		}
		if view.state.Ready() {
			return errReady
		}
	}
}

// abandon ends a session that is not wanted any more, perhaps before it can be asked.
func (b *background) abandon() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		if err := b.session.Down(ctx); err != nil && !errors.Is(err, control.ErrNotRunning) {
			return err
		}
		select {
		case <-b.ended:
			return toldError{context.Canceled}
		case <-time.After(askAgain):
		case <-ctx.Done():
			return errors.New("it does not stop: end it with `merlin-local down`")
		}
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
