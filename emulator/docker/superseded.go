package docker

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// removeSuperseded removes the model's images that lost their tag to a newer build of
// the same session, so that a day of builds does not fill a disk. One that a container
// still runs is left for the next time.
func (r *Runtime) removeSuperseded(ctx context.Context, model *emulator.Model, report func(event.Fact)) {
	untagged := filters.NewArgs(
		filters.Arg("dangling", "true"),
		filters.Arg("label", labelSession+"="+r.options.Session),
		filters.Arg("label", labelModel+"="+model.ID()),
	)
	images, err := r.client.ImageList(ctx, image.ListOptions{Filters: untagged})
	for _, old := range images {
		_, removal := r.client.ImageRemove(ctx, old.ID, image.RemoveOptions{PruneChildren: true})
		if removal != nil && !errdefs.IsConflict(removal) && !errdefs.IsNotFound(removal) {
			err = removal
		}
	}
	if err != nil && ctx.Err() == nil {
		report(event.Notice{
			Level: event.NoticeWarning,
			Text:  fmt.Sprintf("images that a newer build replaced could not be removed: %v", err),
		})
	}
}
