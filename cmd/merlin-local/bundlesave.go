package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/artifact"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
	"github.com/caraml-dev/merlin-local/proxy/capture/bundle"
)

// bundleSave puts a problem of the running session into a file.
type bundleSave struct {
	*location
	requests                 []uint
	from                     string
	pins                     bool
	note                     string
	withImage, withArtifacts bool
}

func newBundleSave(where *location) *cobra.Command {
	b := &bundleSave{location: where}
	c := &cobra.Command{
		Use:   "save FILE [MODEL]",
		Short: "Put what the running model did into a new file, to run it elsewhere",
		Long: `Put what the running model did into a new file, to run it elsewhere.

The requests are those of --request, --pins and --from. Without any of them they are the
newest ones that failed: with a status of 400 and above, or gRPC's of an error. A model that
does not serve needs none: its failure is what is carried.

Pins and the requests of --from are sent to the model now; what it answers is what a run
elsewhere is compared with, and the answers that they have are what should have come.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error { return b.run(c, args) },
	}
	flags := c.Flags()
	flags.UintSliceVar(&b.requests, "request", nil, "a request of this session by its number; may be repeated")
	flags.BoolVar(&b.pins, "pins", false, "the pins of this repo, with the answers that should come")
	flags.StringVar(&b.from, "from", "", "a file of requests, with the answers that should come")
	flags.StringVar(&b.note, "note", "", "what a reader should know")
	flags.BoolVar(&b.withImage, "with-image", false, "take the image along; without it, who runs the bundle needs to have it or to pull it")
	flags.BoolVar(&b.withArtifacts, "with-artifacts", false, "take the artifact's files along; without them their checksums are")
	return c
}

func (b *bundleSave) run(c *cobra.Command, args []string) (err error) {
	s, err := b.session()
	if err != nil {
		return err
	}
	ctx, _, stop := interruptible(c.Context())
	defer stop()
	state, err := s.State(ctx)
	if err != nil {
		return notRunning(err)
	}
	model, err := pickRunning(state, args[1:])
	if err != nil {
		return err
	}
	path := inRepo(args[0], state.Dir)
	if _, err := os.Lstat(path); err == nil {
		return usageError{fmt.Errorf("%s is there already: give another name, or remove it", path)}
	}
	staging, err := os.MkdirTemp("", "merlin-local-bundle-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(staging)) }()
	making := &bundling{bundleSave: b, session: s, state: state, model: model, staging: staging}
	if err := making.open(c); err != nil {
		return err
	}
	if making.source != nil {
		defer making.source.close()
	}
	if err := making.collect(ctx); err != nil {
		return err
	}
	if err := s.Writes(ctx, path); err != nil { // it is no edit of the repo
		return err
	}
	err = bundle.Create(ctx, path, &making.manifest, making.members)
	if errors.Is(err, fs.ErrExist) {
		return usageError{fmt.Errorf("%s is there already: give another name, or remove it", path)}
	}
	if err != nil {
		return err
	}
	describe(c.OutOrStdout(), &making.manifest)
	fmt.Fprintln(c.OutOrStdout(), "wrote", path)
	return nil
}

// bundling is a bundle in the making.
type bundling struct {
	*bundleSave
	session  control.Session
	state    *session.State
	model    *session.Model
	staging  string         // a folder of its own
	source   *requestSource // of --from; nil without
	hide     func(event.Exchange) event.Exchange
	manifest bundle.Manifest
	members  []bundle.Member
}

// open reads what the repo says of answers: how they are compared, and what is hidden.
func (s *bundling) open(c *cobra.Command) (err error) {
	file, err := (&modelFlags{}).load(c, s.location)
	if err != nil {
		return err
	}
	if s.hide, err = hidingOf(file); err != nil {
		return err
	}
	if s.manifest.Rules, err = json.Marshal(rulesOfFile(file).of(s.model.ID)); err != nil || s.from == "" {
		return err
	}
	s.source, err = findRequests(inRepo(s.from, s.state.Dir), c.InOrStdin())
	return err
}

func (s *bundling) collect(ctx context.Context) error {
	m := s.model
	s.manifest = bundle.Manifest{
		Rules: s.manifest.Rules,
		Made:  time.Now().UTC(), Note: s.note, Failure: m.Failure, Environment: m.Environment,
		Versions: bundle.Versions{MerlinLocal: s.state.Version, Runtime: s.state.Runtime, Engine: s.state.Engine, OS: runtime.GOOS, Arch: runtime.GOARCH},
		Model:    bundle.Model{ID: m.ID, FullName: m.FullName, Protocol: m.Protocol, Revision: m.LocalRevision},
		Image:    bundle.Ran{Reference: m.Image, ID: m.ImageID},
	}
	if m.Serving != nil {
		s.manifest.Model.Sources = m.Serving.Sources
	}
	for _, take := range []func(context.Context) error{s.configuration, s.exchanges, s.events, s.image} {
		if err := take(ctx); err != nil {
			return err
		}
	}
	return nil
}

// configuration takes what the model runs with, and its artifact.
func (s *bundling) configuration(ctx context.Context) error {
	c, err := s.session.Configuration(ctx, s.model.ID)
	if err != nil {
		return err
	}
	if err := s.add(bundle.Configuration, []byte(c.Text)); err != nil {
		return err
	}
	if s.manifest.Environment != nil {
		s.manifest.Secrets = secretNames(s.manifest.Environment)
	}
	if c.ModelDir == "" {
		return nil
	}
	err = artifact.Walk(ctx, c.ModelDir, func(relative, path string) error {
		f, err := bundle.Sum(ctx, path)
		if err != nil {
			return err
		}
		f.Path = relative
		s.manifest.Artifact = append(s.manifest.Artifact, f)
		if s.withArtifacts {
			s.members = append(s.members, bundle.Member{Name: bundle.ArtifactDir + relative, Path: path})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the artifact: %w", err)
	}
	return nil
}

// secretNames are the variables whose values are the platform's.
func secretNames(e *event.Environment) (names []string) {
	for _, v := range e.Variables {
		if v.Secret != "" && !v.Hidden {
			names = append(names, v.Name)
		}
	}
	return names
}

// add makes a member of a text.
func (s *bundling) add(name string, text []byte) error {
	path := filepath.Join(s.staging, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	s.members = append(s.members, bundle.Member{Name: name, Path: path})
	return nil
}

// events takes what happened, but for the requests.
func (s *bundling) events(ctx context.Context) error {
	path := filepath.Join(s.staging, bundle.Events)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := json.NewEncoder(file)
	for e, err := range s.session.Events(ctx, control.Query{Skip: []string{"served", "scraped"}}) {
		if err != nil {
			return err
		}
		if e.Model != "" && e.Model != s.model.ID {
			continue
		}
		if err := lines.Encode(e); err != nil {
			return err
		}
	}
	s.members = append(s.members, bundle.Member{Name: bundle.Events, Path: path})
	return file.Close()
}

// image takes the image, or what tells how to get it.
func (s *bundling) image(ctx context.Context) error {
	if s.state.Runtime != "docker" || s.model.ImageID == "" {
		if s.withImage {
			return usageError{errors.New("--with-image: the model runs without one")}
		}
		return nil
	}
	engine, err := docker.Connect(ctx, docker.Options{Session: s.session.ID})
	if err != nil {
		return err
	}
	defer engine.Close()
	found, there, err := engine.Find(ctx, s.model.ImageID)
	switch {
	case err != nil:
		return err
	case !there:
		return fmt.Errorf("the Engine does not have the image %s any more", s.model.ImageID)
	}
	s.manifest.Image.Digest, s.manifest.Image.Architecture = found.Digest, found.Architecture
	if !s.withImage {
		return nil
	}
	file, err := os.Create(filepath.Join(s.staging, bundle.Image))
	if err != nil {
		return err
	}
	err = engine.Save(ctx, s.model.ImageID, file)
	s.members = append(s.members, bundle.Member{Name: bundle.Image, Path: file.Name()})
	return errors.Join(err, file.Close())
}
