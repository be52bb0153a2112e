package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// scene is one session.
type scene struct {
	name    string
	samples map[string]string  // the sample models by the folder of the repo they are copied to
	files   map[string]string  // written over them
	edit    func(r *run) error // before it runs
	args    []string
	play    func(r *run) error // while it runs
}

const (
	pythonBase = "BASE_IMAGE=merlin-local/python-base:bookworm"
	ready      = `"kind":"phase","fact":{"phase":"ready"`
	backOff    = `"kind":"phase","fact":{"phase":"backoff"`
)

func scenes() []scene {
	return []scene{
		{name: "serving", samples: map[string]string{".": "iris-http-go"}, play: serve},
		{name: "crash", samples: map[string]string{".": "churn-python"}, args: []string{"--build-arg", pythonBase, "--env", "CHURN_THRESHOLD=half"}, play: crash},
		{name: "reload", samples: map[string]string{".": "iris-http-go"}, play: breakTheBuild},
		{name: "traceback", samples: map[string]string{".": "churn-python"}, args: []string{"--build-arg", pythonBase}, play: breakTheStart},
		{name: "zero", samples: map[string]string{".": "iris-http-go"}, args: []string{"--time-scale", "100"}, edit: toZero, play: sleepAndWake},
		{
			name: "several", samples: map[string]string{"iris": "iris-http-go", "eta": "eta-upi-go", "churn": "churn-python"},
			files: map[string]string{"merlin-local.yaml": severalModels}, play: serveSeveral,
		},
	}
}

// severalModels are the three sample models in one file, the third of which cannot start.
const severalModels = `project: sample
models:
  - model: iris
    model_dir: iris/model
    build: { context: iris, run: "CGO_ENABLED=0 GOOS=linux go build -C iris -trimpath -buildvcs=false -o bin/server ." }
    resource_request: { cpu_request: 250m, memory_request: 64Mi, max_replica: 2 }
  - model: eta
    protocol: UPI_V1
    model_dir: eta/model
    build: { context: eta, run: "CGO_ENABLED=0 GOOS=linux go build -C eta -trimpath -buildvcs=false -o bin/server ." }
    resource_request: { cpu_request: 250m, memory_request: 64Mi, max_replica: 2 }
  - model: churn
    model_dir: churn/model
    build: { context: churn, args: { BASE_IMAGE: "merlin-local/python-base:bookworm" } }
    env_vars: { CHURN_THRESHOLD: half }
    resource_request: { cpu_request: 500m, memory_request: 256Mi, max_replica: 2 }
`

// lay makes the repo.
func (s scene) lay(repo string) error {
	for folder, sample := range s.samples {
		if err := os.CopyFS(filepath.Join(repo, folder), os.DirFS(filepath.Join("sample-models", sample))); err != nil {
			return err
		}
	}
	for name, text := range s.files {
		if err := os.WriteFile(filepath.Join(repo, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// serve has the model under a load that rises and falls, some of which it refuses.
func serve(r *run) error {
	if _, err := r.await(1, `"iris-1"`, ready); err != nil {
		return err
	}
	return r.load("iris", 140, func(n int) (pause time.Duration, body string) {
		body = example(r.repo)
		if n%23 == 22 {
			body = `{"instances": [[5.1, 3.5, 1.4]]}`
		}
		return time.Duration(100+30*(n/4%10)) * time.Millisecond, body
	})
}

// crash waits until the model has ended four times.
func crash(r *run) error {
	_, err := r.await(4, backOff)
	return err
}

// breakTheBuild saves a file that does not compile, and later one that does again.
func breakTheBuild(r *run) error {
	return r.breakAndMend("iris", edit{"server.go", "return ", "retrun "}, `"kind":"reload_ended"`)
}

// breakTheStart saves a file of which the model ends as it starts, and mends it.
func breakTheStart(r *run) error {
	return r.breakAndMend("churn", edit{"app.py", "float(os.environ", "flaot(os.environ"}, `"kind":"reload_ended"`)
}

// edit is one that breaks a file.
type edit struct{ file, right, wrong string }

// breakAndMend makes an edit while requests come, and takes it back once the line tells
// that it broke the reload.
func (r *run) breakAndMend(model string, e edit, broken string) error {
	if _, err := r.await(1, ready); err != nil {
		return err
	}
	some := func(int) (time.Duration, string) { return 200 * time.Millisecond, example(r.repo) }
	if err := r.load(model, 20, some); err != nil {
		return err
	}
	if err := r.edit(e.file, e.right, e.wrong); err != nil {
		return err
	}
	if _, err := r.await(1, broken); err != nil {
		return err
	}
	if err := r.load(model, 10, some); err != nil {
		return err
	}
	if err := r.edit(e.file, e.wrong, e.right); err != nil {
		return err
	}
	if _, err := r.await(2, `"kind":"serving"`); err != nil {
		return err
	}
	return r.load(model, 5, some)
}

func toZero(r *run) error { return r.edit("merlin-local.yaml", "min_replica: 1", "min_replica: 0") }

// sleepAndWake lets the model fall asleep, wakes it, and lets it fall asleep again.
func sleepAndWake(r *run) error {
	once := func(int) (time.Duration, string) { return 0, example(r.repo) }
	for times := 1; times <= 2; times++ {
		if times == 1 {
			if _, err := r.await(1, ready); err != nil {
				return err
			}
		}
		if err := r.load("iris", 1, once); err != nil {
			return err
		}
		if _, err := r.await(times, `"kind":"phase","fact":{"phase":"idle"`); err != nil {
			return err
		}
	}
	return nil
}

// serveSeveral sends the two models that serve some requests, until the third has ended
// three times.
func serveSeveral(r *run) error {
	for _, model := range []string{`"iris-1"`, `"eta-1"`} {
		if _, err := r.await(1, model, ready); err != nil {
			return err
		}
	}
	for range 5 {
		if err := r.command(context.Background(), "predict", "eta", "-d", "@eta/request.json").Run(); err != nil {
			return err
		}
		err := r.load("iris", 8, func(n int) (time.Duration, string) {
			return 100 * time.Millisecond, example(filepath.Join(r.repo, "iris"))
		})
		if err != nil {
			return err
		}
	}
	_, err := r.await(3, `"churn-1"`, backOff)
	return err
}

// example is the request of the sample model in a folder.
func example(folder string) string {
	text, _ := os.ReadFile(filepath.Join(folder, "request.json"))
	return string(text)
}

// load sends so many requests, one after another, each after its pause.
func (r *run) load(model string, requests int, next func(n int) (pause time.Duration, body string)) error {
	url, err := r.fact(`"kind":"listening"`, "address")
	if err != nil {
		return err
	}
	host, err := r.fact(`"model":"`+model+`-1","kind":"declared"`, "host")
	if err != nil {
		return err
	}
	for n := range requests {
		pause, body := next(n)
		time.Sleep(pause)
		request, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://%s/v1/models/%s-1:predict", url, model), strings.NewReader(body))
		if err != nil {
			return err
		}
		request.Host = host
		request.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// fact is a text of the first line that has the words.
func (r *run) fact(words, field string) (string, error) {
	line, err := r.await(1, words)
	if err != nil {
		return "", err
	}
	var e struct{ Fact map[string]any }
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		return "", err
	}
	text, _ := e.Fact[field].(string)
	return text, nil
}
