// Package artifact makes of a model_dir the folder that a container would find at
// /mnt/models: what Merlin's SDK uploads and KServe's storage initializer downloads
// again. The user's own files are only read.
//
// A staged folder is a snapshot, as an upload is: later changes to model_dir do not
// reach a running model. As after an upload, files are 0644, empty folders are gone,
// a link to a file has become the file, and a link to a folder is left out.
package artifact

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Stager stages artifacts below Root, which it makes where it is missing.
type Stager struct{ Root string }

// propertiesName is the file that Merlin's SDK uploads beside the content.
const propertiesName = "model.properties"

// Stage copies the content of modelDir (none where it is empty) and properties to a
// new folder below Root. On an error it leaves nothing behind; else the caller
// removes the folder with remove.
func (s Stager) Stage(ctx context.Context, modelDir string, properties []byte) (folder string, remove func() error, err error) {
	if err := os.MkdirAll(s.Root, 0o700); err != nil {
		return "", nil, err
	}
	folder, err = os.MkdirTemp(s.Root, "artifact-")
	if err != nil {
		return "", nil, err
	}
	remove = func() error { return os.RemoveAll(folder) }
	if err := fill(ctx, folder, modelDir, properties); err != nil {
		return "", nil, joinRemoval(err, remove())
	}
	return folder, remove, nil
}

func joinRemoval(err, removal error) error {
	if removal != nil {
		return fmt.Errorf("%w (and its copy could not be removed: %w)", err, removal)
	}
	return err
}

func fill(ctx context.Context, folder, modelDir string, properties []byte) error {
	// The container's user is another one than ours and must be able to read.
	if err := os.Chmod(folder, 0o755); err != nil {
		return err
	}
	if modelDir != "" {
		if err := copyTree(ctx, folder, modelDir); err != nil {
			return err
		}
	}
	return writeFile(filepath.Join(folder, propertiesName), func(w io.Writer) error {
		_, err := w.Write(properties)
		return err
	})
}

func copyTree(ctx context.Context, to, from string) error {
	return Walk(ctx, from, func(relative, path string) error {
		return copyFile(filepath.Join(to, filepath.FromSlash(relative)), path)
	})
}

// Walk calls file for every file that the artifact of a model_dir has: with its path
// there, with slashes, and with its path on this machine. What cannot be uploaded is an
// error.
func Walk(ctx context.Context, modelDir string, file func(relative, path string) error) error {
	// A model_dir that is itself a link is followed; below it links to folders are not.
	root, err := filepath.EvalSymlinks(modelDir)
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		relative, err := filepath.Rel(root, path)
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := os.Stat(path) // follows a link
		switch {
		case err != nil:
			return err
		case info.IsDir():
			return nil // a link to a folder
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is no regular file and cannot be uploaded", path)
		}
		return file(filepath.ToSlash(relative), path)
	})
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := makeFolder(filepath.Dir(to)); err != nil {
		return err
	}
	return writeFile(to, func(w io.Writer) error {
		_, err := io.Copy(w, in) // shares blocks where the file system can
		return err
	})
}

// makeFolder makes a folder that everybody can read, whatever the umask.
func makeFolder(folder string) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	if err := makeFolder(filepath.Dir(folder)); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	return os.Chmod(folder, 0o755)
}

func writeFile(path string, write func(io.Writer) error) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	err = write(out)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Chmod(path, 0o644)
}
