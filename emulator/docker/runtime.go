package docker

import (
	"context"
	"fmt"
	"os"

	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/docker/client"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

var _ emulator.Runtime = (*Runtime)(nil)

// Options say for whom an Engine is used and how.
type Options struct {
	Session string // label on everything that is made; Sweep goes by it
	// Reach is how the host gets to a model; empty is ReachAuto.
	Reach Reach
	// AllowForeign lets images of another CPU architecture run, where the Engine
	// emulates it.
	AllowForeign bool
	// Builds is a folder to remember in which records of the build cache are this
	// session's, from one run to the next; empty for none.
	Builds string

	// Passing has what is built be the session's alone: under names of its own, which take no
	// other's, until RemoveBuilt.
	Passing bool

	// Getenv and HomeDir tell where the Engine and the CLI's config are; the
	// process's own where they are not set.
	Getenv  func(string) string
	HomeDir string
}

// Runtime is a Docker Engine. Close it after the last container is removed.
type Runtime struct {
	options Options
	client  *client.Client
	engine  engine
	cli     *configfile.ConfigFile // the docker CLI's, for credentials
	known   roster
	past    past
}

// Connect finds the Engine and asks what it is. The error is a *NoEngineError where
// none answers.
func Connect(ctx context.Context, options Options) (*Runtime, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	settings, err := loadSettings(options.Getenv, options.HomeDir)
	if err != nil {
		return nil, err
	}
	endpoints, err := settings.endpoints()
	if err != nil {
		return nil, err
	}
	api, engine, err := firstToAnswer(ctx, endpoints)
	if err != nil {
		return nil, err
	}
	return &Runtime{options: options, client: api, engine: engine, cli: settings.config}, nil
}

func (o *Options) complete() error {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.HomeDir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return fmt.Errorf("find the docker CLI's config: %w", err)
		}
		o.HomeDir = home
	}
	return o.Reach.complete()
}

// Close lets go of the connections to the Engine.
func (r *Runtime) Close() error { return r.client.Close() }

// Describe says which Engine it is, where, and how it was found.
func (r *Runtime) Describe() string { return r.engine.String() }

// CPUs is how many the Engine's host has.
func (r *Runtime) CPUs() int { return r.engine.cpus }

// Memory is how many bytes the Engine's host has.
func (r *Runtime) Memory() int64 { return r.engine.memory }

// Place is production's own: a container has its ports and its mounts to itself.
func (r *Runtime) Place(context.Context, emulator.PlaceSpec) (merlin.Place, error) {
	return merlin.Production(), nil
}

// DebugPort is as wanted: a container's ports are its own.
func (r *Runtime) DebugPort(wanted int) (int, error) { return wanted, nil }
