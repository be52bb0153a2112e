package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
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
	faults       []string
}

// deploymentTimeout is production's.
const deploymentTimeout = 10 * time.Minute

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
	u.grace = grace{limit: defaultGrace}
	flags.Var(&u.grace, "grace", "how long a model has from SIGTERM to SIGKILL; production: as a pod has it, its timeout after 30 s without a request")
	flags.BoolVar(&u.waitRestarts, "wait-restarts", false, "start a model again that ends before it was ever ready, as production does (default: yes, but with -d it fails at the first exit)")
	flags.BoolVar(&u.noWatch, "no-watch", false, "do not make a new revision when files change; merlin-local reload makes one")
	flags.StringVar(&u.debug, "debug", debugNone, "start the models under a debugger: delve, debugpy, none, or without a value as debug in the file or the command of the model tells")
	flags.Lookup("debug").NoOptDefVal = debugAuto
	flags.BoolVar(&u.noLimits, "no-limits", false, "give containers no CPU and no memory limit; production has them")
	flags.Float64Var(&u.timeScale, "time-scale", 1, "have the autoscaler's windows and delays pass so many times faster than in production, up to 100")
	flags.StringArrayVar(&u.faults, "fault", nil, "break the models on request from the start, as latency=200ms or errors=503:10%; may be repeated; see merlin-local fault --help")
	flags.DurationVar(&u.deadline, "deployment-timeout", deploymentTimeout, "how long a model has to become ready")
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
	if _, err := parseFaults(u.faults); err != nil {
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
func (u *up) reread(c *cobra.Command) (*config.File, []*emulator.Model, error) {
	file, err := u.load(c, u.location)
	if err != nil {
		return nil, nil, err
	}
	file.Capture.Off = file.Capture.Off || u.noCapture
	models, err := runnable(file)
	return file, models, err
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
	file.Capture.Off = file.Capture.Off || u.noCapture
	s, err := u.open(ctx, control.FindHome().Session(file.Dir), file, models)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	s.pins = s.newPinRunner(file)
	s.reread = func() (*config.File, []*emulator.Model, error) { return u.reread(c) }
	s.force = force
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
