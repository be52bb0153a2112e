//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dockerfile makes an image of the fake model and nothing else.
const dockerfile = `FROM scratch
COPY fakemodel /fakemodel
ENTRYPOINT ["/fakemodel"]
`

// modelRepo is a repo with a Dockerfile and the program that it copies.
func modelRepo(t *testing.T, config string, files ...string) *lab {
	t.Helper()
	content := map[string]string{"merlin-local.yaml": config, "Dockerfile": dockerfile, ".dockerignore": "*\n!fakemodel\n"}
	for i := 0; i < len(files); i += 2 {
		content[files[i]] = files[i+1]
	}
	l := newLab(t, "", content)
	program, err := fakemodel()
	check(t, err)
	check(t, os.Link(program, filepath.Join(l.repo, "fakemodel")))
	return l
}

// prebuilt gives an image that is there already, and an empty folder.
func prebuilt(t *testing.T) (l *lab, image string) {
	t.Helper()
	builder := modelRepo(t, "model: prebuilt\n")
	builder.up()
	image = builder.status().Models[0].ImageID
	builder.must("down")
	return newLab(t, "", nil), image
}

// container is what the Engine says of one.
type container struct {
	ID     string
	Config struct {
		Env, Entrypoint, Cmd   []string
		Hostname               string
		Labels                 map[string]string
		OpenStdin, AttachStdin bool
	}
	HostConfig struct {
		Memory, MemorySwap, CPUPeriod, CPUQuota int64
		Privileged                              bool
		PortBindings                            map[string][]struct{ HostIP string }
		RestartPolicy                           struct{ Name string }
	}
	Mounts []struct {
		Type, Source, Destination string
		RW                        bool
	}
}

// inspect asks the Engine about the one container of the session.
func (l *lab) inspect() container {
	l.t.Helper()
	var c container
	check(l.t, l.call(http.MethodGet, "/containers/"+l.status().Models[0].ContainerID+"/json", &c))
	return c
}

const fullConfig = `
project: fruits
model: apple
version: 3
revision: 2
model_dir: artifact
command: /fakemodel -gate
args: "$(GATE) "
env_vars:
  GATE: /mnt/models/weights.bin
  GREETING: "hello $(GATE) $(NOBODY)"
  DB_PASSWORD: replaced
  CARAML_MODEL_NAME: not-mine
secrets:
  - { mlp_secret_name: db, env_var_name: DB_PASSWORD }
platform:
  default_env_vars_without_cpu_limits: { WORKERS: 1 }
  user_container_cpu_limit_request_factor: 0
resource_request:
  cpu_request: 250m
  memory_request: 100Mi
`

func TestARunningContainerIsAsInProduction(t *testing.T) {
	l := modelRepo(t, fullConfig,
		"artifact/weights.bin", "1 2 3", "artifact/deep/er.txt", "below")
	l.env = append(l.env, "DB_PASSWORD=s3cret")
	l.up()
	got := l.inspect()

	var wanted []struct{ Name, Value string }
	check(t, json.Unmarshal([]byte(l.must("env", "--format", "json", "--show-secrets")), &wanted))
	if len(got.Config.Env) < len(wanted) {
		t.Fatalf("the variables are %q", got.Config.Env)
	}
	for i, v := range wanted {
		if got.Config.Env[i] != v.Name+"="+v.Value {
			t.Errorf("variable %d is %q, not %s=%s", i, got.Config.Env[i], v.Name, v.Value)
		}
	}
	for _, image := range got.Config.Env[len(wanted):] { // the image's own, and those alone
		if !strings.HasPrefix(image, "PATH=") {
			t.Errorf("an unknown variable: %s", image)
		}
	}
	same(t, "entrypoint", got.Config.Entrypoint, []string{"/fakemodel", "-gate"})
	same(t, "cmd", got.Config.Cmd, []string{"/mnt/models/weights.bin", ""})
	limits := []int64{got.HostConfig.Memory, got.HostConfig.MemorySwap, got.HostConfig.CPUPeriod, got.HostConfig.CPUQuota}
	same(t, "memory, swap, period and quota", limits, []int64{200 << 20, 200 << 20, 100_000, 800_000})
	if !regexp.MustCompile(`^apple-3-r2-predictor-00001-deployment-[a-z0-9]{9}-[a-z0-9]{5}$`).MatchString(got.Config.Hostname) {
		t.Errorf("the hostname is %q", got.Config.Hostname)
	}
	for label, value := range map[string]string{"session": l.session.ID, "project": "fruits", "model": "apple-3", "revision": "1"} {
		if is := got.Config.Labels["dev.merlin-local."+label]; is != value {
			t.Errorf("the label %s is %q, not %q", label, is, value)
		}
	}
	if got.Config.OpenStdin || got.Config.AttachStdin || got.HostConfig.Privileged || got.HostConfig.RestartPolicy.Name != "no" {
		t.Errorf("stdin, privileges or restarts: %+v %+v", got.Config, got.HostConfig)
	}
	if m := got.Mounts; len(m) != 1 || m[0].Destination != "/mnt/models" || m[0].RW || m[0].Type != "bind" {
		t.Errorf("the mounts are %+v", m)
	}
	l.must("down")
	l.nothingLeft()
}

