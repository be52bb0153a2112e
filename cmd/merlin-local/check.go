package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator"
	checks "github.com/caraml-dev/merlin-local/emulator/check"
	"github.com/caraml-dev/merlin-local/emulator/config"
)

// checking is the command that tells whether an image is a Merlin custom model.
type checking struct {
	*location
	modelFlags
	engineOptions
	rules        []string
	list         bool
	output       string
	report       string
	severity     string
	request      string
	deadline     time.Duration
	grace        time.Duration
	architecture string
	imageSize    string
	mostBytes    int64
}

// The forms of a report.
const (
	formText  = "text"
	formJSON  = "json"
	formJUnit = "junit"
	formSARIF = "sarif"
)

func newCheck(where *location) *cobra.Command {
	k := &checking{location: where}
	c := &cobra.Command{
		Use:   "check [MODEL]",
		Short: "Tell whether the image is a Merlin custom model, rule by rule",
		Long: `Tell whether the image is a Merlin custom model, rule by rule: what was seen, and what
to do.

The image is built as up does, or is the one of --image. It is run as up runs it, with
other ports and another name, and as another user, in a session of its own beside whatever
runs here; nothing of it stays. Without MODEL all models of the repo are checked. The exit
code is 1 where a rule of --severity or above does not hold.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return k.run(c, args) },
	}
	k.modelFlags.flags(c)
	flags := c.Flags()
	flags.StringArrayVar(&k.rules, "rule", nil, "check this rule alone; may be repeated")
	flags.BoolVar(&k.list, "list", false, "list all rules and run nothing")
	flags.StringVarP(&k.output, "output", "o", formText, "text, json, junit or sarif")
	flags.StringVar(&k.report, "report", "", "write the output to this file, and text to standard output")
	flags.StringVar(&k.severity, "severity", string(checks.Error), "error, warning or info: what makes the exit code 1")
	flags.StringVar(&k.request, "request", "", "file of a request that the model answers, in JSON (default: "+exampleName+" of the repo)")
	flags.StringVar(&k.architecture, "architecture", "amd64", "CPU architecture of production's nodes")
	flags.StringVar(&k.imageSize, "image-size", "2GiB", "what an image should have at most")
	flags.StringVar(&k.runtime, "runtime", "auto", "auto, docker, or process: without Docker, by exec")
	flags.StringVar(&k.reach, "reach", "auto", "how a container is reached: auto, address, or published (on loopback)")
	flags.BoolVar(&k.emulatedPlatform, "allow-emulation", false, "run images of another CPU architecture, where the Engine emulates it")
	flags.DurationVar(&k.grace, "grace", 10*time.Second, "how long a model has from SIGTERM to SIGKILL")
	flags.DurationVar(&k.deadline, "deployment-timeout", deploymentTimeout, "how long a model has to become ready")
	return c
}

func (k *checking) run(c *cobra.Command, args []string) error {
	if err := k.complete(); err != nil {
		return usageError{err}
	}
	if k.list {
		return listRules(c.OutOrStdout())
	}
	file, err := k.load(c, k.location)
	if err != nil {
		return err
	}
	all, err := runnable(file)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		one, err := pick(all, args)
		if err != nil {
			return err
		}
		all = []*emulator.Model{one}
	}
	subjects, err := k.subjects(file.Dir, all)
	if err != nil {
		return err
	}
	ctx, _, stop := interruptible(c.Context())
	defer stop()
	reports, err := k.checkAll(ctx, c.ErrOrStderr(), file, subjects)
	if err != nil {
		return err
	}
	return k.tell(c.OutOrStdout(), file.Dir, reports)
}

// complete refuses what makes no sense.
func (k *checking) complete() (err error) {
	if !slices.Contains([]string{formText, formJSON, formJUnit, formSARIF}, k.output) {
		return fmt.Errorf("--output %s: it is text, json, junit or sarif", k.output)
	}
	if !slices.Contains([]checks.Severity{checks.Error, checks.Warning, checks.Info}, checks.Severity(k.severity)) {
		return fmt.Errorf("--severity %s: it is error, warning or info", k.severity)
	}
	if k.mostBytes, err = units.RAMInBytes(k.imageSize); err != nil || k.mostBytes <= 0 {
		return fmt.Errorf("--image-size %s: it is a size such as 500MiB or 2GiB", k.imageSize)
	}
	if k.deadline <= 0 || k.grace < 0 {
		return errors.New("--deployment-timeout must be above 0, and --grace cannot be negative")
	}
	_, err = checks.Select("", k.rules)
	return err
}

// candidate is a model with what is expected of it.
type candidate struct {
	checks.Subject
	model *emulator.Model
	place string // the file that makes its image
}

// subjects are the models before anything is built.
func (k *checking) subjects(dir string, models []*emulator.Model) (all []candidate, err error) {
	for _, m := range models {
		s := candidate{model: m, Subject: checks.Subject{
			ID: m.ID(), Deployment: m.Deployment, Deadline: k.deadline, Grace: k.grace, Timeout: m.Timeout, AtOnce: m.ContainerConcurrency,
			Architecture: k.architecture, MostBytes: k.mostBytes, RequestName: exampleName,
		}}
		if rules, err := checks.Select(m.Deployment.Protocol, k.rules); err == nil && len(rules) == 0 {
			return nil, usageError{fmt.Errorf("%s speaks %s: none of the rules of --rule is about that", m.ID(), m.Deployment.Protocol)}
		}
		for _, value := range m.SecretValues {
			s.Hide = append(s.Hide, value)
		}
		path := filepath.Join(m.Dir, exampleName)
		if k.request != "" {
			path, s.RequestName = inRepo(k.request, dir), k.request
		}
		s.Request, err = os.ReadFile(path)
		if err != nil && (k.request != "" || !errors.Is(err, os.ErrNotExist)) {
			return nil, usageError{fmt.Errorf("read the request: %w", err)}
		}
		if err := s.CheckRequest(); err != nil {
			return nil, usageError{err}
		}
		all = append(all, s)
	}
	return all, nil
}

// checkAll checks one model after the other: what is measured of one would suffer by
// another.
func (k *checking) checkAll(ctx context.Context, progress io.Writer, file *config.File, subjects []candidate) (reports []checks.Report, err error) {
	var models []*emulator.Model
	for _, s := range subjects {
		models = append(models, s.model)
	}
	aside, err := k.aside(ctx, file, models)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, aside.close()) }()
	if aside.engine.warning != "" {
		fmt.Fprintln(progress, "warning: "+aside.engine.warning)
	}
	for _, s := range subjects {
		s.place = place(file, s.model)
		report, err := k.check(ctx, progress, aside, s)
		switch {
		case ctx.Err() != nil:
			return nil, errors.New("the check was interrupted")
		case err != nil:
			return nil, err
		}
		reports = append(reports, report)
	}
	return reports, nil
}

// check makes the image of one model and checks it.
func (k *checking) check(ctx context.Context, progress io.Writer, aside *checkAside, s candidate) (checks.Report, error) {
	rules, err := checks.Select(s.Deployment.Protocol, k.rules)
	if err != nil {
		return checks.Report{}, err
	}
	launcher, err := aside.launcher(ctx, progress, s.model, k)
	if err != nil {
		return checks.Report{}, err
	}
	s.OnHost, s.Image = s.model.OnHost, launcher.about(s.place)
	if engine := launcher.image.EngineArchitecture; s.Image != nil && !k.emulatedPlatform && s.Image.Architecture != engine {
		s.Image.Unfit = fmt.Sprintf("it is for %s, and the Engine runs %s (--allow-emulation runs it all the same)", s.Image.Architecture, engine)
	}
	fmt.Fprintf(progress, "%s  checking; rules: %d\n", s.ID, len(rules))
	report, err := checks.Run(ctx, s.Subject, launcher, rules)
	report.Place = s.place
	return report, err
}
