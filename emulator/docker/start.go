package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"github.com/caraml-dev/merlin-local/emulator"
)

// Start creates and starts a container. Where the Engine cannot run the container's
// command it returns one that has ended, with the Engine's code (126 or 127) and words,
// as production shows it.
func (r *Runtime) Start(ctx context.Context, spec emulator.ContainerSpec) (emulator.Container, error) {
	if r.isAway(ctx) { // one that stops would take the orders, and not follow them
		return nil, emulator.ErrEngineAway
	}
	reach, err := r.chooseReach(ctx)
	if err != nil {
		return nil, r.blame(ctx, forModel(spec.Model, err))
	}
	c, err := r.prepare(ctx, spec, reach)
	if err != nil {
		return nil, r.blame(ctx, err)
	}
	if err = r.copyFiles(ctx, c.id, spec.Files); err == nil {
		err = c.start(ctx, spec, reach)
	}
	if err != nil {
		err = r.blame(ctx, err)
		removal, cancel := onTheWayOut(ctx)
		defer cancel()
		return nil, errors.Join(err, c.Remove(removal))
	}
	return c, nil
}

// prepare creates the container with its artifact. A bind mount is tried first where
// the Engine may see this host's files.
func (r *Runtime) prepare(ctx context.Context, spec emulator.ContainerSpec, reach Reach) (*replica, error) {
	if spec.Artifact == "" || r.engine.sharesFiles() {
		var mounts []mount.Mount
		if spec.Artifact != "" {
			mounts = bindArtifact(spec.Artifact)
		}
		b := r.draw(spec, reach, mounts)
		id, err := r.create(ctx, b)
		if err == nil {
			return newReplica(r, spec, id, b.name, ""), nil
		}
		if !cannotSee(err) {
			return nil, err
		}
	}
	volume, mounts, err := r.volumeArtifact(ctx, spec)
	if err != nil {
		return nil, err
	}
	b := r.draw(spec, reach, mounts)
	id, err := r.create(ctx, b)
	if err != nil {
		removal, cancel := onTheWayOut(ctx)
		defer cancel()
		return nil, errors.Join(err, r.removeVolume(removal, volume))
	}
	return newReplica(r, spec, id, b.name, volume), nil
}

// create makes a container, with the Engine's own log driver where it refuses ours. It
// is not cut short: the Engine would go on, and leave one that nobody knows.
func (r *Runtime) create(ctx context.Context, b blueprint) (id string, err error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	ctx, cancel := onTheWayOut(ctx)
	defer cancel()
	made, err := r.client.ContainerCreate(ctx, b.config, b.host, nil, nil, b.name)
	if err != nil && refusesLogs(err) {
		b.host.LogConfig = container.LogConfig{}
		made, err = r.client.ContainerCreate(ctx, b.config, b.host, nil, nil, b.name)
	}
	switch {
	case err == nil:
		return made.ID, nil
	case errdefs.IsNotFound(err):
		return "", fmt.Errorf("create the container: %w: its image was removed meanwhile: up again", err)
	}
	return "", fmt.Errorf("create the container: %w", err)
}

func refusesLogs(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "log-opt") || strings.Contains(text, "log opt") ||
		strings.Contains(text, "logger") || strings.Contains(text, "log driver") || strings.Contains(text, "logging driver")
}

// wayOut bounds what must not be cut short.
const wayOut = 15 * time.Second

// onTheWayOut returns a context that outlives another, for tidying up and for what
// would leave something behind if it were cut short.
func onTheWayOut(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), wayOut)
}
