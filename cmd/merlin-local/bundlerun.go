package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/artifact"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
	"github.com/caraml-dev/merlin-local/proxy/capture/bundle"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

// bundleRun runs what a bundle has, and says whether it does the same here.
type bundleRun struct {
	*location
	engineOptions
	modelDir  string
	image     string
	exec      string
	keepImage bool
	noLimits  bool
	logs      bool
	deadline  time.Duration
}

func newBundleRun(where *location) *cobra.Command {
	b := &bundleRun{location: where}
	c := &cobra.Command{
		Use:   "run FILE",
		Short: "Run what a bundle has, and say whether the same comes of it here",
		Long: `Run what a bundle has, and say whether the same comes of it here.

The model runs in a session of its own, beside whatever else runs; nothing of it stays.
Every request of the bundle is sent, one after another. The exit code is 0 where each is
answered as it was (reproduced) and 1 where one is not (not reproduced). A bundle of a
model that did not come up is reproduced where it fails for the same cause.

Nothing is fetched where the bundle has the image and the artifact. Secrets are read from
this host's environment.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return b.run(c, args[0]) },
	}
	flags := c.Flags()
	flags.StringVar(&b.modelDir, "model-dir", "", "the artifact's folder, where the bundle has only its checksums, or to try another")
	flags.StringVar(&b.image, "image", "", "another image, to see whether it does the same")
	flags.StringVar(&b.exec, "exec", "", "run this command instead of an image, without Docker")
	flags.BoolVar(&b.keepImage, "keep-image", false, "leave the image that the bundle brings with the Engine")
	flags.BoolVar(&b.noLimits, "no-limits", false, "give the container no CPU and no memory limit")
	flags.BoolVar(&b.logs, "logs", false, "show what the model writes")
	flags.StringVar(&b.reach, "reach", "auto", "how a container is reached: auto, address, or published (on loopback)")
	flags.BoolVar(&b.emulatedPlatform, "allow-emulation", false, "run images of another CPU architecture, where the Engine emulates it")
	flags.DurationVar(&b.deadline, "deployment-timeout", deploymentTimeout, "how long the model has to become ready")
	return c
}

// errNotReproduced is told by then.
var errNotReproduced = toldError{errors.New("not reproduced")}

func (b *bundleRun) run(c *cobra.Command, name string) (err error) {
	if b.exec != "" && b.image != "" {
		return usageError{errors.New("--exec and --image: a command runs instead of an image")}
	}
	file, err := openBundle(name, b.location)
	if err != nil {
		return err
	}
	defer file.Close()
	ctx, _, stop := interruptible(c.Context())
	defer stop()
	dir, err := os.MkdirTemp("", "merlin-local-bundle-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m, err := bundle.Open(ctx, file, dir, bundle.Limits{})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	describe(c.OutOrStdout(), m)
	r := &rerun{bundleRun: b, Manifest: m, dir: dir, out: c.OutOrStdout(), progress: c.ErrOrStderr()}
	defer func() { err = errors.Join(err, r.tidy(context.WithoutCancel(ctx))) }()
	return r.run(ctx)
}

// rerun is one run of an unpacked bundle.
type rerun struct {
	*bundleRun
	*bundle.Manifest
	dir           string
	out, progress io.Writer
	loaded        string // the image that it brought; empty where the Engine had it
}

func (r *rerun) run(ctx context.Context) error {
	answered, expected, rules, err := r.read()
	if err != nil {
		return err
	}
	a, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	err = a.use(ctx, func(ctx context.Context, state *session.State) error {
		if r.Failure != nil {
			fmt.Fprintf(r.out, "not reproduced: it failed (%s), and is ready here\n", r.Failure.Cause)
			return errNotReproduced
		}
		return r.ask(ctx, state, &asking{answered, expected, rules})
	})
	var failed *asideFailure
	if r.Failure == nil || !errors.As(err, &failed) {
		return err
	}
	if failed.card.Cause != r.Failure.Cause {
		fmt.Fprintf(r.out, "%s\nnot reproduced: it failed by %s, and does by %s here\n", failed.text, r.Failure.Cause, failed.card.Cause)
		return errNotReproduced
	}
	fmt.Fprintf(r.out, "%s\nreproduced: it fails by the same cause, %s\n", failed.text, r.Failure.Cause)
	return nil
}

// read reads what was asked, what should have come by number, and how both are compared.
func (r *rerun) read() (answered []event.Exchange, expected map[uint64]event.Exchange, rules compare.Rules, err error) {
	if len(r.Rules) > 0 {
		if err := json.Unmarshal(r.Rules, &rules); err != nil {
			return nil, nil, rules, fmt.Errorf("read the bundle's rules: %w", err)
		}
		if err := rules.Check(); err != nil {
			return nil, nil, rules, fmt.Errorf("the bundle's rules: %w", err)
		}
	}
	if answered, err = r.exchanges(bundle.Requests); err != nil {
		return nil, nil, rules, err
	}
	known, err := r.exchanges(bundle.Expected)
	expected = map[uint64]event.Exchange{}
	for _, x := range known {
		expected[x.ID] = x
	}
	return answered, expected, rules, err
}

func (r *rerun) exchanges(name string) (all []event.Exchange, err error) {
	if !r.Has(name) {
		return nil, nil
	}
	file, err := os.Open(filepath.Join(r.dir, name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	for x, err := range exchangesIn(file) {
		if err != nil {
			return nil, fmt.Errorf("%s in the bundle: %w", name, err)
		}
		all = append(all, x)
	}
	return all, nil
}

// prepare makes of the bundle a session that can be used.
func (r *rerun) prepare(ctx context.Context) (*aside, error) {
	artifact, err := r.artifact(ctx)
	if err != nil {
		return nil, err
	}
	image := "none" // so that there is something to run
	if r.exec == "" {
		if image, err = r.obtain(ctx); err != nil {
			return nil, err
		}
	}
	if artifact == "" { // the configuration names none, or it is there
		artifact = r.modelDir
	}
	file, err := config.Load(config.Options{Dir: r.dir, Overrides: config.Overrides{Image: image, ModelDir: artifact}})
	if err != nil {
		return nil, fmt.Errorf("the bundle's configuration: %w", err)
	}
	models, err := runnable(file)
	if err != nil {
		return nil, err
	}
	options := r.engineOptions
	options.runtime = "docker"
	if r.exec != "" {
		options.runtime = "process"
		for _, m := range models {
			m.Exec, m.OnHost, m.Deployment.Image, m.Dir = r.exec, true, "", workingDir()
		}
	}
	return &aside{engineOptions: options, file: file, models: models, progress: r.progress, deadline: r.deadline, noLimits: r.noLimits, logs: r.logs}, nil
}

// workingDir is where a command of this command line runs.
func workingDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	return dir
}

// artifact makes sure that the artifact is what the bundle says; another folder than the
// bundle's own comes back.
func (r *rerun) artifact(ctx context.Context) (folder string, err error) {
	switch {
	case len(r.Artifact) == 0:
		return "", nil
	case r.modelDir != "":
		return r.modelDir, r.sameArtifact(ctx)
	case !r.HasArtifact():
		return "", fmt.Errorf("the bundle has only the checksums of the artifact (%d files): name its folder with --model-dir, or have the bundle saved with --with-artifacts", len(r.Artifact))
	}
	return "", nil
}

// sameArtifact tells where a folder differs from what the model read; it is run all the
// same, since to try another may be what is wanted.
func (r *rerun) sameArtifact(ctx context.Context) error {
	want := map[string]bundle.File{}
	for _, f := range r.Artifact {
		want[f.Path] = f
	}
	var differs []string
	err := artifact.Walk(ctx, r.modelDir, func(relative, path string) error {
		f, err := bundle.Sum(ctx, path)
		f.Path = relative
		if f != want[relative] {
			differs = append(differs, relative)
		}
		delete(want, relative)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the artifact: %w", err)
	}
	for path := range want {
		differs = append(differs, path+" (missing)")
	}
	slices.Sort(differs)
	for _, path := range differs {
		fmt.Fprintf(r.out, "note: the artifact is not the bundle's: %s\n", prose.Clean(path))
	}
	return nil
}

// obtain makes sure that the image is there, and returns what to run. It fetches nothing:
// an image that is not there is loaded from the bundle.
func (r *rerun) obtain(ctx context.Context) (reference string, err error) {
	if r.image != "" {
		return r.image, nil
	}
	if r.Image.ID == "" {
		return "", errors.New("the bundle is of a model that ran without an image: name one with --image, or a command that serves it with --exec")
	}
	engine, err := docker.Connect(ctx, docker.Options{Session: control.FindHome().Beside(r.dir).ID})
	if err != nil {
		return "", err
	}
	defer engine.Close()
	for _, reference := range []string{r.Image.ID, r.Image.Digest} {
		if reference == "" {
			continue
		}
		if found, there, err := engine.Find(ctx, reference); there || err != nil {
			return found.ID, err
		}
	}
	if !r.Has(bundle.Image) {
		next := "have the bundle saved with --with-image"
		if r.Image.Digest != "" {
			next = "pull " + r.Image.Digest + ", or " + next
		}
		return "", fmt.Errorf("neither the bundle nor the Engine has the image %s: %s", r.Image.ID, next)
	}
	file, err := os.Open(filepath.Join(r.dir, bundle.Image))
	if err != nil {
		return "", err
	}
	defer file.Close()
	fmt.Fprintln(r.progress, "loading the image")
	id, err := engine.Load(ctx, file)
	r.loaded = id
	return id, err
}

// tidy removes the image that the bundle brought.
func (r *rerun) tidy(ctx context.Context) error {
	if r.loaded == "" || r.keepImage {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	engine, err := docker.Connect(ctx, docker.Options{})
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := engine.Forget(ctx, r.loaded); err != nil {
		return fmt.Errorf("remove the image that the bundle brought: %w", err)
	}
	return nil
}

// asking is what is sent and how its answers are judged.
type asking struct {
	answered []event.Exchange
	expected map[uint64]event.Exchange
	rules    compare.Rules
}

// ask sends every request and says of each answer whether it is the one that it was.
func (r *rerun) ask(ctx context.Context, state *session.State, a *asking) error {
	client := replay.NewClient(&url.URL{Scheme: "http", Host: state.Address}, 1)
	defer client.Close()
	same, mended := 0, 0
	for _, was := range a.answered {
		is, err := client.Send(ctx, here(was, state.Models[0]))
		if is.Status == 0 && err != nil && ctx.Err() != nil {
			return err
		}
		result := compare.Answers(was, is, a.rules)
		if result.Same() {
			same++
		}
		line := told(was, is, result)
		if want, known := a.expected[was.ID]; known && compare.Answers(want, is, a.rules).Same() {
			mended++
			line += "; it is what should come"
		}
		fmt.Fprintln(r.out, line)
	}
	if same == len(a.answered) {
		fmt.Fprintf(r.out, "reproduced: %s\n", counted(same, "request is answered as it was", "requests are answered as they were"))
		return nil
	}
	text := fmt.Sprintf("not reproduced: %d of %d are answered as they were", same, len(a.answered))
	if mended > 0 {
		text += fmt.Sprintf(", %d as they should be", mended)
	}
	fmt.Fprintln(r.out, text)
	return errNotReproduced
}

// counted is a number with what it counts, one or several.
func counted(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

// mostTold is how many differences of one answer a person is told.
const mostTold = 5

// told says how an answer is, and how it was where that differs.
func told(was, is event.Exchange, result compare.Result) string {
	line := fmt.Sprintf("request %d  %s %s  ", was.ID, prose.Clean(was.Method), prose.Clean(was.Path))
	if result.Same() {
		return line + "as it was: " + outcome(is)
	}
	line += "differs: " + outcome(is) + ", and was " + outcome(was)
	for i, d := range result.Differences {
		if i == mostTold {
			line += fmt.Sprintf("\n  and %d more", len(result.Differences)+result.More-mostTold)
			break
		}
		line += "\n  " + difference(d)
	}
	return line
}

// outcome is an answer in a word.
func outcome(x event.Exchange) string {
	switch {
	case x.GRPCStatus != nil:
		return prose.GRPCCode(*x.GRPCStatus)
	case x.Status == 0:
		return prose.Clean(x.Error)
	}
	return fmt.Sprint(x.Status)
}

// difference is one place at which two answers differ, on one line.
func difference(d compare.Difference) string {
	line := d.Path + ": was " + orNothing(d.Was) + ", is " + orNothing(d.Is)
	if d.Note != "" {
		line += " (" + d.Note + ")"
	}
	return prose.Clean(line)
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}
