package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sources are files to put into a bundle, by their names there.
func sources(t testing.TB, contents ...string) (members []Member) {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(contents); i += 2 {
		path := filepath.Join(dir, filepath.FromSlash(contents[i]))
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(contents[i+1]), 0o600))
		members = append(members, Member{contents[i], path})
	}
	return members
}

func TestABundleComesOutAsItWentIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "problem.tgz")
	large := strings.Repeat("weights ", 1<<17)
	m := Manifest{
		Made: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Note: "fails on Mondays",
		Model: Model{ID: "iris-1", FullName: "iris-1", Protocol: "HTTP_JSON"}, Image: Ran{ID: "sha256:aa"},
		Secrets: []string{"TOKEN"}, Artifact: []File{{Path: "model/weights.bin"}}, Asked: 1,
	}
	must(t, Create(t.Context(), path, &m, sources(t, Configuration, "model: iris\n", Requests, "{}\n", ArtifactDir+"model/weights.bin", large)))
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("it is %v, %v", info.Mode(), err)
	}
	file, err := os.Open(path)
	must(t, err)
	defer file.Close()
	dir := t.TempDir()
	got, err := Open(t.Context(), file, dir, Limits{})
	must(t, err)
	if !reflect.DeepEqual(*got, m) || len(m.Members) != 3 || !got.HasArtifact() || got.Has(Image) {
		t.Errorf("it says\n%+v\nwant\n%+v", *got, m)
	}
	text, err := os.ReadFile(filepath.Join(dir, "artifact", "model", "weights.bin"))
	if err != nil || string(text) != large {
		t.Errorf("the weights are %d bytes, %v", len(text), err)
	}
}

func TestABundleNeverReplacesAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.tgz")
	must(t, os.WriteFile(path, []byte("mine"), 0o600))
	if err := Create(t.Context(), path, &Manifest{}, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the error is %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("it is %q now", text)
	}
}

func TestABundleThatCannotBeMadeLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	for name, members := range map[string][]Member{
		"a file that is not there":  {{Requests, filepath.Join(dir, "none")}},
		"a name that no bundle has": sources(t, "passwords.txt", "x"),
	} {
		if err := Create(t.Context(), filepath.Join(dir, "b.tgz"), &Manifest{}, members); err == nil {
			t.Errorf("%s: there is no error", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Create(ctx, filepath.Join(dir, "b.tgz"), &Manifest{}, sources(t, Requests, "x")); !errors.Is(err, context.Canceled) {
		t.Errorf("the error of an interrupted one is %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

// entry is a member of an archive that somebody else made.
type entry struct {
	head tar.Header
	text string
}

func regular(name, text string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(text))}, text}
}

func sumOf(name, text string) File {
	sum := sha256.Sum256([]byte(text))
	return File{name, int64(len(text)), hex.EncodeToString(sum[:])}
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	a := tar.NewWriter(packed)
	for _, e := range entries {
		must(t, a.WriteHeader(&e.head))
		_, err := a.Write([]byte(e.text))
		must(t, err)
	}
	must(t, a.Close())
	must(t, packed.Close())
	return out.Bytes()
}

func manifest(t testing.TB, members ...File) entry {
	t.Helper()
	text, err := json.Marshal(Manifest{Format: Format, Members: members})
	must(t, err)
	return regular(ManifestName, string(text))
}

// hostile are archives that nobody should unpack, and what is said of each.
func hostile(t testing.TB) map[string]struct {
	archive []byte
	says    string
} {
	link := entry{head: tar.Header{Typeflag: tar.TypeSymlink, Name: Requests, Linkname: "/etc/passwd"}}
	whole := archive(t, manifest(t, sumOf(Requests, strings.Repeat("long", 5000))), regular(Requests, strings.Repeat("long", 5000)))
	type bad = struct {
		archive []byte
		says    string
	}
	return map[string]bad{
		"nothing":              {nil, "no bundle"},
		"a text":               {[]byte("model: iris"), "no bundle"},
		"no manifest":          {archive(t, regular(Requests, "{}")), "begins with"},
		"a later version's":    {archive(t, regular(ManifestName, `{"format": 2}`)), "has format 2"},
		"a garbled manifest":   {archive(t, regular(ManifestName, `{"format": 1, "members": 3}`)), "manifest"},
		"a path upwards":       {archive(t, manifest(t, sumOf("artifact/../../x", "x")), regular("artifact/../../x", "x")), "which no bundle has"},
		"an absolute path":     {archive(t, manifest(t, sumOf("/tmp/x", "x")), regular("/tmp/x", "x")), "which no bundle has"},
		"a path of Windows":    {archive(t, manifest(t, sumOf(`artifact/..\..\x`, "x"))), "which no bundle has"},
		"a drive of Windows":   {archive(t, manifest(t, sumOf(`artifact/C:x`, "x"))), "which no bundle has"},
		"another name":         {archive(t, manifest(t, sumOf("x.sh", "x"))), "which no bundle has"},
		"a link":               {archive(t, manifest(t, sumOf(Requests, "")), link), "the link"},
		"a file unnamed":       {archive(t, manifest(t), regular("artifact/x", "x")), "does not name"},
		"a name twice":         {archive(t, manifest(t, sumOf("artifact/A", "x"), sumOf("artifact/a", "x"))), "twice"},
		"another size":         {archive(t, manifest(t, sumOf(Requests, "{}")), regular(Requests, "{} ")), "has the file"},
		"other bytes":          {archive(t, manifest(t, sumOf(Requests, "{}")), regular(Requests, "[]")), "not as it was"},
		"too many bytes":       {archive(t, manifest(t, File{Path: Requests, Size: 1 << 50})), "more than"},
		"less than no bytes":   {archive(t, manifest(t, File{Path: Requests, Size: -1})), "more than"},
		"bytes past all count": {archive(t, manifest(t, File{Path: Requests, Size: 1 << 30}, File{Path: Events, Size: 1<<63 - 1})), "more than"},
		"one that was cut":     {whole[:len(whole)-30], "unexpected EOF"},
		"a missing member":     {archive(t, manifest(t, sumOf(Requests, ""))), "ends before"},
		"a file as a folder":   {archive(t, manifest(t, sumOf("artifact/a", "x"), sumOf("artifact/a/b", "x")), regular("artifact/a", "x"), regular("artifact/a/b", "x")), "unpack"},
	}
}

func TestAHostileBundleIsRefusedAndSaysWhy(t *testing.T) {
	for name, bad := range hostile(t) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "a", "b")
		must(t, os.MkdirAll(dir, 0o755))
		_, err := Open(t.Context(), bytes.NewReader(bad.archive), dir, Limits{Bytes: 1 << 40})
		if err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: the error is %v, not %q", name, err, bad.says)
		}
		if outside, _ := filepath.Glob(filepath.Join(parent, "*")); len(outside) != 1 {
			t.Errorf("%s: it wrote %q", name, outside)
		}
	}
}

// forever is a member that never ends.
type forever struct{}

func (forever) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestABundleThatIsABombIsNotUnpacked(t *testing.T) {
	in, out := io.Pipe()
	go func() {
		packed := gzip.NewWriter(out)
		a := tar.NewWriter(packed)
		m := manifest(t, sumOf(Requests, "{}"))
		_ = a.WriteHeader(&m.head)
		_, _ = a.Write([]byte(m.text))
		_ = a.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: Requests, Size: 1 << 40})
		_, err := io.Copy(a, forever{})
		out.CloseWithError(err)
	}()
	dir := t.TempDir()
	_, err := Open(t.Context(), in, dir, Limits{})
	in.Close()
	if err == nil || !strings.Contains(err.Error(), "of 2 bytes") {
		t.Errorf("the error is %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it unpacked %v", left)
	}
}

func FuzzOpen(f *testing.F) {
	for _, bad := range hostile(f) {
		f.Add(bad.archive)
	}
	f.Add(archive(f, manifest(f, sumOf("artifact/x/y", "x"), sumOf(Image, "")), regular("artifact/x/y", "x"), regular(Image, "")))
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "in")
		must(t, os.Mkdir(dir, 0o755))
		_, _ = Open(t.Context(), bytes.NewReader(data), dir, Limits{Bytes: 1 << 20, Files: 10})
		if outside, _ := os.ReadDir(parent); len(outside) != 1 {
			t.Errorf("it wrote %v", outside)
		}
	})
}
