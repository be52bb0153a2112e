package docker_test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestAnImageIsSavedAndComesBackWithoutAName(t *testing.T) {
	l := newLab(t)
	m := buildable(t, "FROM scratch", "COPY model /model", "ARG ONE", "LABEL one=$ONE", `ENTRYPOINT ["/model"]`)
	m.Build.Args = []merlin.EnvVar{{Name: "ONE", Value: l.session}} // nobody else's
	made, _, err := l.build(t, m)
	check(t, err)
	file, err := os.Create(filepath.Join(t.TempDir(), "image.tar"))
	check(t, err)
	defer file.Close()
	check(t, l.Save(t.Context(), made.ID, file))

	_, err = l.api.ImageRemove(t.Context(), made.ID, image.RemoveOptions{Force: true})
	check(t, err)
	if _, there, err := l.Find(t.Context(), made.ID); there || err != nil {
		t.Fatalf("it is still there: %t, %v", there, err)
	}
	id, err := l.Load(t.Context(), file)
	check(t, err)
	found, there, err := l.Find(t.Context(), id)
	check(t, err)
	if id != made.ID || !there || found.Architecture != made.Architecture || found.Size == 0 {
		t.Errorf("it came back as %s, %+v; it was %+v", id, found, made)
	}
	if _, named, _ := l.Find(t.Context(), made.Reference); named {
		t.Error("it has its name again, which could be another's by now")
	}
	c := l.start(t, spec(made))
	check(t, c.Remove(t.Context()))
	check(t, l.Forget(t.Context(), id))
	check(t, l.Forget(t.Context(), id)) // it is gone
	if _, there, _ := l.Find(t.Context(), id); there {
		t.Error("it stays")
	}
}

func TestAnImagesArchiveWithANameIsRefused(t *testing.T) {
	l := newLab(t)
	for name, member := range map[string][2]string{
		"the Engine's form": {"manifest.json", `[{"Config":"c.json","RepoTags":["acme/iris:v1"]}]`},
		"OCI's form":        {"index.json", `{"manifests":[{"annotations":{"io.containerd.image.name":"acme/iris:v1"}}]}`},
		"the oldest form":   {"repositories", `{"acme/iris":{"v1":"aa"}}`},
		"no archive":        {"", "not a tar"},
	} {
		var out bytes.Buffer
		if member[0] == "" {
			out.WriteString(strings.Repeat(member[1], 200))
		} else {
			archive := tar.NewWriter(&out)
			check(t, archive.WriteHeader(&tar.Header{Name: member[0], Size: int64(len(member[1])), Mode: 0o600}))
			_, err := archive.Write([]byte(member[1]))
			check(t, err)
			check(t, archive.Close())
		}
		if _, err := l.Load(t.Context(), bytes.NewReader(out.Bytes())); err == nil || !strings.Contains(err.Error(), "image's archive") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	if _, there, _ := l.Find(t.Context(), "acme/iris:v1"); there {
		t.Error("it was loaded")
	}
}
