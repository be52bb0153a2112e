package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/term"
	"github.com/muesli/termenv"
	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
	"github.com/caraml-dev/merlin-local/proxy/capture/pins"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
	"github.com/caraml-dev/merlin-local/tui"
)

// The forms of output.
const (
	outputAuto   = "auto"
	outputScreen = "screen"
	outputPlain  = "plain"
	outputJSON   = "json"
)

// terminal returns the terminal that a screen can be shown on: both ends of it; nil
// where there is none, or a dumb one.
func terminal(stdin io.Reader, stdout io.Writer) (in, out *os.File) {
	in, isIn := stdin.(*os.File)
	out, isOut := stdout.(*os.File)
	if !isIn || !isOut || !term.IsTerminal(in.Fd()) || !term.IsTerminal(out.Fd()) || os.Getenv("TERM") == "dumb" {
		return nil, nil
	}
	return in, out
}

// chooseOutput settles which form of output it is.
func (u *up) chooseOutput(c *cobra.Command) error {
	in, _ := terminal(c.InOrStdin(), c.OutOrStdout())
	switch u.output {
	case outputPlain, outputJSON:
	case outputAuto:
		u.output = outputPlain
		if in != nil && !u.detached && !u.child {
			u.output = outputScreen
		}
	case outputScreen:
		if u.detached {
			return usageError{errors.New("--output screen and --detach: `merlin-local attach` opens the screen on what runs in the background")}
		}
		if in == nil {
			return errNoTerminal
		}
	default:
		return usageError{fmt.Errorf("--output %s: it is auto, screen, plain or json", u.output)}
	}
	return nil
}

// screen shows the session until a person leaves the screen, which ends the session, or
// the session ends; where it failed, until a person leaves or asked is closed. The returned
// function waits for that, and sums up.
func (s *upSession) screen(asked <-chan struct{}, supervision *emulator.Emulator, faults *faulting, end func()) (wait func() error) {
	options := screenOptions(s.terminal.in, s.terminal.out)
	options.Asked = asked
	options.Source, options.NoMouse = s.stream.Replay(), s.noMouse
	options.Control = inProcess{supervision, faults, s.captured(), s.port.Addr().String(), s.pins, s.interrupt}
	options.Example = exampleRequest(s.file.Dir, len(s.models) > 1)
	options.Lend = func() (back func()) { return lend(s.interrupt) }
	done := make(chan error, 1)
	go func() {
		defer end()
		done <- runScreen(context.Background(), options)
	}()
	return func() error { return <-done }
}

// runScreen shows a screen until it is left, and then sums up on the page that was there
// before it.
func runScreen(ctx context.Context, options tui.Options) error {
	state, err := guarded(ctx, options)
	fmt.Fprint(options.Out, tui.Summary(state))
	return err
}

// guarded shows a screen until it is left; whatever ends this process meanwhile, the
// terminal is restored.
func guarded(ctx context.Context, options tui.Options) (*session.State, error) {
	g, _ := guardTerminal(options.Out) // without one the screen works as well
	state, err := tui.Run(ctx, options)
	return state, errors.Join(err, g.end())
}

// screenOptions are those of a screen on that terminal, as the environment says.
func screenOptions(in, out *os.File) tui.Options {
	return tui.Options{
		In: in, Out: out,
		Profile: termenv.NewOutput(out).EnvColorProfile(),
		ASCII:   !utf8Locale(os.Getenv),
	}
}

// utf8Locale tells whether the locale's characters are in UTF-8, as POSIX decides it.
// Where none is set it is taken to be: containers and bare shells are.
func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return true
}

// inProcess is the screen's hold on the session of this process.
type inProcess struct {
	*emulator.Emulator
	faults    *faulting
	exchanges exchanges
	address   string // of the port
	pins      *pinRunner
	interrupt chan<- os.Signal
}

func (p inProcess) Reload(_ context.Context, model string, rebuild bool) error {
	return p.Emulator.Reload(model, rebuild)
}

func (p inProcess) Retry(_ context.Context, model string) error { return p.Emulator.Retry(model) }

func (p inProcess) Fault(ctx context.Context, model string, faults []string) error {
	return p.faults.ask(ctx, control.FaultRequest{Model: model, Set: faults})
}

func (p inProcess) Exchange(_ context.Context, id uint64) (event.Exchange, error) {
	return p.exchanges.Lookup(id)
}

func (p inProcess) Search(ctx context.Context, text string) (ids []uint64, all bool, err error) {
	if p.exchanges == (nothingCaptured{}) {
		return nil, false, errNothingCaptured
	}
	ids, all = p.exchanges.Search(ctx, text)
	return ids, all, ctx.Err()
}

func (p inProcess) Send(ctx context.Context, x event.Exchange) error {
	_, err := replay.Send(ctx, p.address, x)
	return err
}

// Pin pins into the repo, and has the pins replayed.
func (p inProcess) Pin(_ context.Context, x event.Exchange) (string, error) {
	name, err := pinAnew(p.pins.store, x)
	if err == nil {
		p.pins.again()
	}
	return name, err
}

// Stop is as Ctrl-C in a shell: the first ends the session in order, the second at once.
func (p inProcess) Stop(context.Context) error {
	select {
	case p.interrupt <- os.Interrupt:
	default: // it has been told twice
	}
	return nil
}

var (
	_ tui.Controller = inProcess{}
	_ tui.Controller = inSession{}
)

// inSession is the screen's hold on a session of another process.
type inSession struct{ control.Session }

func (s inSession) Search(ctx context.Context, text string) (ids []uint64, all bool, err error) {
	found, err := s.Session.Search(ctx, text)
	return found.IDs, found.All, err
}

// Send sends through the session's port, which is on this machine.
func (s inSession) Send(ctx context.Context, x event.Exchange) error {
	state, err := s.State(ctx)
	if err != nil {
		return err
	}
	_, err = replay.Send(ctx, state.Address, x)
	return err
}

// Fault asks the session for faults.
func (s inSession) Fault(ctx context.Context, model string, faults []string) error {
	return s.Session.Fault(ctx, control.FaultRequest{Model: model, Set: faults})
}

// Pin pins into the session's repo, which is on this machine.
func (s inSession) Pin(ctx context.Context, x event.Exchange) (string, error) {
	state, err := s.State(ctx)
	if err != nil {
		return "", err
	}
	name, err := pinAnew(pins.At(state.Dir), x)
	if err != nil {
		return "", err
	}
	return name, s.Pins(ctx)
}

func (s inSession) Stop(ctx context.Context) error { return s.Down(ctx) }

// errNoTerminal says that a screen was asked for where none can be.
var errNoTerminal = usageError{errors.New("--output screen needs a terminal, at standard input and output: use plain or json")}
