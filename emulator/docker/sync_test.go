package docker_test

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator"
)

// fileIn reads a file of a container, as the Engine has it.
func (l *lab) fileIn(t *testing.T, c emulator.Container, path string) (*tar.Header, string) {
	t.Helper()
	stream, _, err := l.api.CopyFromContainer(t.Context(), c.Started().Container, path)
	check(t, err)
	defer stream.Close()
	archive := tar.NewReader(stream)
	header, err := archive.Next()
	check(t, err)
	content, err := io.ReadAll(archive)
	check(t, err)
	return header, string(content)
}

func TestWhatChangedIsCopiedOverTheImagesOwn(t *testing.T) {
	l := newLab(t)
	dir := t.TempDir()
	source := filepath.Join(dir, "app.py")
	write(t, source, "new code")
	check(t, os.Chmod(source, 0o640))
	check(t, os.Symlink("app.py", filepath.Join(dir, "link.py")))
	s := spec(l.image(t), "serve")
	s.Files = []emulator.File{
		{Source: source, Landing: emulator.Landing{To: "/app/deep/app.py", UID: 65532, GID: 10, Mode: 0o755}},
		{Source: source, Landing: emulator.Landing{To: "/plain.py"}},
		{Source: filepath.Join(dir, "link.py"), Landing: emulator.Landing{To: "/link.py"}},
	}
	c := l.start(t, s)
	_ = ask(t, c)
	header, content := l.fileIn(t, c, "/app/deep/app.py")
	if content != "new code" || header.Uid != 65532 || header.Gid != 10 || header.FileInfo().Mode().Perm() != 0o755 {
		t.Errorf("it is %q, of %d:%d, with mode %o", content, header.Uid, header.Gid, header.Mode)
	}
	header, content = l.fileIn(t, c, "/plain.py")
	if content != "new code" || header.Uid != 0 || header.FileInfo().Mode().Perm() != 0o640 {
		t.Errorf("it is %q, of %d, with mode %o", content, header.Uid, header.Mode)
	}
	if header, _ = l.fileIn(t, c, "/link.py"); header.Linkname != "app.py" {
		t.Errorf("the link became %+v", header)
	}
}

func TestAFileThatIsGoneMeanwhileStartsNothing(t *testing.T) {
	l := newLab(t)
	s := spec(l.image(t), "serve")
	s.Files = []emulator.File{{Source: filepath.Join(t.TempDir(), "gone.py"), Landing: emulator.Landing{To: "/app.py"}}}
	if _, err := l.Start(t.Context(), s); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
}
