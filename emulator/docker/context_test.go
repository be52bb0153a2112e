package docker

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator"
)

// packed is what the classic builder would be sent of a folder, by name.
func packed(t *testing.T, b *emulator.Build) (dockerfile string, contents map[string]string) {
	t.Helper()
	p, err := packContext(b)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := p.write(t.Context(), &archive); err != nil {
		t.Fatal(err)
	}
	contents = map[string]string{}
	for reader := tar.NewReader(&archive); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return p.dockerfile, contents
		} else if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || header.Gid != 0 {
			t.Errorf("%s belongs to %d:%d", header.Name, header.Uid, header.Gid)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := contents[header.Name]; twice {
			t.Errorf("%s is there twice", header.Name)
		}
		if header.Typeflag == tar.TypeReg {
			contents[header.Name] = string(content)
		}
	}
}

func TestTheClassicBuilderIsSentWhatIsNotIgnored(t *testing.T) {
	for _, test := range []struct {
		name       string
		files      map[string]string
		dockerfile string
		want       []string
	}{
		{"all", nil, "Dockerfile", []string{"Dockerfile", "data/a", "data/b", "data/deep/c"}},
		{
			"all but what a pattern names",
			map[string]string{".dockerignore": "**/a\n# b\n/data/deep\n"},
			"Dockerfile",
			[]string{".dockerignore", "Dockerfile", "data/b"},
		},
		{
			"what a negation brings back",
			map[string]string{".dockerignore": "data\n!data/deep/c\n"},
			"Dockerfile",
			[]string{".dockerignore", "Dockerfile", "data/deep/c"},
		},
		{
			"the Dockerfile and the ignore file though they are ignored",
			map[string]string{".dockerignore": "*\n!data/a\n"},
			"Dockerfile",
			[]string{".dockerignore", "Dockerfile", "data/a"},
		},
		{
			"by the Dockerfile's own ignore file",
			map[string]string{
				".dockerignore": "data/a\n", "build/apple.Dockerfile": "FROM scratch", "build/apple.Dockerfile.dockerignore": "data/b\nbuild\n",
			},
			"build/apple.Dockerfile",
			[]string{".dockerignore", "Dockerfile", "build/apple.Dockerfile", "data/a", "data/deep/c"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range []string{"Dockerfile", "data/a", "data/b", "data/deep/c"} {
				put(t, filepath.Join(dir, name), name)
			}
			for name, content := range test.files {
				put(t, filepath.Join(dir, name), content)
			}
			dockerfile, contents := packed(t, &emulator.Build{Context: dir, Dockerfile: filepath.Join(dir, test.dockerfile)})
			if got := names(contents); dockerfile != test.dockerfile || !slices.Equal(got, test.want) {
				t.Errorf("%s and %q are sent, want %q", dockerfile, got, test.want)
			}
		})
	}
}

func TestADockerfileFromOutsideIsSentUnderAHiddenName(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "Dockerfile")
	put(t, filepath.Join(dir, "Dockerfile"), "another")
	put(t, filepath.Join(dir, ".dockerignore"), "b")
	put(t, filepath.Join(dir, "a"), "a")
	put(t, filepath.Join(dir, "b"), "b")
	put(t, outside, "FROM scratch")
	dockerfile, contents := packed(t, &emulator.Build{Context: dir, Dockerfile: outside})
	if want := []string{".dockerignore", outsideName, "Dockerfile", "a"}; !slices.Equal(names(contents), want) {
		t.Errorf("%q are sent, want %q", names(contents), want)
	}
	if contents[dockerfile] != "FROM scratch" || contents["Dockerfile"] != "another" {
		t.Errorf("%s is %q", dockerfile, contents[dockerfile])
	}
	if contents[".dockerignore"] != "b\n"+outsideName+"\n" {
		t.Errorf("the ignore file is %q", contents[".dockerignore"])
	}
}

func names(contents map[string]string) []string {
	names := make([]string, 0, len(contents))
	for name := range contents {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
