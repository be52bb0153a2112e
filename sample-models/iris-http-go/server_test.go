package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"example.com/iris-http-go/iris"
)

const path = "/v1/models/iris-1"

func newTestServer(t *testing.T) *httptest.Server {
	t.Helper()
	model, err := iris.Load("model/iris.json")
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer("iris-1")
	srv.use(model)
	ts := httptest.NewServer(srv.handler())
	t.Cleanup(ts.Close)
	return ts
}

func call(t *testing.T, method, url, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

func TestTheSampleRequestGetsTheThreeSpecies(t *testing.T) {
	ts := newTestServer(t)
	request, err := os.ReadFile("request.json")
	if err != nil {
		t.Fatal(err)
	}
	status, body := call(t, "POST", ts.URL+path+":predict", string(request))
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	var out response
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatal(err)
	}
	want := []string{"setosa", "versicolor", "virginica"}
	if len(out.Predictions) != len(want) {
		t.Fatalf("%d predictions: %s", len(out.Predictions), body)
	}
	for i, p := range out.Predictions {
		if p.Species != want[i] || p.Probabilities[want[i]] < 0.5 || len(p.Probabilities) != 3 {
			t.Errorf("prediction %d is %+v, not %s", i, p, want[i])
		}
	}
}

func TestAWrongBodyIsRefusedWithWhatIsExpected(t *testing.T) {
	ts := newTestServer(t)
	for name, tc := range map[string]struct {
		body string
		code int
		says string
	}{
		"empty":          {"", 400, `{\"instances\": [[5.1`},
		"not JSON":       {"flower", 400, "invalid character"},
		"no instances":   {`{"rows": [[1, 2, 3, 4]]}`, 400, "there are no instances"},
		"too few values": {`{"instances": [[1, 2, 3, 4], [1, 2, 3]]}`, 400, "instances[1] has 3 values, not 4"},
		"text":           {`{"instances": [["a", 2, 3, 4]]}`, 400, "cannot unmarshal string"},
		"null":           {`{"instances": [[1, null, 3, 4]]}`, 400, "instances[0][1], sepal_width_cm, is null"},
		"two documents":  {`{"instances": [[1, 2, 3, 4]]} {}`, 400, "something follows"},
		"too large":      {`{"instances": [[` + strings.Repeat("1,", maxBody) + `1]]}`, 413, "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := call(t, "POST", ts.URL+path+":predict", tc.body)
			if status != tc.code || !strings.Contains(body, tc.says) {
				t.Errorf("%d %s", status, body)
			}
			if !json.Valid([]byte(body)) {
				t.Errorf("not JSON: %s", body)
			}
		})
	}
}

func TestAServerWithoutAModelIsAliveAndNotReady(t *testing.T) {
	ts := httptest.NewServer(newServer("iris-1").handler())
	defer ts.Close()
	for _, tc := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/", 200},
		{"GET", path, 503},
		{"POST", path + ":predict", 503},
	} {
		if status, body := call(t, tc.method, ts.URL+tc.path, "{}"); status != tc.want {
			t.Errorf("%s %s: %d %s", tc.method, tc.path, status, body)
		}
	}
}

func TestOnlyTheContractsPathsAreServed(t *testing.T) {
	ts := newTestServer(t)
	for _, tc := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/", 200},
		{"GET", path, 200},
		{"GET", "/metrics", 200},
		{"GET", path + ":predict", 405},
		{"POST", path, 405},
		{"POST", "/v1/models/iris:predict", 404},
		{"GET", "/v1/models/iris-2", 404},
	} {
		if status, body := call(t, tc.method, ts.URL+tc.path, ""); status != tc.want {
			t.Errorf("%s %s: %d %s", tc.method, tc.path, status, body)
		}
	}
}

func TestMetricsCountRequestsAndPredictions(t *testing.T) {
	ts := newTestServer(t)
	call(t, "POST", ts.URL+path+":predict", `{"instances": [[5.1, 3.5, 1.4, 0.2], [5.0, 3.4, 1.5, 0.2]]}`)
	call(t, "POST", ts.URL+path+":predict", `{}`)
	_, body := call(t, "GET", ts.URL+"/metrics", "")
	for _, line := range []string{
		`iris_requests_total{code="200"} 1`,
		`iris_requests_total{code="400"} 1`,
		`iris_request_duration_seconds_count 2`,
		`iris_predictions_total{species="setosa"} 2`,
		"process_resident_memory_bytes",
	} {
		if !strings.Contains(body, line) {
			t.Errorf("no %q in /metrics", line)
		}
	}
}

func TestARequestUnderWayIsAnsweredAfterTheStop(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	started := make(chan struct{})
	release := make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-release
		_, _ = w.Write([]byte("late"))
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- serve(ctx, ln, h) }()
	got := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + ln.Addr().String())
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		data, _ := io.ReadAll(res.Body)
		got <- string(data)
	}()
	<-started
	stop()
	close(release)
	if answer := <-got; answer != "late" {
		t.Errorf("the request got %q", answer)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestAMissingVariableIsNamed(t *testing.T) {
	_, err := configFrom(func(name string) string {
		return map[string]string{"CARAML_HTTP_PORT": "8080"}[name]
	})
	if err == nil || !strings.Contains(err.Error(), "CARAML_MODEL_FULL_NAME is not set") ||
		!strings.Contains(err.Error(), "CARAML_ARTIFACT_LOCATION is not set") ||
		strings.Contains(err.Error(), "CARAML_HTTP_PORT") {
		t.Errorf("%v", err)
	}
}

func TestABrokenArtifactIsRefused(t *testing.T) {
	good, err := os.ReadFile("model/iris.json")
	if err != nil {
		t.Fatal(err)
	}
	file := t.TempDir() + "/iris.json"
	for name, data := range map[string][]byte{
		"cut":        good[:len(good)/2],
		"other JSON": []byte(`{}`),
		"no scale":   bytes.Replace(good, []byte(`"scale"`), []byte(`"scales"`), 1),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := iris.Load(file); err == nil {
				t.Error("it was loaded")
			}
		})
	}
}
