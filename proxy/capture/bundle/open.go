package bundle

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// Limits bound what an archive may ask for.
type Limits struct {
	Bytes int64 // of all members together; 0 is DefaultBytes
	Files int   // 0 is DefaultFiles
}

// The limits where none are given.
const (
	DefaultBytes = 64 << 30
	DefaultFiles = 100_000
)

// mostManifest bounds the one member that is read into memory.
const mostManifest = 32 << 20

func (l Limits) complete() Limits {
	if l.Bytes == 0 {
		l.Bytes = DefaultBytes
	}
	if l.Files == 0 {
		l.Files = DefaultFiles
	}
	return l
}

// ReadManifest reads what an archive says of itself, and nothing more of it.
func ReadManifest(r io.Reader, limits Limits) (*Manifest, error) {
	_, m, err := begin(r, limits)
	return m, err
}

// Open unpacks an archive into a folder that is there and empty. Every member is exactly
// one that the manifest names, in size and checksum, or the error says which is not; what
// is unpacked by then stays for the caller to remove.
func Open(ctx context.Context, r io.Reader, dir string, limits Limits) (*Manifest, error) {
	archive, m, err := begin(&reader{ctx, r}, limits)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	for _, f := range m.Members {
		head, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("the bundle ends before %s: it was cut; get it again", f.Path)
		case err != nil:
			return nil, fmt.Errorf("the bundle is damaged before %s: %w", f.Path, err)
		case head.Name != f.Path || head.Typeflag != tar.TypeReg || head.Size != f.Size:
			return nil, fmt.Errorf("the bundle has %s where its manifest names the file %s of %d bytes: it was not made by merlin-local, or changed since", printable(head), f.Path, f.Size)
		}
		if err := unpack(root, archive, f); err != nil {
			return nil, err
		}
	}
	if head, err := archive.Next(); err == nil {
		return nil, fmt.Errorf("the bundle has %s, which its manifest does not name: it was not made by merlin-local, or changed since", printable(head))
	} else if !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the bundle is damaged at its end: %w", err)
	}
	return m, nil
}

func printable(head *tar.Header) string {
	kinds := map[byte]string{tar.TypeReg: "the file", tar.TypeSymlink: "the link", tar.TypeLink: "the hard link", tar.TypeDir: "the folder"}
	kind, known := kinds[head.Typeflag]
	if !known {
		kind = "the special file"
	}
	return fmt.Sprintf("%s %q of %d bytes", kind, head.Name, head.Size)
}

// begin reads the manifest and checks all that it says.
func begin(r io.Reader, limits Limits) (*tar.Reader, *Manifest, error) {
	packed, err := gzip.NewReader(r)
	if err != nil {
		return nil, nil, fmt.Errorf("this is no bundle: %w", err)
	}
	packed.Multistream(false)
	archive := tar.NewReader(packed)
	head, err := archive.Next()
	if err != nil {
		return nil, nil, fmt.Errorf("this is no bundle: %w", err)
	}
	if head.Name != ManifestName || head.Typeflag != tar.TypeReg || head.Size > mostManifest {
		return nil, nil, fmt.Errorf("this is no bundle: it begins with %s, and not with %s", printable(head), ManifestName)
	}
	text, err := io.ReadAll(archive)
	if err != nil {
		return nil, nil, fmt.Errorf("read the bundle's manifest: %w", err)
	}
	var format struct{ Format int }
	if err := json.Unmarshal(text, &format); err != nil {
		return nil, nil, fmt.Errorf("read the bundle's manifest: %w", err)
	}
	if format.Format != Format {
		return nil, nil, fmt.Errorf("the bundle has format %d, and this version reads %d: use the merlin-local that wrote it, or a newer one", format.Format, Format)
	}
	m := &Manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, nil, fmt.Errorf("read the bundle's manifest: %w", err)
	}
	return archive, m, m.check(limits.complete())
}

// check refuses a manifest that names what no bundle has.
func (m *Manifest) check(limits Limits) error {
	if len(m.Members) > limits.Files {
		return fmt.Errorf("the bundle has %d files, and %d are taken", len(m.Members), limits.Files)
	}
	seen := map[string]bool{}
	var bytes int64
	for _, f := range m.Members {
		name := f.Path
		inArtifact := strings.HasPrefix(name, ArtifactDir)
		switch {
		case seen[strings.ToLower(name)]: // not every file system tells them apart
			return fmt.Errorf("the bundle names %q twice", name)
		case inArtifact && !local(name), !inArtifact && !known(name):
			return fmt.Errorf("the bundle names %q, which no bundle has", name)
		case f.Size < 0 || f.Size > limits.Bytes-bytes:
			return fmt.Errorf("the bundle holds more than the %d bytes that are taken", limits.Bytes)
		}
		seen[strings.ToLower(name)] = true
		bytes += f.Size
	}
	return nil
}

func known(name string) bool {
	switch name {
	case Configuration, Requests, Expected, Events, Image:
		return true
	}
	return false
}

// local tells a path below the folder, on any system.
func local(name string) bool {
	return fs.ValidPath(name) && !strings.ContainsAny(name, "\\:\x00")
}

func unpack(root *os.Root, archive io.Reader, f File) error {
	if err := root.MkdirAll(path.Dir(f.Path), 0o755); err != nil {
		return fmt.Errorf("unpack %s: %w", f.Path, err)
	}
	mode := fs.FileMode(0o600)
	if strings.HasPrefix(f.Path, ArtifactDir) {
		mode = 0o644 // a model may run as anybody
	}
	out, err := root.OpenFile(f.Path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", f.Path, err)
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, sum), archive)
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("unpack %s: %w", f.Path, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return fmt.Errorf("%s is not as it was when the bundle was made: get it again", f.Path)
	}
	return nil
}
