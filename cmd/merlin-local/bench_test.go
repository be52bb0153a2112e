package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkUntilTheFirst200 measures how long `up` takes from its start to the
// model's first answer through the port, beside `docker run` of the same image asked
// at the container's own address, turn by turn in one run. It needs the docker CLI,
// for comparison only, and an image in MERLIN_LOCAL_BENCH_IMAGE that serves HTTP_JSON
// without an artifact:
//
//	make bench-ready
func BenchmarkUntilTheFirst200(b *testing.B) {
	image := os.Getenv("MERLIN_LOCAL_BENCH_IMAGE")
	if image == "" {
		b.Skip("SKIPPED: MERLIN_LOCAL_BENCH_IMAGE names no image: run `make bench-ready`")
	}
	binary := filepath.Join(b.TempDir(), "merlin-local")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	var ours, theirs []time.Duration
	for b.Loop() {
		theirs = append(theirs, dockerRun(b, image))
		ours = append(ours, mlUp(b, binary, image))
	}
	b.ReportMetric(float64(median(ours).Milliseconds()), "ms/up")
	b.ReportMetric(float64(median(theirs).Milliseconds()), "ms/docker-run")
	b.ReportMetric(float64(median(ours))/float64(median(theirs)), "ratio")
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

const benchPort = "18473"

// dockerRun starts the image as a person would and asks for its health.
func dockerRun(b *testing.B, image string) time.Duration {
	model, err := filepath.Abs("../../sample-models/iris-http-go/model")
	if err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	id := output(b, "docker", "run", "-d", "-v", model+":/mnt/models:ro", "--memory", "1000m",
		"-e", "CARAML_HTTP_PORT=8080", "-e", "CARAML_MODEL_FULL_NAME=iris-1", "-e", "CARAML_ARTIFACT_LOCATION=/mnt/models", image)
	defer output(b, "docker", "rm", "-f", id)
	address := output(b, "docker", "inspect", "-f", "{{.NetworkSettings.IPAddress}}", id)
	untilOK(b, "http://"+address+":8080/v1/models/iris-1")
	return time.Since(begun)
}

// mlUp does the same with `up`, through its port.
func mlUp(b *testing.B, binary, image string) time.Duration {
	model, err := filepath.Abs("../../sample-models/iris-http-go/model")
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(binary, "up", "--image", image, "--model", "iris", "--model-dir", model, "--port", benchPort)
	cmd.Dir = b.TempDir()
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	untilOK(b, "http://127.0.0.1:"+benchPort+"/v1/models/iris-1")
	took := time.Since(begun)
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	return took
}

func output(b *testing.B, name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

func untilOK(b *testing.B, url string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(time.Millisecond) {
		response, err := client.Get(url)
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return
		}
	}
	b.Fatalf("%s never answered 200", url)
}
