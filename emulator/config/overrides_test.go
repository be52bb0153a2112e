package config

import (
	"path/filepath"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestFlagsWinOverTheFile(t *testing.T) {
	dir := repo(t, map[string]string{FileName: `
project: a
model: b
version: 1
protocol: HTTP_JSON
command: c
args: d
port: 1
env_vars: [{name: A, value: 1}, {name: B, value: 2}, {name: A, value: 3}]
build: {}
exec: serve
`, "Dockerfile": ""})
	none := ""
	f := loadFrom(t, dir, Overrides{
		Project: "p", Model: "m", Version: "7", Protocol: "UPI_V1", Image: "img", Port: 9,
		Command: &none, Args: &none, Env: []merlin.EnvVar{{Name: "A", Value: "1.10"}, {Name: "C", Value: ""}},
	})
	m := f.Models[0]
	d := m.Deployment
	if d.Project != "p" || m.ID() != "m-7" || d.Protocol != merlin.UPIV1 || f.Port != 9 || d.Command != "" || d.Args != "" {
		t.Errorf("got %+v", d)
	}
	equal(t, d.EnvVars, []merlin.EnvVar{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}, {Name: "A", Value: "1.10"}, {Name: "C"}})
	if d.Image != "img" || m.Build != nil || m.Exec != "" {
		t.Errorf("an image by flag is run as it is, got %+v", m)
	}
}

func TestAMistakeInAFlagNamesTheFlag(t *testing.T) {
	dir := repo(t, map[string]string{"Dockerfile": ""})
	_, err := Load(Options{Dir: dir, Overrides: Overrides{
		Protocol: "GRPC", Version: "0", ModelDir: "none", Port: -1, Env: []merlin.EnvVar{{Name: "PORT"}, {Name: "1x"}},
	}})
	wantText(t, err,
		`--protocol: "GRPC" is not known`, `--version: "0" is not allowed`, "--port: \"-1\" is out of range",
		"--model-dir: no such folder: "+filepath.Join(dir, "none"), "--env: PORT is Knative's own", `--env: "1x" is no name`)
}

func TestAFlagForOneModelIsRefusedForSeveral(t *testing.T) {
	dir := repo(t, map[string]string{FileName: "models: [{model: a, image: x}, {model: b, image: y}]"})
	_, err := Load(Options{Dir: dir, Overrides: Overrides{Image: "z", Project: "p"}})
	wantText(t, err, "--image: which of the 2 models is meant?")
	if f := loadFrom(t, dir, Overrides{Project: "p"}); f.Models[1].Deployment.Project != "p" {
		t.Errorf("got %+v", f.Models[1].Deployment)
	}
}
