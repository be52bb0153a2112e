package watch

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// reading is a file whose content is to be read.
type reading struct {
	in   *folder
	name string
	file *file

	gone bool  // it was removed, or is no file any more
	err  error // it is there, but cannot be read
}

// errNoFile: what was a file when it was looked at is something else now.
var errNoFile = errors.New("not a regular file")

// readAll reads files side by side. It returns early only where ctx ends.
func readAll(ctx context.Context, all []reading, now time.Time) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(len(all), runtime.GOMAXPROCS(0), 4) {
		group.Go(func() error {
			buffer := make([]byte, 128<<10)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(all) {
					return nil
				}
				all[i].read(ctx, buffer, now)
				if ctx.Err() != nil {
					return ctx.Err()
				}
			}
		})
	}
	return group.Wait()
}

// read takes the sum of a file. The stat is that from before the content, so that a
// write in the meantime shows as another stat at the next look.
func (r *reading) read(ctx context.Context, buffer []byte, now time.Time) {
	if l := r.file.link; l != nil {
		r.readLink(ctx, buffer, now)
		return
	}
	var is stat
	r.file.sum, is, r.err = sumOf(ctx, filepath.Join(r.in.real, r.name), buffer)
	if r.err == nil {
		r.file.stat = is
	}
	r.file.racy = r.file.stat.racy(now)
	r.checkGone()
}

// readLink takes the sum of a link's text, and of the file that it leads to.
func (r *reading) readLink(ctx context.Context, buffer []byte, now time.Time) {
	l := r.file.link
	r.file.sum = sha256.Sum256([]byte(l.Text))
	if !l.watched() {
		return
	}
	sum, is, err := sumOf(ctx, l.Real, buffer)
	if r.err = err; err != nil {
		return
	}
	l.Target = is
	r.file.sum = sha256.Sum256(append([]byte(l.Text+"\x00"), sum[:]...))
	r.file.racy = is.racy(now)
}

func (r *reading) checkGone() {
	if missing(r.err) || errors.Is(r.err, errNoFile) {
		r.gone, r.err = true, nil
	}
}

func sumOf(ctx context.Context, name string, buffer []byte) (sum [sha256.Size]byte, is stat, err error) {
	f, err := open(name)
	if err != nil {
		return sum, is, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: name, Err: errNoFile}
	}
	if err != nil {
		return sum, is, err
	}
	hash := sha256.New()
	for {
		n, err := f.Read(buffer)
		hash.Write(buffer[:n])
		switch {
		case err == io.EOF:
			hash.Sum(sum[:0])
			return sum, statOf(info), nil
		case err != nil:
			return sum, is, err
		case ctx.Err() != nil:
			return sum, is, ctx.Err()
		}
	}
}
