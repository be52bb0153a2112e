package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
	"github.com/caraml-dev/merlin-local/proxy/capture/bundle"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
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
	repo, _, err := b.repo()
	if err != nil {
		return err
	}
	b.modelDir = inRepo(b.modelDir, repo)
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
