package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/artifact"
	"github.com/caraml-dev/merlin-local/emulator/attach"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/process"
	"github.com/caraml-dev/merlin-local/emulator/scrape"
	"github.com/caraml-dev/merlin-local/proxy"
	"github.com/caraml-dev/merlin-local/proxy/capture"
)

// upSession is one running session and all that it needs.
type upSession struct {
	*up
	reread    func() (*config.File, []*emulator.Model, error) // the configuration, as it is now
	session   control.Session
	engine    *engine
	models    []*emulator.Model                 // as they were at the start
	current   atomic.Pointer[[]*emulator.Model] // as they are, after changes of the configuration
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
	pins      *pinRunner          // nil where none are replayed
	recording *os.File            // nil where nothing is recorded
	files     *files              // that are watched; set once the emulator is made
	held      []func() error      // what is let go of at the end
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
	var server *proxy.Server
	faults := s.faultsOn(func() *proxy.Server { return server })
	server = s.proxy(
		faults,
		func(model string) { supervision.Wanted(model) },
		func(model string, w proxy.Wait) { supervision.Waited(model, emulator.Wait(w)) },
	)
	editors := s.editors(func(model string, on bool) {
		server.Suspend(model, on)
		supervision.Suspend(model, on)
	})
	supervision = s.emulator(server, editors, faults)
	if view == nil {
		watching = s.screen(ctx.Done(), supervision, faults, end)
	}
	answering := s.answer(end, supervision, faults)
	s.introduce(ctx)
	begun := faults.begin(ctx, s.faults)

	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return wrapFault(begun) })
	work.Go(func() error { faults.run(ctx); return nil })
	work.Go(func() error { return server.Serve(ctx, s.port) })
	work.Go(func() error { return serveMetrics(ctx, s.metrics, server.Metrics()) })
	pushing, noMore := context.WithCancel(context.WithoutCancel(ctx)) // a model may push at its end
	defer noMore()
	work.Go(func() error {
		defer noMore()
		return supervision.Run(ctx)
	})
	s.aroundIt(ctx, work)
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
	faults.Close()

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

// aroundIt has done what a session does besides serving its models.
func (s *upSession) aroundIt(ctx context.Context, work *errgroup.Group) {
	work.Go(func() error { return s.sweepOthers(ctx) })
	work.Go(func() error { return s.forgetUnused(time.Now()) })
	if s.capture != nil {
		work.Go(func() error { s.tellCapture(ctx); return nil })
	}
	if s.pins != nil {
		work.Go(func() error { s.pins.run(ctx); return nil })
	}
}

func (s *upSession) proxy(faults *faulting, wanted func(model string), waited func(model string, w proxy.Wait)) *proxy.Server {
	options := proxy.Options{Wanted: wanted, Waited: waited, Publisher: s.stream, DrainTimeout: s.drainTimeout(), AccessLog: s.accessLog, Kill: faults.kill, Domains: slices.Clone(s.domains)}
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

func (s *upSession) emulator(server *proxy.Server, editors map[string]*attach.Port, faults *faulting) *emulator.Emulator {
	s.files = newFiles(s.stream, control.FindHome().Sums(), accessLogPath(s.up.accessLog, s.file.Dir), inRepo(s.record, s.file.Dir))
	var watcher emulator.Watcher
	if !s.noWatch {
		watcher = s.files
	}
	return emulator.New(emulator.Options{
		Models: s.models, Runtime: faults.Runtime(s.engine), Router: server, Events: s.files,
		Prober: faults.Prober(prober{}), Examiner: examiner{}, Scraper: scrape.Scraper{Timeout: scrapeTimeout},
		Stager: faults.Stager(artifact.Stager{Root: s.session.Artifacts()}, func() []*emulator.Model { return *s.current.Load() }),
		Shell:  process.Shell{}, Watcher: watcher, Memory: s.engine.memory(),
		Grace: s.grace.limit, ProductionGrace: s.grace.production,
		Deadline: s.deadline, FirstExitFails: !s.waitRestarts, Force: s.force, NoLimits: s.noLimits,
		Demand:    func(model string) emulator.Demand { return emulator.Demand(server.Demand(model)) },
		TimeScale: s.timeScale, DebugPorts: debugPorts(editors), PushURLs: s.pushURLs(),
		Serving: s.serves,
	})
}

// serves is told that a revision answers. Under a debugger no pin is replayed: it would stop
// where a person stops.
func (s *upSession) serves(model string, revision int) {
	if s.pins != nil && s.debug == debugNone {
		s.pins.serves(model, revision)
	}
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
func (s *upSession) answer(down func(), e *emulator.Emulator, faults *faulting) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	server := &control.Server{
		Events: s.stream, Configuration: s.portable, Writes: s.files.Writes,
		Down: down, Retry: e.Retry, Reload: e.Reload, Fault: faults.ask,
	}
	if s.capture != nil {
		server.Exchange, server.Search, server.Kept = s.capture.Lookup, s.capture.Search, s.capture.IDs
	}
	if s.pins != nil {
		server.Pins = s.pins.again
	}
	go func() {
		defer close(done)
		if err := server.Serve(ctx, s.socket); err != nil {
			s.warn("other commands cannot reach this session: " + err.Error())
		}
	}()
	return func() { cancel(); <-done }
}
