package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/volume"
	"golang.org/x/sync/errgroup"
)

const (
	// sweepLimit bounds a sweep, removeLimit the removal of one container.
	sweepLimit  = time.Minute
	removeLimit = 20 * time.Second
	// removesAtOnce spares the Engine: each removal unmounts a file system.
	removesAtOnce = 4
)

// Sweep removes the containers and volumes of its own session. Images stay: they are
// the next build's cache.
func (r *Runtime) Sweep(ctx context.Context) error {
	return r.SweepSession(ctx, r.options.Session)
}

// SweepSession removes the containers and volumes that a session left behind.
func (r *Runtime) SweepSession(ctx context.Context, session string) error {
	if session == "" {
		return errors.New("sweep: no session is named")
	}
	ctx, cancel := context.WithTimeout(ctx, sweepLimit)
	defer cancel()
	containers, err := r.client.ContainerList(ctx, container.ListOptions{All: true, Filters: ofSession(session)})
	if err != nil {
		return fmt.Errorf("list the containers of session %s: %w", session, err)
	}
	group := errgroup.Group{}
	group.SetLimit(removesAtOnce)
	for _, c := range containers {
		group.Go(func() error { return r.removeContainer(ctx, c.ID) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return r.sweepVolumes(ctx, session)
}

func (r *Runtime) sweepVolumes(ctx context.Context, session string) error {
	list, err := r.client.VolumeList(ctx, volume.ListOptions{Filters: ofSession(session)})
	if err != nil {
		return fmt.Errorf("list the volumes of session %s: %w", session, err)
	}
	for _, v := range list.Volumes {
		if err := r.removeVolume(ctx, v.Name); err != nil {
			return err
		}
	}
	return nil
}

// Sessions returns the sessions that have containers or volumes on the Engine.
func (r *Runtime) Sessions(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepLimit)
	defer cancel()
	found := map[string]struct{}{}
	containers, err := r.client.ContainerList(ctx, container.ListOptions{All: true, Filters: ofAnySession()})
	if err != nil {
		return nil, fmt.Errorf("list the containers of all sessions: %w", err)
	}
	for _, c := range containers {
		found[c.Labels[labelSession]] = struct{}{}
	}
	volumes, err := r.client.VolumeList(ctx, volume.ListOptions{Filters: ofAnySession()})
	if err != nil {
		return nil, fmt.Errorf("list the volumes of all sessions: %w", err)
	}
	for _, v := range volumes.Volumes {
		found[v.Labels[labelSession]] = struct{}{}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// removeContainer kills and removes a container, and waits where somebody else is
// already at it.
func (r *Runtime) removeContainer(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, removeLimit)
	defer cancel()
	for {
		err := r.client.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
		switch {
		case err == nil || errdefs.IsNotFound(err):
			return nil
		case !errdefs.IsConflict(err): // "removal … is already in progress"
			return fmt.Errorf("remove container %s: %w", short(id), err)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("remove container %s: %w", short(id), err)
		}
	}
}

func (r *Runtime) removeVolume(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, removeLimit)
	defer cancel()
	if err := r.client.VolumeRemove(ctx, name, true); err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove volume %s: %w", name, err)
	}
	return nil
}

// short is a container's id as people see it.
func short(id string) string { return id[:min(len(id), 12)] }
