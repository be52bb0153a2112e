package artifact_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/artifact"
)

func write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func files(t *testing.T, folder string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if relative, _ := filepath.Rel(folder, path); relative != "." {
			all = append(all, filepath.ToSlash(relative))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheContentOfModelDirIsStagedNotTheFolder(t *testing.T) {
	model := t.TempDir()
	write(t, filepath.Join(model, "weights.json"), "{}", 0o600)
	write(t, filepath.Join(model, "sub", "deep", ".hidden"), "x", 0o755)
	if err := os.Mkdir(filepath.Join(model, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	folder, remove, err := artifact.Stager{Root: filepath.Join(t.TempDir(), "new")}.Stage(t.Context(), model, []byte("image = i\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"model.properties", "sub", "sub/deep", "sub/deep/.hidden", "weights.json"}
	if got := files(t, folder); !slices.Equal(got, want) {
		t.Errorf("staged %v, want %v", got, want)
	}
	if text, _ := os.ReadFile(filepath.Join(folder, "model.properties")); string(text) != "image = i\n" {
		t.Errorf("model.properties is %q", text)
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestWithoutModelDirThePropertiesStandAlone(t *testing.T) {
	folder, _, err := artifact.Stager{Root: t.TempDir()}.Stage(t.Context(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := files(t, folder); !slices.Equal(got, []string{"model.properties"}) {
		t.Errorf("staged %v", got)
	}
}

func TestModesAreThoseOfADownload(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: Windows has no such modes")
	}
	model := t.TempDir()
	write(t, filepath.Join(model, "sub", "run.sh"), "#!/bin/sh", 0o700)
	folder, _, err := artifact.Stager{Root: t.TempDir()}.Stage(t.Context(), model, nil)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{".": 0o755, "sub": 0o755, "sub/run.sh": 0o644} {
		info, err := os.Stat(filepath.Join(folder, path))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s is %o, want %o", path, got, want)
		}
	}
}

func TestLinksAreStagedAsAnUploadTakesThem(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "big.bin"), "weights", 0o644)
	model := t.TempDir()
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(model, name)); err != nil {
			t.Skipf("SKIPPED: no links on this machine: %v", err)
		}
	}
	link(filepath.Join(outside, "big.bin"), "model.bin")
	link(outside, "folder")
	folder, _, err := artifact.Stager{Root: t.TempDir()}.Stage(t.Context(), model, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := files(t, folder); !slices.Equal(got, []string{"model.bin", "model.properties"}) {
		t.Errorf("staged %v", got)
	}
	info, err := os.Lstat(filepath.Join(folder, "model.bin"))
	if err != nil || !info.Mode().IsRegular() {
		t.Errorf("model.bin is %v, %v: want a file", info.Mode(), err)
	}
}

func TestWhatCannotBeReadLeavesNothingBehind(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	model := t.TempDir()
	write(t, filepath.Join(model, "a"), "a", 0o644)
	dangling := t.TempDir()
	if err := os.Symlink(filepath.Join(dangling, "nowhere"), filepath.Join(dangling, "link")); err != nil {
		t.Skipf("SKIPPED: no links on this machine: %v", err)
	}
	for name, c := range map[string]struct {
		ctx context.Context
		dir string
	}{
		"missing":       {context.Background(), filepath.Join(model, "nope")},
		"dangling link": {context.Background(), dangling},
		"cancelled":     {cancelled, model},
	} {
		root := t.TempDir()
		if _, _, err := (artifact.Stager{Root: root}).Stage(c.ctx, c.dir, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := files(t, root); len(got) > 0 {
			t.Errorf("%s: left %v", name, got)
		}
	}
}

func TestTheUsersFilesAreNotWrittenTo(t *testing.T) {
	model := t.TempDir()
	write(t, filepath.Join(model, "model.properties"), "mine", 0o600)
	folder, _, err := artifact.Stager{Root: t.TempDir()}.Stage(t.Context(), model, []byte("generated"))
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(filepath.Join(folder, "model.properties")); string(text) != "generated" {
		t.Errorf("staged %q", text)
	}
	info, err := os.Stat(filepath.Join(model, "model.properties"))
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(filepath.Join(model, "model.properties")); string(text) != "mine" || info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		t.Errorf("the user's file is now %q, %v", text, info.Mode())
	}
}
