package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"

	"github.com/caraml-dev/merlin-local/emulator"
)

// packedContext is what the classic builder gets of a build context, as a tar stream.
// BuildKit fetches its own.
type packedContext struct {
	files      fsutil.FS
	dockerfile string // its name inside
	added      map[string][]byte
}

const (
	ignoreName = ".dockerignore"
	// outsideName is what a Dockerfile from outside the context is called in it.
	outsideName = ".merlin-local.Dockerfile"
)

// packContext leaves out what the ignore file names, but never the Dockerfile and the
// ignore file: the builder itself drops those once it has read them.
func packContext(b *emulator.Build) (packedContext, error) {
	patterns, own, err := ignored(b)
	if err != nil {
		return packedContext{}, err
	}
	packed := packedContext{added: map[string][]byte{}}
	inside, err := filepath.Rel(b.Context, b.Dockerfile)
	if err == nil && filepath.IsLocal(inside) {
		packed.dockerfile = filepath.ToSlash(inside)
		if len(patterns) > 0 {
			patterns = append(patterns, "!"+packed.dockerfile, "!"+ignoreName)
		}
	} else if err := packed.addDockerfile(b.Dockerfile, own); err != nil {
		return packedContext{}, err
	}
	for name := range packed.added {
		patterns = append(patterns, name)
	}
	files, err := asRoot(b.Context)
	if err != nil {
		return packedContext{}, err
	}
	packed.files, err = fsutil.NewFilterFS(files, &fsutil.FilterOpt{ExcludePatterns: patterns})
	return packed, err
}

// addDockerfile sends a Dockerfile from outside the context, and an ignore file that
// hides it from COPY.
func (p *packedContext) addDockerfile(path string, ignore []byte) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	hidden := "\n" + outsideName + "\n"
	if ignore == nil {
		hidden += ignoreName + "\n"
	}
	p.dockerfile = outsideName
	p.added[outsideName] = content
	p.added[ignoreName] = append(bytes.Clone(ignore), hidden...)
	return nil
}

// ignored reads the patterns of <dockerfile>.dockerignore or else of .dockerignore;
// own is the content of the latter, nil where there is none.
func ignored(b *emulator.Build) (patterns []string, own []byte, err error) {
	own, err = os.ReadFile(filepath.Join(b.Context, ignoreName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("read the ignore file: %w", err)
	}
	content, err := os.ReadFile(b.Dockerfile + ignoreName)
	if errors.Is(err, fs.ErrNotExist) {
		content, err = own, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the ignore file: %w", err)
	}
	patterns, err = ignorefile.ReadAll(bytes.NewReader(content))
	return patterns, own, err
}

// write sends the context as a tar stream. fsutil's writer ends its archive; what is
// added goes in front, in an archive whose end is left out.
func (p packedContext) write(ctx context.Context, w io.Writer) error {
	front := tar.NewWriter(w)
	for name, content := range p.added {
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}
		if err := front.WriteHeader(header); err != nil {
			return err
		}
		if _, err := front.Write(content); err != nil {
			return err
		}
	}
	if err := front.Flush(); err != nil {
		return err
	}
	return fsutil.WriteTar(ctx, p.files, w)
}
