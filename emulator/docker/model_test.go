package docker_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// model is one without anything that runs it.
func model() *emulator.Model {
	return &emulator.Model{Deployment: merlin.Deployment{
		Project: "fruits", Model: "apple", Version: "3", Protocol: merlin.HTTPJSON,
	}}
}

// buildable is a model with a build context of its own. Without lines its image is the
// test's model and nothing else.
func buildable(t *testing.T, dockerfile ...string) *emulator.Model {
	t.Helper()
	if len(dockerfile) == 0 {
		dockerfile = []string{"FROM scratch", "COPY model /model", `ENTRYPOINT ["/model"]`}
	}
	dir := t.TempDir()
	check(t, os.Link(modelBinary(t), filepath.Join(dir, "model")))
	write(t, filepath.Join(dir, "Dockerfile"), labelled(dockerfile))
	m := model()
	m.Build = &emulator.Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}
	return m
}

// labelled puts the run's label into every stage of a Dockerfile.
func labelled(lines []string) string {
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(line + "\n")
		if strings.HasPrefix(line, "FROM ") {
			fmt.Fprintf(&text, "LABEL %s=%s\n", labelRun, run())
		}
	}
	return text.String()
}

func spec(image emulator.Image, args ...string) emulator.ContainerSpec {
	return emulator.ContainerSpec{Model: model(), Revision: 1, Image: image, Args: args, Port: 8080, Hostname: "apple-3-pod"}
}

// binaryFolder is where modelBinary puts its file, until the last test is over.
var binaryFolder = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "merlin-local-docker-test-")
	if err != nil {
		panic(err)
	}
	return dir
})

var builtModel = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryFolder(), "model")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "./testdata/model")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return path, nil
})

// modelBinary is the program of testdata/model, built once.
func modelBinary(t *testing.T) string {
	t.Helper()
	path, err := builtModel()
	check(t, err)
	return path
}
