package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"github.com/caraml-dev/merlin-local/emulator"
)

// Revisions are the images of a model's local revisions that the Engine still has, by their numbers.
func (r *Runtime) Revisions(ctx context.Context, model *emulator.Model) (map[int]string, error) {
	name, _, _ := strings.Cut(BuildTag(emulator.ImageSpec{Model: model}), ":")
	all, err := r.client.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", name))})
	if err != nil {
		return nil, fmt.Errorf("list the images of %s: %w", model.ID(), err)
	}
	found := map[int]string{}
	for _, i := range all {
		for _, tag := range i.RepoTags {
			if text, is := strings.CutPrefix(tag, name+":r"); is {
				if n, err := strconv.Atoi(text); err == nil {
					found[n] = i.ID
				}
			}
		}
	}
	return found, nil
}

// RevisionNames names revisions, the newest last, as a person asks for them.
func RevisionNames(found map[int]string) string {
	var names []string
	for _, n := range slices.Sorted(maps.Keys(found)) {
		names = append(names, "r"+strconv.Itoa(n))
	}
	return strings.Join(names, ", ")
}
