package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"
	"github.com/tonistiigi/fsutil"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// bindArtifact shows the host's folder. As a mount of type bind a folder that the
// Engine cannot see is an error; the older Binds would make an empty one.
func bindArtifact(folder string) []mount.Mount {
	return []mount.Mount{{
		Type: mount.TypeBind, Source: folder, ReadOnly: true,
		Target: merlin.Production().ArtifactLocation,
	}}
}

// cannotSee tells the refusal of a bind mount by an Engine that sees another file
// system: in a virtual machine, or behind a tunnel.
func cannotSee(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "bind source path does not exist") || strings.Contains(text, "mounts denied")
}

// volumeArtifact copies the folder to a volume of the Engine, for an Engine that does
// not see this host's files. The caller removes the volume.
func (r *Runtime) volumeArtifact(ctx context.Context, spec emulator.ContainerSpec) (name string, mounts []mount.Mount, err error) {
	making, cancel := onTheWayOut(ctx)
	defer cancel()
	v, err := r.client.VolumeCreate(making, volume.CreateOptions{
		Name:   containerName(spec),
		Labels: r.labelsFor(roleArtifact, spec),
	})
	if err != nil {
		return "", nil, fmt.Errorf("create a volume for the artifact: %w", err)
	}
	m := mount.Mount{
		Type: mount.TypeVolume, Source: v.Name, Target: merlin.Production().ArtifactLocation,
		// the image's own /mnt/models would be copied to it otherwise
		VolumeOptions: &mount.VolumeOptions{NoCopy: true},
	}
	if err := r.fillVolume(ctx, spec, m); err != nil {
		removal, cancel := onTheWayOut(ctx)
		defer cancel()
		return "", nil, errors.Join(fmt.Errorf("copy the artifact to the Engine: %w", err), r.removeVolume(removal, v.Name))
	}
	m.ReadOnly = true
	return v.Name, []mount.Mount{m}, nil
}

// fillVolume copies the artifact through a container that is never started: only a
// container's files can be written through the Engine.
func (r *Runtime) fillVolume(ctx context.Context, spec emulator.ContainerSpec, m mount.Mount) (err error) {
	helper := r.draw(spec, ReachAddress, []mount.Mount{m})
	helper.name += "-artifact"
	helper.config.Entrypoint = []string{"never-started"} // an image may have no command
	helper.config.Labels = r.labelsFor(roleArtifact, spec)
	made, err := r.create(ctx, helper)
	if err != nil {
		return err
	}
	defer func() {
		removal, cancel := onTheWayOut(ctx)
		defer cancel()
		err = errors.Join(err, r.removeContainer(removal, made))
	}()
	files, err := fsutil.NewFS(spec.Artifact)
	if err != nil {
		return err
	}
	reader, writer := io.Pipe()
	packed := make(chan struct{})
	go func() {
		defer close(packed)
		writer.CloseWithError(fsutil.WriteTar(ctx, files, writer))
	}()
	err = r.client.CopyToContainer(ctx, made, m.Target, reader, container.CopyToContainerOptions{})
	_ = reader.Close() // ends the packing where the Engine did not take it all
	<-packed
	return err
}