// self is what the fake model sees of its place.
type self struct {
	Args           []string
	Hostname       string
	Files          map[string]string
	StdinClosed    bool `json:"stdin_closed"`
	ArtifactWrites bool `json:"artifact_writable"`
}

func TestTheModelSeesItsPlaceAsInProduction(t *testing.T) {
	l := modelRepo(t, "model: apple\nmodel_dir: artifact\nargs: -old-names\n", "artifact/weights.bin", "1 2 3")
	l.up()
	var seen self
	check(t, json.Unmarshal([]byte(l.get("/self")), &seen))
	if !seen.StdinClosed || seen.ArtifactWrites {
		t.Errorf("stdin closed: %v, the artifact can be written: %v", seen.StdinClosed, seen.ArtifactWrites)
	}
	if seen.Hostname != l.inspect().Config.Hostname || len(seen.Hostname) > 63 {
		t.Errorf("its hostname is %q", seen.Hostname)
	}
	same(t, "arguments", seen.Args, []string{"-old-names"})
	image := l.status().Models[0].Image
	properties := fmt.Sprintf("image = %s\ncommand = \nargs = -old-names", image)
	if seen.Files["weights.bin"] != "1 2 3" || strings.TrimSpace(seen.Files["model.properties"]) != properties {
		t.Errorf("/mnt/models holds %q, wanted model.properties %q", seen.Files, properties)
	}
	if _, err := os.Stat(filepath.Join(l.repo, "artifact", "model.properties")); err == nil {
		t.Error("the user's own folder was written to")
	}
}

func TestAnImageServesFromAnEmptyFolder(t *testing.T) {
	l, image := prebuilt(t)
	out := l.up("--image", image, "--model", "iris", "--args", "-old-names") // as Merlin's own examples read
	contains(t, out, "ready in", "curl http://127.0.0.1:", "/v1/models/iris-1:predict")
	contains(t, l.must("predict", "-d", `{"instances": [1]}`), `"model":"iris-1"`, `"instances":[1]`)
	contains(t, l.must("logs"), "serving iris-1 on port 8080")
	m := l.status().Models[0]
	if m.ImageID != image || len(m.ContainerID) != 64 || m.Reach == "" || m.StartedAt == nil || m.ReadyAt == nil {
		t.Errorf("the model is %+v", m)
	}
	l.must("down")
	l.nothingLeft()
	entries, err := os.ReadDir(l.repo)
	check(t, err)
	if len(entries) > 0 {
		t.Errorf("left in the folder: %v", entries)
	}
}

func TestAUPIImageAnswersGRPCAndMetricsOnOnePort(t *testing.T) {
	l, image := prebuilt(t)
	contains(t, l.up("--image", image, "--model", "eta", "--protocol", "UPI_V1"), "grpcurl -plaintext")
	answer := l.must("predict", "-d", `{"target_name": "eta", "prediction_table": {"rows": [{"row_id": "a", "values": [{"double_value": 1.5}]}]}}`)
	contains(t, answer, `"targetName": "eta"`, `"rowId": "a"`, `"doubleValue": 1.5`)
	contains(t, l.get("/metrics"), "predictions_total 1")
	contains(t, l.must("logs"), "on port 9000")
}

func TestAPublishedPortIsOnLoopbackAlone(t *testing.T) {
	l, image := prebuilt(t)
	l.up("--image", image, "--model", "iris", "--reach", "published")
	contains(t, l.must("predict", "-d", "{}"), `"model":"iris-1"`)
	if m := l.status().Models[0]; m.Reach != "published" || !strings.HasPrefix(m.Replica, "127.0.0.1:") {
		t.Errorf("reached %s at %s", m.Reach, m.Replica)
	}
	bindings := l.inspect().HostConfig.PortBindings
	if b := bindings["8080/tcp"]; len(bindings) != 1 || len(b) != 1 || b[0].HostIP != "127.0.0.1" {
		t.Errorf("published: %+v", bindings)
	}
}

func same[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, wanted %v", what, got, want)
	}
}
