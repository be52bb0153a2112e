package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

var update = flag.Bool("update", false, "write the golden files anew")

// repo makes a model repo with these files; a name that ends in / is a folder.
func repo(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "My_Iris Model")
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			must(t, os.MkdirAll(path, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(content), 0o644))
	}
	must(t, os.MkdirAll(dir, 0o755))
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func loadFrom(t *testing.T, dir string, flags Overrides) *File {
	t.Helper()
	f, err := Load(Options{Dir: dir, Overrides: flags})
	must(t, err)
	return f
}

// loadText loads a file with this content, with a Dockerfile beside it.
func loadText(t testing.TB, content string) (*File, error) {
	t.Helper()
	return Load(Options{Dir: repo(t, map[string]string{FileName: content, "Dockerfile": "FROM scratch"})})
}

// model loads a file of one model.
func model(t *testing.T, content string) emulator.Model {
	t.Helper()
	f, err := loadText(t, content)
	must(t, err)
	if len(f.Models) != 1 {
		t.Fatalf("got %d models, want 1", len(f.Models))
	}
	return f.Models[0]
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if got != string(want) {
		t.Errorf("differs from %s (go test -update writes it anew): %s", path, firstDifference(got, string(want)))
	}
}

func TestARepoWithADockerfileNeedsNoFile(t *testing.T) {
	dir := repo(t, map[string]string{"Dockerfile": "FROM scratch"})
	f := loadFrom(t, dir, Overrides{})
	m := f.Models[0]
	want := merlin.Deployment{
		Project: "local", Model: "my-iris-model", Version: "1", Protocol: merlin.HTTPJSON,
		DeploymentMode: merlin.Serverless, Platform: merlin.DefaultPlatform(),
	}
	equal(t, m.Deployment, want)
	equal(t, m.Build, &emulator.Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")})
	if m.Timeout != 300*time.Second || m.ModelDir != "" || f.Path != "" || f.Dir != dir {
		t.Errorf("got timeout %s, model_dir %q, path %q, dir %q", m.Timeout, m.ModelDir, f.Path, f.Dir)
	}
}

func TestAnImageNeedsNoRepo(t *testing.T) {
	f := loadFrom(t, repo(t, nil), Overrides{Image: "ghcr.io/acme/Iris_Scorer:v1"})
	m := f.Models[0]
	if m.ID() != "iris-scorer-1" || m.Build != nil || m.Deployment.Image != "ghcr.io/acme/Iris_Scorer:v1" {
		t.Errorf("got %+v", m)
	}
}

func TestNothingToRunSaysTheThreeWaysOn(t *testing.T) {
	dir := repo(t, nil)
	_, err := Load(Options{Dir: dir})
	wantText(t, err, "nothing to run, as "+dir+" has no Dockerfile", "write one", "--image", "exec")
}

func TestAFileThatIsAskedForMustExist(t *testing.T) {
	_, err := Load(Options{Dir: repo(t, nil), Path: "other.yaml"})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestPathsAreRelativeToTheFileAndThoseOfFlagsToTheFolder(t *testing.T) {
	dir := repo(t, map[string]string{
		"sub/m.yaml": "exec: run\nmodel_dir: a\n", "sub/a/": "", "b/": "",
	})
	f, err := Load(Options{Dir: dir, Path: "sub/m.yaml"})
	must(t, err)
	equal(t, f.Models[0].ModelDir, filepath.Join(dir, "sub", "a"))
	equal(t, f.Models[0].Dir, filepath.Join(dir, "sub"))

	f, err = Load(Options{Dir: dir, Path: "sub/m.yaml", Overrides: Overrides{ModelDir: "b"}})
	must(t, err)
	equal(t, f.Models[0].ModelDir, filepath.Join(dir, "b"))
}

func TestAnImageBesideABuildIsProductionsName(t *testing.T) {
	m := model(t, "image: ghcr.io/acme/iris:v1\nbuild: {}\n")
	if m.Build == nil || m.Deployment.Image != "ghcr.io/acme/iris:v1" {
		t.Errorf("got %+v", m)
	}
	if m := model(t, "image: ghcr.io/acme/iris:v1\n"); m.Build != nil {
		t.Errorf("a Dockerfile beside a named image is not built, got %+v", m.Build)
	}
}

func TestSeveralModelsShareWhatStandsBesideThem(t *testing.T) {
	f, err := loadText(t, `
project: shared
port: 8090
team: t
labels: {a: 1, b: 2}
platform: {domain: a.example, max_cpu: 4}
models:
  - {model: one, image: x}
  - {model: two, image: y, project: own, team: null, labels: [{key: b, value: 3}, {key: c, value: 4}], platform: {max_cpu: 8}}
`)
	must(t, err)
	one, two := f.Models[0].Deployment, f.Models[1].Deployment
	if f.Port != 8090 || one.Project != "shared" || two.Project != "own" || two.Team != "t" {
		t.Errorf("got %+v and %+v", one, two)
	}
	equal(t, one.Labels, []merlin.Label{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}})
	equal(t, two.Labels, []merlin.Label{{Key: "a", Value: "1"}, {Key: "b", Value: "3"}, {Key: "c", Value: "4"}})
	if p := two.Platform; p.Domain != "a.example" || p.MaxCPU != "8" {
		t.Errorf("got %+v", p)
	}
}

func TestResourcesAreTheUsersOrThePlatformsAsAWhole(t *testing.T) {
	for _, c := range []struct {
		yaml string
		want *merlin.ResourceRequest
	}{
		{"", nil},
		{"resource_request:", nil},
		{`resource_request: {cpu_request: "", memory_request: '', min_replica: 1}`, nil},
		{`resource_request: {cpu_request: ""}`, &merlin.ResourceRequest{CPURequest: "500m", MemoryRequest: "500Mi", MaxReplica: 1}},
		{"resource_request: {max_replica: 3}", &merlin.ResourceRequest{CPURequest: "500m", MemoryRequest: "500Mi", MaxReplica: 3}},
		{"resource_request: {cpu_request: 1.50, cpu_limit: 0}", &merlin.ResourceRequest{CPURequest: "1.50", CPULimit: "0", MemoryRequest: "500Mi", MaxReplica: 1}},
	} {
		equal(t, model(t, c.yaml).Deployment.ResourceRequest, c.want)
	}
}

func TestOnlyAWrittenMinimumOfZeroScalesToZero(t *testing.T) {
	for yaml, want := range map[string]struct {
		least, most int
		toZero      bool
	}{
		"":                                   {0, 0, false},
		"resource_request: {max_replica: 3}": {0, 3, false},
		"resource_request: {min_replica: , max_replica: 3}": {0, 3, false},
		"resource_request: {min_replica: 0}":                {0, 1, true},
		"resource_request: {min_replica: 0, max_replica: 3}\nautoscaling_policy: {metrics_type: rps, target_value: 5}":             {0, 3, true},
		"resource_request: {min_replica: 0, max_replica: 3}\nautoscaling_policy: {metrics_type: cpu_utilization, target_value: 5}": {0, 3, false},
		"resource_request: {min_replica: 0, max_replica: 3}\ndeployment_mode: raw_deployment":                                      {0, 3, false},
		"resource_request: {min_replica: 2, max_replica: 4}":                                                                       {2, 4, false},
	} {
		m := model(t, yaml)
		if m.Replicas != want.least || m.MaxReplicas != want.most || m.ScaleToZero != want.toZero {
			t.Errorf("%q: got %d to %d, to zero %t", yaml, m.Replicas, m.MaxReplicas, m.ScaleToZero)
		}
	}
}

func TestEveryKeyHasAMeaning(t *testing.T) {
	f, err := Load(Options{Path: filepath.Join("testdata", "full.yaml")})
	must(t, err)
	golden(t, "full.golden", portable(t, dump(t, f.Port, f.Capture, f.Compare[0], f.Models[0])))
	src, err := os.ReadFile(filepath.Join("testdata", "full.yaml"))
	must(t, err)
	tree, _ := parse(src, &report{})
	everyKey(t, modelSpec(withPort), tree, "")
}

// everyKey looks for each key of the table in a tree.
func everyKey(t *testing.T, s *spec, n *node, path string) {
	for _, k := range s.keys {
		here := join(path, k.name)
		found := n.lookup(k.name)
		for _, item := range n.items {
			if v := item.lookup(k.name); v != nil {
				found = v
			}
		}
		switch {
		case found == nil:
			t.Errorf("full.yaml has no %s", here)
		case k.spec.form&formKeys != 0:
			everyKey(t, &k.spec, found, here)
		case found.shape == sequence && k.spec.items.form&formKeys != 0:
			everyKey(t, k.spec.items, found, here)
		}
	}
}
