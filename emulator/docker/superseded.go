package docker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// keptImages is how many of a model's images stay, the newest included.
const keptImages = 2

// removeSuperseded removes the model's images of this session that newer builds replaced,
// but for the last ones and the one that spec keeps, so that a day of builds does not fill
// a disk. One that a container still runs is left for the next time.
func (r *Runtime) removeSuperseded(ctx context.Context, spec emulator.ImageSpec, newest string, report func(event.Fact)) {
	own := filters.Arg("label", labelModel+"="+spec.Model.ID())
	images, err := r.imagesOfSession(ctx, own)
	for _, old := range superseded(images, spec, newest) {
		_, removal := r.client.ImageRemove(ctx, old, image.RemoveOptions{PruneChildren: true})
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

func (r *Runtime) imagesOfSession(ctx context.Context, further ...filters.KeyValuePair) ([]image.Summary, error) {
	own := filters.NewArgs(append(further, filters.Arg("label", labelSession+"="+r.options.Session))...)
	return r.client.ImageList(ctx, image.ListOptions{Filters: own})
}

// superseded are what to remove: IDs of images without a tag, and our tags of others, so
// that one that a person has tagged stays under that name.
func superseded(images []image.Summary, spec emulator.ImageSpec, newest string) (references []string) {
	var tagged []image.Summary
	for _, i := range images {
		switch {
		case i.ID == newest || i.ID == spec.Keep:
		case len(i.RepoTags) == 0 || slices.Equal(i.RepoTags, []string{"<none>:<none>"}):
			references = append(references, i.ID)
		default:
			tagged = append(tagged, i)
		}
	}
	// A number above the newest one is of an earlier session.
	rank := func(i image.Summary) int {
		number, _ := strconv.Atoi(i.Labels[labelRevision])
		if number > spec.Revision {
			return 0
		}
		return number
	}
	slices.SortFunc(tagged, func(a, b image.Summary) int { return cmp.Compare(rank(b), rank(a)) })
	for _, i := range tagged[min(len(tagged), keptImages-1):] {
		for _, tag := range i.RepoTags {
			if isOurs(tag) {
				references = append(references, tag)
			}
		}
	}
	return references
}
