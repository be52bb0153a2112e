package docker

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/caraml-dev/merlin-local/emulator"
)

// copyFiles puts files of this host over the image's own in a container that was
// created and does not run yet: with the owner and mode that the image's COPY line
// would give them.
func (r *Runtime) copyFiles(ctx context.Context, id string, files []emulator.File) error {
	if len(files) == 0 {
		return nil
	}
	reader, writer := io.Pipe()
	packed := make(chan struct{})
	go func() {
		defer close(packed)
		writer.CloseWithError(packFiles(writer, files))
	}()
	err := r.client.CopyToContainer(ctx, id, "/", reader, container.CopyToContainerOptions{})
	_ = reader.Close() // ends the packing where the Engine did not take it all
	<-packed
	if err != nil {
		return fmt.Errorf("copy what changed into the container: %w", err)
	}
	return nil
}

func packFiles(w io.Writer, files []emulator.File) error {
	archive := tar.NewWriter(w)
	for _, f := range files {
		if err := packFile(archive, f); err != nil {
			return fmt.Errorf("%s: %w", f.Source, err)
		}
	}
	return archive.Close()
}

func packFile(archive *tar.Writer, f emulator.File) error {
	info, err := os.Lstat(f.Source)
	if err != nil {
		return err
	}
	link := ""
	if info.Mode()&os.ModeSymlink != 0 {
		if link, err = os.Readlink(f.Source); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	header.Name = strings.TrimPrefix(f.To, "/")
	header.Uid, header.Gid, header.Uname, header.Gname = f.UID, f.GID, "", ""
	if f.Mode != 0 {
		header.Mode = f.Mode
	}
	if header.Typeflag != tar.TypeReg {
		return archive.WriteHeader(header)
	}
	file, err := os.Open(f.Source)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil { // it may have grown since
		return err
	}
	header.Size = info.Size()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.CopyN(archive, file, header.Size)
	return err
}
