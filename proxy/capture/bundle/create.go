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
	"os"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Member is a file that goes into an archive.
type Member struct {
	Name string // in the archive, with slashes
	Path string // on this machine
}

// Create writes an archive to a new file, readable by its owner alone, and sets the
// manifest's Format and Members to what it writes. On an error no file is left; one that is there already is
// never touched, and the error is fs.ErrExist.
func Create(ctx context.Context, path string, m *Manifest, members []Member) error {
	m.Format, m.Members = Format, nil
	for _, member := range members {
		f, err := Sum(ctx, member.Path)
		if err != nil {
			return fmt.Errorf("read %s: %w", member.Name, err)
		}
		f.Path = member.Name
		m.Members = append(m.Members, f)
	}
	if err := m.check(Limits{}.complete()); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(write(ctx, file, m, members), file.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(path)))
	}
	return nil
}

func write(ctx context.Context, out io.Writer, m *Manifest, members []Member) error {
	// Bodies and layers are large, and often packed already: the least effort.
	packed, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(packed)
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := header(archive, ManifestName, int64(len(text)), m.Made); err != nil {
		return err
	}
	if _, err := archive.Write(text); err != nil {
		return err
	}
	for i, member := range members {
		if err := add(ctx, archive, member, m.Members[i], m.Made); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), packed.Close())
}

func header(archive *tar.Writer, name string, size int64, made time.Time) error {
	return archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: made.Truncate(time.Second)})
}

// add writes a file that is still what its sum says.
func add(ctx context.Context, archive *tar.Writer, member Member, f File, made time.Time) error {
	file, err := os.Open(member.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := header(archive, f.Path, f.Size, made); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(archive, io.TeeReader(&reader{ctx, file}, sum)); err != nil {
		return fmt.Errorf("%s: %w", member.Path, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return fmt.Errorf("%s changed while it was read: try again", member.Path)
	}
	return nil
}

// Sum is a file's size and checksum; its path is left empty.
func Sum(ctx context.Context, path string) (File, error) {
	file, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer file.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, &reader{ctx, file})
	return File{Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
