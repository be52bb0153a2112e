//go:build unix

package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// pushed are the metrics that a model pushed; nil where there are none.
func pushed(m *session.Model) *session.Metrics {
	for _, x := range m.Metrics {
		if x.Source == event.MetricsPushed {
			return x
		}
	}
	return nil
}

func TestAContainerPushesItsMetricsAndNobodyElseMay(t *testing.T) {
	l, image := prebuilt(t)
	check(t, os.WriteFile(filepath.Join(l.repo, "merlin-local.yaml"), []byte("model: iris\nimage: "+image+
		"\nargs: -push GATEWAY\nmetrics: { push: GATEWAY }\n"), 0o644))
	l.up()
	await(t, "it has pushed", func() bool { return pushed(l.status().Models[0]) != nil })
	m := l.status().Models[0]
	if x := pushed(m); x.Pod != m.Pods[0].Name || x.Series != 1 || x.Grouping["job"] != "fake" {
		t.Errorf("it is %+v", x)
	}
	await(t, "its own page is read, too", func() bool {
		m := l.status().Models[0]
		return len(m.Metrics) == 2
	})
	var url string
	for _, v := range m.Environment.Variables {
		if v.Name == "GATEWAY" {
			url = v.Value
		}
	}
	if !strings.HasPrefix(url, "http://") || strings.Contains(url, "127.0.0.1") {
		t.Fatalf("the endpoint is %q", url)
	}

	// From this host, which is no container.
	answer, err := http.Get(url + "/metrics")
	check(t, err)
	body, err := io.ReadAll(answer.Body)
	check(t, err)
	check(t, answer.Body.Close())
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("this host is answered by %s: %s", answer.Status, body)
	}
	// From a container of another session.
	other := newLab(t, "", nil)
	check(t, os.WriteFile(filepath.Join(other.repo, "merlin-local.yaml"), []byte("model: stranger\nimage: "+image+
		"\nargs: -push GATEWAY\nenv_vars: { GATEWAY: \""+url+"\" }\n"), 0o644))
	other.up()
	await(t, "the stranger is refused", func() bool {
		return strings.Contains(other.must("logs"), "unexpected status code 403 while pushing")
	})
	other.must("down")
	other.nothingLeft()
	if x := pushed(l.status().Models[0]); x.Grouping["model"] != "iris-1" || len(l.status().Models[0].Metrics) != 2 {
		t.Errorf("pushed is %+v", x)
	}
	l.must("down")
	l.nothingLeft()
}

func TestTheEnvironmentThatIsToldIsTheContainersOwn(t *testing.T) {
	l, image := prebuilt(t)
	check(t, os.WriteFile(filepath.Join(l.repo, "merlin-local.yaml"), []byte("model: iris\nimage: "+image+
		"\nenv_vars: { MODE: fast, TWICE: $(MODE)-$(MODE) }\nresource_request: { cpu_limit: 500m, memory_request: 32Mi }\n"), 0o644))
	l.up()
	m := l.status().Models[0]
	seen := l.get("/self")
	for _, v := range m.Environment.Variables {
		contains(t, seen, `"`+v.Name+"="+v.Value+`"`)
	}
	count := strings.Count(seen[strings.Index(seen, `"env":[`):strings.Index(seen, `"files"`)], `","`) + 1
	if count != len(m.Environment.Variables)+1 { // HOME, of which the notes tell
		t.Errorf("%d variables are told, and it sees %s", len(m.Environment.Variables), seen)
	}
	if e := m.Environment; e.Limits != (event.Amounts{CPU: "500m", Memory: "64Mi"}) || !e.LimitsHold || e.Mounts[0].Target != "/mnt/models" || e.Mounts[0].Files != 1 {
		t.Errorf("told is %+v", e)
	}
	l.must("down")
	l.nothingLeft()
}
