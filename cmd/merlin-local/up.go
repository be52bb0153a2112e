package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/artifact"
	"github.com/caraml-dev/merlin-local/emulator/attach"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/process"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/scrape"
	"github.com/caraml-dev/merlin-local/emulator/watch"
	"github.com/caraml-dev/merlin-local/proxy"
	"github.com/caraml-dev/merlin-local/proxy/capture"
)

// up is the main command.
type up struct {
	*location
	modelFlags
	engineOptions
	port         int
	metricsPort  int
	wishes       struct{ port, metrics wish }
	domains      []string
	accessLog    string
	record       string
	noCapture    bool
	detached     bool
	child        bool // started by `up -d`
	output       string
	noMouse      bool
	interrupt    chan os.Signal // what is sent there counts as a signal
	grace        grace
	waitRestarts bool
	deadline     time.Duration
	noLimits     bool
	noWatch      bool
	debug        string
	timeScale    float64
}

func newUp(where *location) *cobra.Command {
	u := &up{location: where}
	c := &cobra.Command{
		Use:   "up",
		Short: "Build, run and serve the models of this repo",
		Long: `Build, run and serve the models of this repo on one port of 127.0.0.1.

It returns when it is told to (Ctrl-C, or merlin-local down), and with an error where a
model is not ready within the deployment timeout. A model that exits is started again as
Kubernetes does; with -d, one that exits before it was ever ready is an error at once.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return u.run(c) },
	}
	u.modelFlags.flags(c)
	flags := c.Flags()
	flags.IntVarP(&u.port, "port", "p", 0, "port on 127.0.0.1; 0 is any free one (default: 8080, or the next free one)")
	flags.IntVar(&u.metricsPort, "metrics-port", 0, "port of /metrics on 127.0.0.1; 0 is any free one (default: 9091, or the next free one)")
	flags.StringArrayVar(&u.domains, "domain", nil, "answer at hosts of this domain too, besides localhost; may be repeated")
	flags.StringVar(&u.accessLog, "access-log", "", "add a line for every request that a replica took, in Knative's form, to this file; - is standard error")
	flags.StringVar(&u.record, "record", "", "write every event of the session, and every request with its answer, to this new file")
	flags.BoolVar(&u.noCapture, "no-capture", false, "keep no requests and answers to look at")
	flags.BoolVarP(&u.detached, "detach", "d", false, "return once all models are ready, and leave them running")
	flags.BoolVar(&u.child, "detached-child", false, "")
	_ = flags.MarkHidden("detached-child")
	flags.StringVarP(&u.output, "output", "o", outputAuto, "screen, plain, json: one event a line, or auto: the screen in a terminal, else plain")
	flags.BoolVar(&u.noMouse, "no-mouse", false, "leave the mouse wheel to the terminal instead of scrolling the screen's panels")
	flags.StringVar(&u.runtime, "runtime", "auto", "auto, docker, or process: without Docker, by exec")
	flags.StringVar(&u.reach, "reach", "auto", "how a container is reached: auto, address, or published (on loopback)")
	flags.BoolVar(&u.emulatedPlatform, "allow-emulation", false, "run images of another CPU architecture, where the Engine emulates it")
	u.grace = grace{limit: 10 * time.Second}
	flags.Var(&u.grace, "grace", "how long a model has from SIGTERM to SIGKILL; production: as a pod has it, its timeout after 30 s without a request")
	flags.BoolVar(&u.waitRestarts, "wait-restarts", false, "start a model again that ends before it was ever ready, as production does (default: yes, but with -d it fails at the first exit)")
	flags.BoolVar(&u.noWatch, "no-watch", false, "do not make a new revision when files change; merlin-local reload makes one")
	flags.StringVar(&u.debug, "debug", debugNone, "start the models under a debugger: delve, debugpy, none, or without a value as debug in the file or the command of the model tells")
	flags.Lookup("debug").NoOptDefVal = debugAuto
	flags.BoolVar(&u.noLimits, "no-limits", false, "give containers no CPU and no memory limit; production has them")
	flags.Float64Var(&u.timeScale, "time-scale", 1, "have the autoscaler's windows and delays pass so many times faster than in production, up to 100")
	flags.DurationVar(&u.deadline, "deployment-timeout", 10*time.Minute, "how long a model has to become ready")
	return c
}

func (u *up) run(c *cobra.Command) error {
	if err := u.chooseOutput(c); err != nil {
		return err
	}
	if err := u.checkNumbers(); err != nil {
		return err
	}
	if err := checkDebug(u.debug); err != nil {
		return err
	}
	file, err := u.load(c, u.location)
	if err != nil {
		return err
	}
	u.wish(c, file)
	if !c.Flags().Changed("wait-restarts") {
		u.waitRestarts = !u.detached && !u.child
	}
	models, err := runnable(file)
	if err != nil {
		return err
	}
	survivePipe()
	u.interrupt = make(chan os.Signal, 2)
	ctx, force, stop := interruptibleBy(c.Context(), u.interrupt)
	defer stop()
	if u.detached {
		return u.detach(ctx, c, file, models)
	}
	return u.serve(ctx, force, c, file, models)
}

// reread reads the configuration again, with the flags over it.
func (u *up) reread(c *cobra.Command) ([]*emulator.Model, error) {
	file, err := u.load(c, u.location)
	if err != nil {
		return nil, err
	}
	return runnable(file)
}

// wish says which ports are wanted.
func (u *up) wish(c *cobra.Command, file *config.File) {
	asked := c.Flags().Changed
	u.wishes.port = wish{asked: asked("port") || file.Port != 0, number: u.port, fallback: defaultPort, names: "--port and port"}
	if !asked("port") {
		u.wishes.port.number = file.Port
	}
	u.wishes.metrics = wish{asked: asked("metrics-port"), number: u.metricsPort, fallback: defaultMetrics, names: "--metrics-port"}
}

// checkNumbers refuses what no port and no time can be.
func (u *up) checkNumbers() error {
	for flag, port := range map[string]int{"--port": u.port, "--metrics-port": u.metricsPort} {
		if port < 0 || port > 65535 {
			return usageError{fmt.Errorf("%s %d: a port is 0 to 65535", flag, port)}
		}
	}
	if u.timeScale < 1 || u.timeScale > fastest {
		return usageError{fmt.Errorf("--time-scale %g: it is 1 to %d", u.timeScale, fastest)}
	}
	if u.deadline <= 0 {
		return usageError{fmt.Errorf("--deployment-timeout %s: it must be above 0", u.deadline)}
	}
	return nil
}

// serve runs the session until ctx ends or something fails.
func (u *up) serve(ctx context.Context, force <-chan struct{}, c *cobra.Command, file *config.File, models []*emulator.Model) (err error) {
	session := control.FindHome().Session(file.Dir)
	lock, err := session.Acquire(control.Owner{PID: os.Getpid(), Dir: file.Dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if err := os.RemoveAll(session.Artifacts()); err != nil { // a killed session's
		return err
	}
	engine, err := u.choose(ctx, session, models)
	if err != nil {
		return err
	}
	defer engine.close()
	if err := u.underDebugger(models); err != nil {
		return err
	}
	debuggers, err := listenForEditors(models)
	if err != nil {
		return err
	}
	defer closeAll(debuggers)
	port, err := u.wishes.port.listen()
	if err != nil {
		return err
	}
	defer port.Close()
	metrics, err := u.wishes.metrics.listen()
	if err != nil {
		return err
	}
	defer metrics.Close()
	pushes, noPushes, err := listenForPushes(ctx, engine, models)
	if err != nil {
		return err
	}
	defer closePushes(pushes)
	accessLog, closeLog, err := openAccessLog(u.accessLog, file.Dir)
	if err != nil {
		return err
	}
	defer closeLog()
	file.Capture.Off = file.Capture.Off || u.noCapture
	store, err := openCapture(file.Capture, session, models)
	if err != nil {
		return err
	}
	if store != nil {
		defer func() { err = errors.Join(err, store.Close()) }()
	}
	socket, err := session.Listen()
	if err != nil {
		return fmt.Errorf("open the session's socket: %w", err)
	}
	defer socket.Close()
	recording, err := openRecording(u.record, file.Dir)
	if err != nil {
		return err
	}
	s := &upSession{
		up: u, reread: func() ([]*emulator.Model, error) { return u.reread(c) }, session: session, engine: engine, models: models, file: file, force: force,
		stream: event.NewStream(), port: port, metrics: metrics, accessLog: accessLog, socket: socket, debuggers: debuggers,
		pushes: pushes, noPushes: noPushes, capture: store, recording: recording,
	}
	if u.output == outputScreen {
		s.terminal.in, s.terminal.out = terminal(c.InOrStdin(), c.OutOrStdout())
		return s.run(ctx, nil)
	}
	view := s.view(c.OutOrStdout())
	if u.child {
		view = handOver(c.OutOrStdout())
	}
	return s.run(ctx, view)
}

// upSession is one running session and all that it needs.
type upSession struct {
	*up
	reread    func() ([]*emulator.Model, error) // the configuration, as it is now
	session   control.Session
	engine    *engine
	models    []*emulator.Model
	file      *config.File
	force     <-chan struct{}
	stream    *event.Stream
	port      net.Listener
	metrics   net.Listener
	accessLog io.Writer
	socket    net.Listener
	debuggers map[string]net.Listener // by model: where editors connect
	terminal  struct{ in, out *os.File }
	pushes    map[string]pushPort // by model: where it pushes its metrics to
	noPushes  map[string]string   // by model: why it cannot
	capture   *capture.Store      // nil where nothing is captured
	recording *os.File            // nil where nothing is recorded
}

// run wires everything together. The first part to end takes the others with it: the
// port drains, the containers stop, the stream closes, and the outputs are flushed.
// Without a view the screen shows what happens.
func (s *upSession) run(ctx context.Context, view func(event.Event) error) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	log.SetFlags(0)
	log.SetOutput(libraryNotices{s.stream}) // net/http and others write there
	defer log.SetOutput(os.Stderr)
	var watching func() error
	if view != nil {
		watching = display(s.stream, view, end)
	}
	recorded := s.startRecording()
	var supervision *emulator.Emulator // the port and it call each other
	server := s.proxy(
		func(model string) { supervision.Wanted(model) },
		func(model string, w proxy.Wait) { supervision.Waited(model, emulator.Wait(w)) },
	)
	editors := s.editors(func(model string, on bool) {
		server.Suspend(model, on)
		supervision.Suspend(model, on)
	})
	supervision = s.emulator(server, editors)
	if view == nil {
		watching = s.screen(ctx.Done(), supervision, end)
	}
	answering := s.answer(end, supervision)
	s.introduce(ctx)

	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return server.Serve(ctx, s.port) })
	work.Go(func() error { return serveMetrics(ctx, s.metrics, server.Metrics()) })
	pushing, noMore := context.WithCancel(context.WithoutCancel(ctx)) // a model may push at its end
	defer noMore()
	work.Go(func() error {
		defer noMore()
		return supervision.Run(ctx)
	})
	work.Go(func() error { return s.sweepOthers(ctx) })
	if s.capture != nil {
		work.Go(func() error { s.tellCapture(ctx); return nil })
	}
	work.Go(func() error { return s.forgetUnused(time.Now()) })
	for _, editor := range editors {
		work.Go(func() error { return editor.Serve(ctx) })
	}
	for model, port := range s.pushes {
		work.Go(func() error { return s.takePushes(pushing, model, port, supervision.Tell) })
	}
	if !s.noWatch {
		work.Go(func() error { return s.watchConfiguration(ctx, supervision) })
	}
	err := work.Wait()

	ended := event.Ended{}
	if err != nil {
		ended.Error = err.Error()
	}
	s.stream.Publish("", 0, ended)
	s.stream.Close()
	viewErr := errors.Join(watching(), recorded())
	answering()
	var failure *emulator.Failure
	if errors.As(err, &failure) {
		return toldError{err} // the view has shown it, with what to do next
	}
	return errors.Join(err, viewErr)
}

func (s *upSession) proxy(wanted func(model string), waited func(model string, w proxy.Wait)) *proxy.Server {
	options := proxy.Options{Wanted: wanted, Waited: waited, Publisher: s.stream, DrainTimeout: s.drainTimeout(), AccessLog: s.accessLog, Domains: slices.Clone(s.domains)}
	if s.capture != nil {
		options.Capture = captured{s.capture}
	}
	for _, m := range s.models {
		d := m.Deployment
		options.Domains = append(options.Domains, d.Platform.Domain)
		options.Models = append(options.Models, proxy.Model{
			ID: m.ID(), Project: d.Project, Name: d.Model, Version: d.Version, FullName: d.FullName(),
			UPI: d.Protocol == "UPI_V1", Timeout: m.Timeout, ContainerConcurrency: m.ContainerConcurrency,
			ResponseStartTimeout: m.ResponseStartTimeout, IdleTimeout: m.IdleTimeout,
			Weight: m.Weight, Deployed: m.Fidelity == emulator.Deployed,
		})
	}
	return proxy.New(options)
}

func (s *upSession) emulator(server *proxy.Server, editors map[string]*attach.Port) *emulator.Emulator {
	files := newFiles(s.stream, control.FindHome().Sums(), accessLogPath(s.up.accessLog, s.file.Dir), recordPath(s.record, s.file.Dir))
	var watcher emulator.Watcher
	if !s.noWatch {
		watcher = files
	}
	return emulator.New(emulator.Options{
		Models: s.models, Runtime: s.engine, Router: server, Events: files,
		Prober: prober{}, Examiner: examiner{}, Scraper: scrape.Scraper{Timeout: scrapeTimeout},
		Stager: artifact.Stager{Root: s.session.Artifacts()},
		Shell:  process.Shell{}, Watcher: watcher, Memory: s.engine.memory(),
		Grace: s.grace.limit, ProductionGrace: s.grace.production,
		Deadline: s.deadline, FirstExitFails: !s.waitRestarts, Force: s.force, NoLimits: s.noLimits,
		Demand:    func(model string) emulator.Demand { return emulator.Demand(server.Demand(model)) },
		TimeScale: s.timeScale, DebugPorts: debugPorts(editors), PushURLs: s.pushURLs(),
	})
}

// introduce says what this session is, before anything happens.
func (s *upSession) introduce(ctx context.Context) {
	s.stream.Publish("", 0, event.Session{
		Format: event.Format, ID: s.session.ID, Version: version(), Dir: s.file.Dir, PID: os.Getpid(),
		Runtime: s.engine.name, Engine: s.engine.about,
	})
	for _, m := range s.models {
		d := m.Deployment
		s.stream.Publish(m.ID(), 0, event.Declared{
			Project: d.Project, Name: d.Model, Version: d.Version, Redeployment: d.Revision,
			FullName: d.FullName(), Protocol: string(d.Protocol), Image: d.Image,
			Host: d.VersionHost("localhost"),
		})
		s.stream.Publish(m.ID(), 0, m.Parity(s.circumstances()))
	}
	address := s.port.Addr().String()
	s.stream.Publish("", 0, event.Listening{Address: address, Metrics: s.metrics.Addr().String()})
	if !s.wishes.port.asked && s.port.Addr().(*net.TCPAddr).Port != defaultPort {
		s.warn(fmt.Sprintf("port %d is taken: listening on %s", defaultPort, address))
	}
	if s.engine.warning != "" {
		s.warn(s.engine.warning)
	}
	s.warnOfLimits()
	for model, why := range s.noPushes {
		s.warn(model + " has nowhere to push its metrics to, and its variable is as env_vars sets it: " + why)
	}
	if s.timeScale > 1 {
		s.warn(fmt.Sprintf("the autoscaler's windows and delays pass %g times faster than in production (--time-scale)", s.timeScale))
	}
	for _, dotenv := range s.file.Dotenvs() {
		if config.GitIgnores(ctx, dotenv) == config.GitNotIgnored {
			s.warn(dotenv + " holds secrets and git does not ignore it: add it to .gitignore")
		}
	}
}

func (s *upSession) warn(text string) {
	s.stream.Publish("", 0, event.Notice{Level: event.NoticeWarning, Text: text})
}

// libraryNotices tells what libraries log, so that it does not run through a view.
type libraryNotices struct{ stream *event.Stream }

func (n libraryNotices) Write(p []byte) (int, error) {
	n.stream.Publish("", 0, event.Notice{Level: event.NoticeInfo, Text: prose.Clean(strings.TrimSpace(string(p)))})
	return len(p), nil
}

// sweepOthers removes what killed sessions of other repos left behind.
func (s *upSession) sweepOthers(ctx context.Context) error {
	swept, err := sweepDead(ctx, s.engine.docker)
	switch {
	case err != nil && ctx.Err() == nil:
		s.warn(fmt.Sprintf("what killed sessions left could not be removed: %v", err))
	case swept > 0:
		s.stream.Publish("", 0, event.Notice{Level: event.NoticeInfo, Text: fmt.Sprintf("removed what %d killed session(s) had left behind", swept)})
	}
	return nil
}

// remembered is how long what a session knows is kept for its next run.
const remembered = 30 * 24 * time.Hour

// forgetUnused removes what the sessions of repos that nobody works in any more know.
func (s *upSession) forgetUnused(now time.Time) error {
	home := control.FindHome()
	err := errors.Join(watch.Forget(home.Sums(), now.Add(-remembered)), docker.ForgetBuilds(home.Builds(), now.Add(-remembered)))
	if err != nil {
		s.warn("what old sessions knew could not be removed: " + err.Error())
	}
	return nil
}

// display shows every event until the stream ends. A view that cannot write ends the
// session. The returned function waits for the view.
func display(stream *event.Stream, view func(event.Event) error, end func()) (wait func() error) {
	sub := stream.Subscribe()
	done := make(chan error, 1)
	go func() {
		var failed error
		for {
			events, err := sub.Next(context.Background())
			if errors.Is(err, io.EOF) {
				done <- failed
				return
			}
			for _, e := range events {
				if failed == nil {
					if failed = view(e); failed != nil {
						end()
					}
				}
			}
		}
	}()
	return func() error { return <-done }
}

// answer serves the session's socket until the returned function is called.
func (s *upSession) answer(down func(), e *emulator.Emulator) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	server := &control.Server{Events: s.stream, Down: down, Retry: e.Retry, Reload: e.Reload}
	if s.capture != nil {
		server.Exchange, server.Search = s.capture.Lookup, s.capture.Search
	}
	go func() {
		defer close(done)
		if err := server.Serve(ctx, s.socket); err != nil {
			s.warn("other commands cannot reach this session: " + err.Error())
		}
	}()
	return func() { cancel(); <-done }
}
