package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad holds for any bytes: a mistake has a place in the file, and what loads
// is sound enough to name a model.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"full.yaml", "mistakes.yaml", "accepted.yaml", "refused.yaml", "beyond-schema.yaml"} {
		src, err := os.ReadFile(filepath.Join("testdata", name))
		must(f, err)
		for part := range bytes.SplitSeq(src, []byte("---\n")) {
			f.Add(part)
		}
	}
	f.Add([]byte("a: &a [*a]\n<<: *a\n? [b]\n: !!x {c: \"\\u12\", *a : |\n"))
	dir := repo(f, map[string]string{"Dockerfile": "FROM scratch"})
	f.Fuzz(func(t *testing.T, src []byte) {
		file := &File{Path: filepath.Join(dir, FileName), Dir: dir, name: FileName}
		err := file.load(src, Options{Dir: dir})
		if err == nil {
			sound(t, file)
			return
		}
		var all Errors
		if !errors.As(err, &all) || len(all) == 0 {
			t.Fatalf("got %T: %v", err, err)
		}
		for _, e := range all {
			if e.File != FileName || e.Line < 1 || e.Column < 1 || e.Message == "" {
				t.Errorf("a mistake without a place: %#v", e)
			}
		}
	})
}

func sound(t *testing.T, file *File) {
	if len(file.Models) == 0 {
		t.Fatal("no model and no error")
	}
	for i, m := range file.Models {
		d := m.Deployment
		if !dnsLabel(maxModelName).accepts(d.Model) || !positiveInteger().accepts(d.Version) || m.Timeout <= 0 {
			t.Errorf("model %d: %+v", i, m)
		}
		if m.Build == nil && d.Image == "" && m.Exec == "" {
			t.Errorf("model %d has nothing to run", i)
		}
	}
}
