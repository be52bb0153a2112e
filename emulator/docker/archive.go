package docker

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
)

// Found is an image that the Engine has.
type Found struct {
	ID           string // sha256:…
	Digest       string // NAME@sha256:…, where it came from a registry or went to one; else empty
	Architecture string
	Size         int64 // bytes of all its layers
}

// Find returns the image of that reference or ID, and whether the Engine has it. It pulls
// nothing.
func (r *Runtime) Find(ctx context.Context, reference string) (Found, bool, error) {
	found, err := r.client.ImageInspect(ctx, reference)
	switch {
	case errdefs.IsNotFound(err), errdefs.IsInvalidArgument(err):
		return Found{}, false, nil
	case err != nil:
		return Found{}, false, fmt.Errorf("inspect image %s: %w", reference, err)
	}
	f := Found{ID: found.ID, Architecture: found.Architecture, Size: found.Size}
	if len(found.RepoDigests) > 0 {
		f.Digest = found.RepoDigests[0]
	}
	return f, true, nil
}

// Save writes the image of that ID as an archive that Load takes. It has no name in there.
func (r *Runtime) Save(ctx context.Context, id string, w io.Writer) error {
	archive, err := r.client.ImageSave(ctx, []string{id})
	if err != nil {
		return fmt.Errorf("save image %s: %w", id, err)
	}
	defer archive.Close()
	if _, err := io.Copy(w, archive); err != nil {
		return fmt.Errorf("save image %s: %w", id, err)
	}
	return nil
}

// Load gives the Engine an image that Save wrote, and returns its ID. One that has a name
// is refused before anything is loaded: it could take that of an image which is there.
func (r *Runtime) Load(ctx context.Context, archive io.ReadSeeker) (id string, err error) {
	if err := nameless(archive); err != nil {
		return "", err
	}
	if _, err := archive.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	response, err := r.client.ImageLoad(ctx, archive)
	if err != nil {
		return "", fmt.Errorf("load the image: %w", err)
	}
	defer response.Body.Close()
	if id, err = loaded(response.Body); err != nil {
		return "", fmt.Errorf("load the image: %w", err)
	}
	return id, nil
}

// loaded reads the Engine's report.
func loaded(report io.Reader) (id string, err error) {
	for lines := json.NewDecoder(report); ; {
		var line struct{ Stream, Error string }
		switch err := lines.Decode(&line); {
		case errors.Is(err, io.EOF) && id == "":
			return "", errors.New("the Engine does not say which image it loaded")
		case errors.Is(err, io.EOF):
			return id, nil
		case err != nil:
			return "", err
		case line.Error != "":
			return "", errors.New(strings.TrimSpace(line.Error))
		}
		if _, found, is := strings.Cut(line.Stream, "Loaded image ID: "); is {
			id = strings.TrimSpace(found)
		}
	}
}

// mostIndex bounds the members of an image's archive that are read into memory.
const mostIndex = 4 << 20

// nameless looks into an image's archive for names: those of the Engine's own form, and
// those of OCI's.
func nameless(r io.Reader) error {
	for archive := tar.NewReader(r); ; {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("this is no image's archive: %w", err)
		}
		var names []string
		switch head.Name {
		case "manifest.json":
			names, err = tagged(io.LimitReader(archive, mostIndex))
		case "index.json":
			names, err = annotated(io.LimitReader(archive, mostIndex))
		case "repositories":
			names = []string{"of an old form"}
		}
		if err != nil {
			return fmt.Errorf("this is no image's archive: %s: %w", head.Name, err)
		}
		if len(names) > 0 {
			return fmt.Errorf("the image's archive names it %s, which could take that name from an image that is here: one that merlin-local saves has no name", strings.Join(names, ", "))
		}
	}
}

func tagged(r io.Reader) (names []string, err error) {
	var images []struct{ RepoTags []string }
	err = json.NewDecoder(r).Decode(&images)
	for _, i := range images {
		names = append(names, i.RepoTags...)
	}
	return names, err
}

func annotated(r io.Reader) (names []string, err error) {
	var index struct {
		Manifests []struct{ Annotations map[string]string }
	}
	err = json.NewDecoder(r).Decode(&index)
	for _, m := range index.Manifests {
		if name := m.Annotations["io.containerd.image.name"]; name != "" {
			names = append(names, name)
		}
	}
	return names, err
}

// Forget removes an image that Load brought, as far as nothing uses it.
func (r *Runtime) Forget(ctx context.Context, id string) error {
	_, err := r.client.ImageRemove(ctx, id, image.RemoveOptions{PruneChildren: true})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
