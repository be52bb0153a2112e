package main

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var updateTemplates = flag.Bool("update-templates", false, "write templates.txtar anew")

// notInNewRepos is what the samples have for the model that they train, for their own
// reader, and from being built.
var notInNewRepos = []string{
	"README.md", "data", "train", "train.py", "make_data.py", "test_train.py",
	"bin", "__pycache__", ".venv", ".env",
}

// sampleArchive is what the archive of the templates has to be.
func sampleArchive(t *testing.T) []byte {
	t.Helper()
	archive := &txtar.Archive{Comment: []byte("Made of sample-models by `go generate ./cmd/merlin-local`: do not edit.\n")}
	for _, template := range templates() {
		root := filepath.Join("..", "..", "sample-models", template.sample)
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && slices.Contains(notInNewRepos, entry.Name()):
				return fs.SkipDir
			case entry.IsDir() || slices.Contains(notInNewRepos, entry.Name()):
				return nil
			}
			content, err := os.ReadFile(path)
			name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
			archive.Files = append(archive.Files, txtar.File{Name: template.name + "/" + name, Data: content})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	text := txtar.Format(archive)
	for i, f := range txtar.Parse(text).Files {
		if want := archive.Files[i]; f.Name != want.Name || string(f.Data) != string(want.Data) {
			t.Fatalf("%s does not survive this archive: end it with a line break, and have no line like -- name --", want.Name)
		}
	}
	return text
}

func TestTheTemplatesAreTheSampleModels(t *testing.T) {
	want := sampleArchive(t)
	if *updateTemplates {
		if err := os.WriteFile("templates.txtar", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(templateArchive) != string(want) {
		t.Error("templates.txtar differs from sample-models: run `go generate ./cmd/merlin-local`")
	}
}

func TestANewRepoHasTheSampleNamesNowhere(t *testing.T) {
	for _, template := range templates() {
		files := template.files("my-model")
		if len(files) < 8 {
			t.Errorf("%s has only %d files", template.name, len(files))
		}
		for _, f := range files {
			if strings.Contains(string(f.Data), template.sample) {
				t.Errorf("%s: %s has the sample's name", template.name, f.Name)
			}
			if f.Name == "merlin-local.yaml" && !strings.Contains(string(f.Data), "\nmodel: my-model\n") {
				t.Errorf("%s: the model is not named:\n%s", template.name, f.Data)
			}
			if f.Name == "go.mod" && !strings.HasPrefix(string(f.Data), "module example.com/my-model\n") {
				t.Errorf("%s: the module is not named:\n%s", template.name, f.Data)
			}
		}
	}
}
