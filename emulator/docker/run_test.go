package docker_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// self is what testdata/model tells of its place.
type self struct {
	Args, Env       []string
	Hostname, Stdin string
	PID             int
	Files           map[string]string
	Write           string
}

// ask reads what a serving model sees.
func ask(t *testing.T, c emulator.Container) self {
	t.Helper()
	http := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var seen self
	var last error
	eventually(t, "the model answers at "+c.Address().String(), func() bool {
		answer, err := http.Get("http://" + c.Address().String())
		if err == nil {
			defer answer.Body.Close()
			err = json.NewDecoder(answer.Body).Decode(&seen)
		}
		last = err
		return err == nil
	})
	check(t, last)
	return seen
}

func TestAContainerSeesWhatAPodWould(t *testing.T) {
	l := newLab(t)
	artifact := t.TempDir()
	write(t, artifact+"/model.properties", "image = x\n")
	s := spec(l.image(t), "serve", "", "two  spaces")
	s.Env = []string{"ZEBRA=first", "A=second", "TWICE=1", "TWICE=2", "EMPTY=", "PORT=8080"}
	s.Artifact = artifact
	s.CPUMillis, s.CPULimit = 8000, "8"
	s.MemoryBytes, s.MemoryLimit = 1000<<20, "1000Mi"
	s.Hostname = merlin.Hostname(strings.Repeat("a", 61) + "-.tail")
	c := l.start(t, s)

	seen := ask(t, c)
	if want := []string{"/model", "serve", "", "two  spaces"}; !slices.Equal(seen.Args, want) {
		t.Errorf("args are %q, want %q", seen.Args, want)
	}
	if want := strings.Repeat("a", 61); seen.Hostname != want {
		t.Errorf("hostname is %s, want it cut as the kubelet does: %s", seen.Hostname, want)
	}
	if seen.Stdin != "closed" || seen.PID != 1 {
		t.Errorf("stdin is %s and the process has id %d", seen.Stdin, seen.PID)
	}
	if seen.Files["model.properties"] != "image = x\n" || !strings.Contains(seen.Write, "read-only") {
		t.Errorf("of /mnt/models it sees %q, and a write gives %q", seen.Files, seen.Write)
	}
	if _, err := os.Stat(artifact + "/written"); err == nil {
		t.Error("the artifact was written to")
	}

	found := l.inspect(t, c)
	if got := found.Config.Env[:len(s.Env)]; !slices.Equal(got, s.Env) {
		t.Errorf("variables are %q, want %q", got, s.Env)
	}
	h := found.HostConfig
	if h.Memory != 1000<<20 || h.MemorySwap != h.Memory || h.CPUPeriod != 100000 || h.CPUQuota != 800000 || h.NanoCPUs != 0 {
		t.Errorf("limits are %+v", h.Resources)
	}
	if h.RestartPolicy.Name != "no" || *h.Init || found.Config.Tty || found.Config.OpenStdin || found.Config.User != "" {
		t.Errorf("host config is %+v, config %+v", h, found.Config)
	}
	if len(found.Mounts) != 1 || found.Mounts[0].Destination != "/mnt/models" || found.Mounts[0].RW {
		t.Errorf("mounts are %+v", found.Mounts)
	}
	if !slices.Equal(h.ExtraHosts, []string{"host.docker.internal:host-gateway"}) {
		t.Errorf("hosts are %q", h.ExtraHosts)
	}
	for name, want := range map[string]string{"session": l.session, "project": "fruits", "model": "apple-3", "revision": "1"} {
		if got := found.Config.Labels["dev.merlin-local."+name]; got != want {
			t.Errorf("label %s is %q, want %q", name, got, want)
		}
	}
	started := c.Started()
	if started.Image != s.Image.ID || started.CPULimit != "8" || started.MemoryLimit != "1000Mi" || "/"+started.Name != found.Name {
		t.Errorf("started is %+v", started)
	}
	if started.EffectiveCPUs <= 0 || started.EffectiveCPUs > 8 {
		t.Errorf("effective CPUs are %v", started.EffectiveCPUs)
	}
}

func TestCommandAndArgsFollowKubernetesRule(t *testing.T) {
	l := newLab(t)
	image := l.image(t, "FROM scratch", "COPY model /model", "COPY model /other", `ENTRYPOINT ["/model", "print"]`, `CMD ["from-image"]`)
	for _, test := range []struct {
		name          string
		command, args []string
		want          []string
	}{
		{"neither keeps the image's own", nil, nil, []string{"/model", "print", "from-image"}},
		{"args alone replace CMD", nil, []string{"mine", ""}, []string{"/model", "print", "mine", ""}},
		{"command replaces ENTRYPOINT and drops CMD", []string{"/other", "print"}, nil, []string{"/other", "print"}},
		{"both replace both", []string{"/other", "print"}, []string{"mine"}, []string{"/other", "print", "mine"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := spec(image)
			s.Command, s.Args = test.command, test.args
			out, _ := logged(t, l.start(t, s))
			var seen self
			check(t, json.Unmarshal([]byte(out), &seen))
			if !slices.Equal(seen.Args, test.want) {
				t.Errorf("ran %q, want %q", seen.Args, test.want)
			}
		})
	}
}

func TestStopAsksFirstAndKillsWhoDoesNotListen(t *testing.T) {
	l := newLab(t)
	image := l.image(t)
	for _, test := range []struct {
		action string
		grace  time.Duration
		code   int
	}{
		{"serve", patience, 0},
		{"stubborn", 10 * time.Millisecond, 137},
	} {
		t.Run(test.action, func(t *testing.T) {
			c := l.start(t, spec(image, test.action))
			ask(t, c)
			check(t, c.Stop(t.Context(), test.grace))
			if exit := exited(t, c); exit.Code != test.code || exit.OOMKilled {
				t.Errorf("exit is %+v, want code %d", exit, test.code)
			}
			check(t, c.Stop(t.Context(), test.grace)) // an ended one
		})
	}
}

func TestRemoveOfARunningContainerReportsItsExitOnce(t *testing.T) {
	l := newLab(t)
	c, err := l.Start(t.Context(), spec(l.image(t), "stubborn"))
	check(t, err)
	check(t, c.Remove(t.Context()))
	if exit := exited(t, c); exit.Code != 137 {
		t.Errorf("exit is %+v", exit)
	}
	check(t, c.Remove(context.Background())) // once more
	select {
	case exit := <-c.Exited():
		t.Errorf("a second exit was reported: %+v", exit)
	default:
	}
}

func TestLogsComeWholeAndApart(t *testing.T) {
	l := newLab(t)
	c := l.start(t, spec(l.image(t), "lines", "2000"))
	out, errs := logged(t, c)
	for stream, text := range map[string]string{"out": out, "err": errs} {
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) != 2000 || lines[0] != stream+" 0" || lines[1999] != stream+" 1999" {
			t.Errorf("%s has %d lines, from %q to %q", stream, len(lines), lines[0], lines[len(lines)-1])
		}
	}
}

func TestLogsEndWithTheirContext(t *testing.T) {
	l := newLab(t)
	c := l.start(t, spec(l.image(t), "serve"))
	ctx, cancel := context.WithCancel(t.Context())
	reader := &cancelOnFirst{cancel: cancel}
	if err := c.Logs(ctx, reader, reader); err != context.Canceled {
		t.Errorf("Logs gave %v", err)
	}
}

// cancelOnFirst ends a context with the first thing that is written to it.
type cancelOnFirst struct{ cancel context.CancelFunc }

func (c *cancelOnFirst) Write(p []byte) (int, error) {
	c.cancel()
	return len(p), nil
}
