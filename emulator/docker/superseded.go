package docker

import (
	"cmp"
	"context"
	"errors"
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

// removeReplaced removes what earlier builds have replaced while a new one goes on, so
// that nobody waits for it. The returned function waits for its end. Images without a tag
// are left to removeSuperseded: the build may end in one of them.
func (r *Runtime) removeReplaced(ctx context.Context, spec emulator.ImageSpec) (wait func() error) {
	done := make(chan error, 1)
	go func() {
		images, err := r.built(ctx, spec)
		images = slices.DeleteFunc(images, func(i image.Summary) bool { return isUntagged(i) || revisionOf(i) >= spec.Revision })
		done <- errors.Join(err, r.removeImages(ctx, superseded(images, spec, "")))
	}()
	return func() error { return <-done }
}

// removeSuperseded removes the model's images of this session that newer builds replaced,
// but for the last ones and the one that spec keeps, so that a day of builds does not fill
// a disk. One that a container still runs is left for the next time.
func (r *Runtime) removeSuperseded(ctx context.Context, spec emulator.ImageSpec, newest string) error {
	images, err := r.built(ctx, spec)
	return errors.Join(err, r.removeImages(ctx, superseded(images, spec, newest)))
}

// built lists the model's images of this session.
func (r *Runtime) built(ctx context.Context, spec emulator.ImageSpec) ([]image.Summary, error) {
	return r.imagesOfSession(ctx, filters.Arg("label", labelModel+"="+spec.Model.ID()))
}

// RemoveBuilt removes the images that were built for a session alone, which had
// Options.Passing; those of any other session stay.
func (r *Runtime) RemoveBuilt(ctx context.Context, session string) error {
	own := filters.NewArgs(filters.Arg("label", labelSession+"="+session), filters.Arg("reference", passingTags(session)+"*/*"))
	images, err := r.client.ImageList(ctx, image.ListOptions{Filters: own})
	if err != nil {
		return fmt.Errorf("list the images of session %s: %w", session, err)
	}
	var references []string
	for _, i := range images {
		references = append(references, i.RepoTags...)
	}
	return r.removeImages(ctx, references)
}

func (r *Runtime) removeImages(ctx context.Context, references []string) (err error) {
	for _, old := range references {
		_, removal := r.client.ImageRemove(ctx, old, image.RemoveOptions{PruneChildren: true})
		if removal != nil && !errdefs.IsConflict(removal) && !errdefs.IsNotFound(removal) {
			err = removal
		}
	}
	return err
}

func warnOfRemoval(ctx context.Context, err error, report func(event.Fact)) {
	if err != nil && ctx.Err() == nil {
		report(event.Notice{
			Level: event.NoticeWarning,
			Text:  fmt.Sprintf("images that a newer build replaced could not be removed: %v", err),
		})
	}
}

func isUntagged(i image.Summary) bool {
	return len(i.RepoTags) == 0 || slices.Equal(i.RepoTags, []string{"<none>:<none>"})
}

// revisionOf is the local revision that an image was built for; 0 where that is not known.
func revisionOf(i image.Summary) int {
	number, _ := strconv.Atoi(i.Labels[labelRevision])
	return number
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
		case isUntagged(i):
			references = append(references, i.ID)
		default:
			tagged = append(tagged, i)
		}
	}
	// A number above the newest one is of an earlier session.
	rank := func(i image.Summary) int {
		if number := revisionOf(i); number <= spec.Revision {
			return number
		}
		return 0
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
