package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// world is everything around an Emulator, scripted. What it is asked to do it writes
// down, in order.
type world struct {
	t        *testing.T
	events   *event.Stream
	emulator *emulator.Emulator
	force    chan struct{}

	mu    sync.Mutex
	calls []string
	specs []emulator.ContainerSpec
	left  int // containers that are started and not removed

	image      func(report func(event.Fact)) (emulator.Image, error)
	startError error
	stageError error
	shell      func(stdout io.Writer) error
	probe      func(attempt int) emulator.ProbeResult
	live       func() emulator.ProbeResult // liveness
	connect    func() emulator.ProbeResult // a TCP connect; nil is probe
	starting   func(created func())        // what Start does first
	run        func(c *fakeContainer)      // the container's program
	dies       func(c *fakeContainer) bool // before it could answer anything; nil is none
	containers []*fakeContainer
	options    func(o *emulator.Options)
	copies     []emulator.Copy                                 // of the Dockerfile
	building   func(context.Context, emulator.ImageSpec) error // before image
	edits      chan emulator.Edits                             // receives what the watcher reports; nil is no watcher
	drain      func(ctx context.Context)                       // running requests
	onStop     func(c *fakeContainer)                          // what SIGTERM does
	listening  func() ([]netip.AddrPort, error)
	attempts   int
	cut        int             // requests that a stop breaks off
	trouble    chan event.Fact // receives what Watch reports
	tidy       func(ctx context.Context)
}

func newWorld(t *testing.T) *world {
	ready := emulator.ProbeResult{Kind: "http", Target: "GET /", OK: true, Status: 200, Outcome: "200 OK"}
	return &world{
		t: t, events: event.NewStream(), force: make(chan struct{}), trouble: make(chan event.Fact),
		image:     func(func(event.Fact)) (emulator.Image, error) { return emulator.Image{ID: "sha256:1"}, nil },
		shell:     func(io.Writer) error { return nil },
		probe:     func(int) emulator.ProbeResult { return ready },
		live:      func() emulator.ProbeResult { return ready },
		options:   func(*emulator.Options) {},
		run:       func(*fakeContainer) {},
		starting:  func(created func()) { created() },
		drain:     func(context.Context) {},
		onStop:    func(c *fakeContainer) { c.exit(emulator.Exit{Code: 143}) },
		listening: func() ([]netip.AddrPort, error) { return nil, errors.ErrUnsupported },
	}
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, fmt.Sprintf(format, args...))
}

func (w *world) noted() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

// emulate runs an Emulator of one model; the returned function waits for its end.
func (w *world) emulate(ctx context.Context, model *emulator.Model) (wait func() error) {
	options := emulator.Options{
		Models: []*emulator.Model{model}, Runtime: (*fakeRuntime)(w), Router: (*fakeRouter)(w),
		Prober: (*fakeProber)(w), Stager: (*fakeStager)(w), Shell: (*fakeShell)(w), Events: w.events,
		Grace: 10 * time.Second, Deadline: 10 * time.Minute, Force: w.force,
	}
	if w.edits != nil {
		options.Watcher = (*fakeWatcher)(w)
	}
	w.options(&options)
	e := emulator.New(options)
	w.emulator = e
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	return func() error {
		err := <-done
		if w.left != 0 {
			w.t.Errorf("%d containers are left", w.left)
		}
		return err
	}
}

// phases are those that the model went through.
func (w *world) phases() []event.Phase {
	var phases []event.Phase
	for _, e := range w.events.History() {
		if f, ok := e.Fact.(event.PhaseChanged); ok {
			phases = append(phases, f.Phase)
		}
	}
	return phases
}

// facts are all facts of one kind.
func facts[F event.Fact](w *world) []F {
	var out []F
	for _, e := range w.events.History() {
		if f, ok := e.Fact.(F); ok {
			out = append(out, f)
		}
	}
	return out
}

type fakeRuntime world

func (r *fakeRuntime) Image(ctx context.Context, spec emulator.ImageSpec, report func(event.Fact)) (emulator.Image, error) {
	if r.building != nil {
		if err := r.building(ctx, spec); err != nil {
			return emulator.Image{}, err
		}
	}
	return r.image(report)
}

func (r *fakeRuntime) Copies(*emulator.Build, string) []emulator.Copy { return r.copies }

func (r *fakeRuntime) DebugPort(wanted int) (int, error) { return wanted, nil }

func (r *fakeRuntime) Place(context.Context, emulator.PlaceSpec) (merlin.Place, error) {
	return merlin.Production(), nil
}

func (r *fakeRuntime) Start(_ context.Context, spec emulator.ContainerSpec) (emulator.Container, error) {
	w := (*world)(r)
	if err := w.refuses(); err != nil {
		return nil, err
	}
	w.note("start")
	w.starting(spec.Created)
	w.mu.Lock()
	w.left++
	w.specs = append(w.specs, spec)
	number := len(w.specs)
	w.mu.Unlock()
	c := &fakeContainer{world: w, number: number, exited: make(chan emulator.Exit, 1), ended: make(chan struct{}), uses: make(chan event.Usage), ooms: make(chan struct{})}
	c.output, c.write = io.Pipe()
	w.mu.Lock()
	w.containers = append(w.containers, c)
	w.mu.Unlock()
	if w.dies != nil && w.dies(c) {
		c.exit(emulator.Exit{Code: 1})
	}
	go w.run(c)
	return c, nil
}

// refuses is why no container can be started now.
func (w *world) refuses() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.startError
}

func (w *world) refuse(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.startError = err
}

func (r *fakeRuntime) Watch(ctx context.Context, report func(event.Fact)) error {
	for {
		select {
		case f := <-r.trouble:
			report(f)
		case <-ctx.Done():
			return nil
		}
	}
}

func (r *fakeRuntime) Tidy(ctx context.Context, _ func(event.Fact)) {
	if r.tidy != nil {
		r.tidy(ctx)
	}
}

func (r *fakeRuntime) Sweep(context.Context) error {
	(*world)(r).note("sweep")
	return nil
}

type fakeWatcher world

func (f *fakeWatcher) Watch(ctx context.Context, _ *emulator.Model, report func(emulator.Edits)) error {
	for {
		select {
		case e := <-f.edits:
			report(e)
		case <-ctx.Done():
			return nil
		}
	}
}

type fakeContainer struct {
	*world
	number int // 1 is the first
	exited chan emulator.Exit
	ended  chan struct{}
	uses   chan event.Usage // receives what Usage samples
	ooms   chan struct{}
	once   sync.Once
	output *io.PipeReader
	write  *io.PipeWriter
}

func (c *fakeContainer) exit(exit emulator.Exit) {
	c.once.Do(func() {
		_ = c.write.Close()
		c.exited <- exit
		close(c.ended)
	})
}

func (c *fakeContainer) spec() emulator.ContainerSpec {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.specs[c.number-1]
}

func (c *fakeContainer) Started() event.Started {
	return event.Started{Replica: "abc", Container: "abcdef", Address: c.Address().String()}
}

func (c *fakeContainer) Address() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{172, 17, 0, byte(1 + c.number)}), 8080)
}

func (c *fakeContainer) DebugAddress() netip.AddrPort {
	port := c.spec().DebugPort
	if port == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(c.Address().Addr(), uint16(port))
}

func (c *fakeContainer) OOMs() <-chan struct{} { return c.ooms }

func (c *fakeContainer) Listening(context.Context) ([]netip.AddrPort, error) { return c.listening() }

func (c *fakeContainer) Exited() <-chan emulator.Exit { return c.exited }

func (c *fakeContainer) Logs(ctx context.Context, stdout, _ io.Writer) error {
	stop := context.AfterFunc(ctx, func() { _ = c.output.Close() })
	defer stop()
	_, err := io.Copy(stdout, c.output)
	return err
}

func (c *fakeContainer) Usage(ctx context.Context, sample func(event.Usage)) error {
	for {
		select {
		case u := <-c.uses:
			sample(u)
		case <-c.ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *fakeContainer) Stop(ctx context.Context, grace time.Duration) error {
	c.note("stop")
	c.onStop(c)
	select {
	case <-c.ended:
	case <-time.After(grace):
		c.exit(emulator.Exit{Code: 137})
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (c *fakeContainer) Remove(context.Context) error {
	c.note("remove")
	c.exit(emulator.Exit{Code: 137})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left--
	return nil
}

type fakeRouter world

func (r *fakeRouter) Route(_ string, revision int, replicas []netip.AddrPort) {
	(*world)(r).note("route %d %v", revision, replicas)
}

func (r *fakeRouter) Hold(string) { (*world)(r).note("hold") }

func (r *fakeRouter) Fail(_, why string) { (*world)(r).note("fail %s", strings.SplitN(why, ":", 2)[0]) }

func (r *fakeRouter) Drain(ctx context.Context, _ string, _ ...netip.AddrPort) error {
	(*world)(r).note("drain")
	r.drain(ctx)
	return ctx.Err()
}

func (r *fakeRouter) Farewell(string, netip.AddrPort) func(context.Context) int {
	return func(context.Context) int { return r.cut }
}

type fakeProber world

// isDead tells whether the container of an address never lived: a dead one answers no
// probe, whichever of the two is looked at first.
func (w *world) isDead(address netip.AddrPort) bool {
	if w.dies == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.containers {
		if c.Address() == address {
			select {
			case <-c.ended:
				return true
			default:
			}
		}
	}
	return false
}

func (p *fakeProber) Probe(ctx context.Context, check emulator.Check, address netip.AddrPort) emulator.ProbeResult {
	if ctx.Err() != nil {
		return emulator.ProbeResult{Outcome: ctx.Err().Error()}
	}
	if (*world)(p).isDead(address) {
		return emulator.ProbeResult{Outcome: "connection refused"}
	}
	if check.Path == "/" {
		return p.live()
	}
	if check.Kind == emulator.CheckTCP && p.connect != nil {
		return p.connect()
	}
	p.mu.Lock()
	p.attempts++
	attempt := p.attempts
	p.mu.Unlock()
	return p.probe(attempt)
}

type fakeStager world

func (s *fakeStager) Stage(context.Context, string, []byte) (string, func() error, error) {
	w := (*world)(s)
	if w.stageError != nil {
		return "", nil, w.stageError
	}
	w.note("stage")
	return "/staged", func() error { w.note("unstage"); return nil }, nil
}

type fakeShell world

func (s *fakeShell) Run(_ context.Context, dir, command string, stdout, _ io.Writer) error {
	(*world)(s).note("run %s in %s", command, dir)
	return s.shell(stdout)
}

var errBroken = errors.New("broken")
