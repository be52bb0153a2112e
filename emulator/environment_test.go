package emulator_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// environmentOf runs a model and returns the one environment that it tells.
func environmentOf(t *testing.T, w *world, model *emulator.Model) event.Environment {
	t.Helper()
	if err := until(t, w, model); err != nil {
		t.Fatal(err)
	}
	all := facts[event.Environment](w)
	if len(all) != 1 {
		t.Fatalf("%d environments are told", len(all))
	}
	return all[0]
}

// variable is the one of a name that the container sees.
func variable(t *testing.T, f event.Environment, name string) event.Variable {
	t.Helper()
	for _, v := range f.Variables {
		if v.Name == name && !v.Hidden {
			return v
		}
	}
	t.Errorf("there is no %s", name)
	return event.Variable{}
}

func TestTheEnvironmentTellsWhoSetsAVariable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.image = func(func(event.Fact)) (emulator.Image, error) {
			return emulator.Image{ID: "sha256:1", Env: []string{"PATH=/opt/bin", "A=0", "LANG=C.UTF-8"}}, nil
		}
		w.options = func(o *emulator.Options) { o.PushURLs = map[string]string{"iris-1": "http://172.17.0.1:9092"} }
		model := iris()
		d := &model.Deployment
		d.EnvVars = append(d.EnvVars, merlin.EnvVar{Name: "DB"}, merlin.EnvVar{Name: "TWICE", Value: "1"}, merlin.EnvVar{Name: "TWICE", Value: "2"}, merlin.EnvVar{Name: "URL", Value: "$(GATEWAY)/x?$(DB)"})
		d.Secrets = []merlin.Secret{{MLPSecretName: "db-password", EnvVarName: "DB"}, {MLPSecretName: "pin", EnvVarName: "PIN"}}
		d.Args = "--pin $(PIN)"
		model.SecretValues = map[string]string{"DB": "s3cr3t-value", "PIN": "42"}
		model.SecretOrigins = map[string]string{"DB": ".env"}
		model.Metrics.Push = "GATEWAY"
		f := environmentOf(t, w, model)
		for name, want := range map[string]event.Variable{
			"A":           {Value: "1", Origin: event.OriginUser, Verdict: event.Same},
			"PATH":        {Value: "/opt/bin", Origin: event.OriginImage, Verdict: event.Same},
			"LANG":        {Value: "C.UTF-8", Origin: event.OriginImage, Verdict: event.Same},
			"TWICE":       {Value: "2", Origin: event.OriginUser, Verdict: event.Same},
			"DB":          {Value: "***", Origin: event.OriginSecret, Secret: "db-password", Verdict: event.Approximated, Remark: "the value is of .env, not MLP's"},
			"PIN":         {Value: "***", Origin: event.OriginSecret, Secret: "pin", Verdict: event.Approximated, Remark: "the value is not MLP's"},
			"GATEWAY":     {Value: "http://172.17.0.1:9092", Origin: event.OriginLocal, Verdict: event.Approximated, Remark: "this session's Pushgateway-compatible endpoint; production has one of the platform's own"},
			"URL":         {Value: "http://172.17.0.1:9092/x?***", Origin: event.OriginUser, Verdict: event.Approximated, Remark: "the cluster has $(GATEWAY)/x?***"},
			"STORAGE_URI": {Value: "gs://b/a/model", Origin: event.OriginMerlin, Verdict: event.Approximated, Remark: "the cluster has /mnt/models"},
			"PORT":        {Value: "8080", Origin: event.OriginKnative, Verdict: event.Same},
		} {
			want.Name = name
			if got := variable(t, f, name); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		if v := variable(t, f, "HOSTNAME"); v.Value != w.specs[0].Hostname || v.Origin != event.OriginRuntime {
			t.Errorf("the hostname is %+v", v)
		}
		hidden := 0
		for _, v := range f.Variables {
			if v.Hidden {
				hidden++
			}
		}
		if hidden != 1 {
			t.Errorf("%d variables are hidden by later ones", hidden)
		}
		if want := (event.Words{Words: []string{"--pin", "***"}, Origin: event.OriginUser}); !reflect.DeepEqual(f.Args, want) {
			t.Errorf("args are %+v", f.Args)
		}
		// What is told is what is given.
		given := map[string]string{}
		for _, line := range w.specs[0].Env {
			name, value, _ := strings.Cut(line, "=")
			given[name] = value
		}
		for name, value := range given {
			if v := variable(t, f, name); v.Value != value && v.Origin != event.OriginSecret && name != "URL" {
				t.Errorf("%s is given as %q and told as %q", name, value, v.Value)
			}
		}
	})
}

func TestThePushVariableOfTheUserLeadsToThisSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options = func(o *emulator.Options) { o.PushURLs = map[string]string{"iris-1": "http://172.17.0.1:9092"} }
		model := iris()
		model.Deployment.EnvVars = append(model.Deployment.EnvVars, merlin.EnvVar{Name: "GATEWAY", Value: "http://pushgateway.prod"})
		model.Metrics.Push = "GATEWAY"
		v := variable(t, environmentOf(t, w, model), "GATEWAY")
		if w.specs[0].Env[1] != "GATEWAY=http://172.17.0.1:9092" || !strings.HasSuffix(v.Remark, "as env_vars says: http://pushgateway.prod") {
			t.Errorf("given %q, told %+v", w.specs[0].Env, v)
		}
	})
}

func TestWithoutAnEndpointTheVariableIsAsTheUserSetIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		model := iris()
		model.Metrics.Push = "GATEWAY"
		for _, v := range environmentOf(t, w, model).Variables {
			if v.Name == "GATEWAY" {
				t.Errorf("it is %+v", v)
			}
		}
	})
}

func TestTheEnvironmentTellsWhatRunsAndWhoSaysSo(t *testing.T) {
	image := emulator.Image{ID: "sha256:1", Entrypoint: []string{"python"}, Cmd: []string{"app.py"}, User: "1000:1000", WorkingDir: "/srv"}
	for name, c := range map[string]struct {
		command, args string
		wantCommand   event.Words
		wantArgs      event.Words
	}{
		"the image's own": {"", "", event.Words{Words: []string{"python"}, Origin: event.OriginImage}, event.Words{Words: []string{"app.py"}, Origin: event.OriginImage}},
		"args":            {"", "b.py $(CARAML_HTTP_PORT)", event.Words{Words: []string{"python"}, Origin: event.OriginImage}, event.Words{Words: []string{"b.py", "8080"}, Origin: event.OriginUser}},
		"a command":       {"serve it", "", event.Words{Words: []string{"serve", "it"}, Origin: event.OriginUser}, event.Words{}},
		"both":            {"serve", "-x", event.Words{Words: []string{"serve"}, Origin: event.OriginUser}, event.Words{Words: []string{"-x"}, Origin: event.OriginUser}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.image = func(func(event.Fact)) (emulator.Image, error) { return image, nil }
				model := iris()
				model.Deployment.Command, model.Deployment.Args = c.command, c.args
				f := environmentOf(t, w, model)
				if !reflect.DeepEqual(f.Command, c.wantCommand) || !reflect.DeepEqual(f.Args, c.wantArgs) {
					t.Errorf("command is %+v, args are %+v", f.Command, f.Args)
				}
				if f.User != "1000:1000" || f.WorkingDir != "/srv" || f.Port != 8080 {
					t.Errorf("it is %+v", f)
				}
			})
		})
	}
}

func TestTheEnvironmentTellsMountsAndLimits(t *testing.T) {
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"model.json", "sub/weights"} {
		if err := os.WriteFile(filepath.Join(folder, filepath.FromSlash(name)), []byte("12345"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options = func(o *emulator.Options) { o.Stager = folderStager(folder) }
		model := iris()
		model.ModelDir = "/repo/artifact"
		f := environmentOf(t, w, model)
		m := f.Mounts[0]
		m.Remark = ""
		want := event.Mount{Kind: event.MountArtifact, From: "/repo/artifact", Source: folder, Target: "/mnt/models", ReadOnly: true, Files: 2, Bytes: 10, Verdict: event.Same}
		if len(f.Mounts) != 1 || m != want {
			t.Errorf("mounts are %+v", f.Mounts)
		}
		if f.Requests != (event.Amounts{CPU: "500m", Memory: "500Mi"}) || f.Limits != (event.Amounts{CPU: "8", Memory: "1000Mi"}) || !f.LimitsHold {
			t.Errorf("limits are %+v of %+v, hold %v", f.Limits, f.Requests, f.LimitsHold)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options = func(o *emulator.Options) { o.NoLimits = true }
		if f := environmentOf(t, w, iris()); f.LimitsHold || f.Limits.CPU != "8" || !strings.Contains(f.Remark, "--no-limits") {
			t.Errorf("it is %+v", f)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		model := iris()
		model.OnHost, model.Exec = true, "python app.py"
		f := environmentOf(t, w, model)
		if f.LimitsHold || f.Command.Words[0] != "python app.py" || f.Mounts[0].ReadOnly || f.User == "" || !strings.Contains(f.Notes[0], "this host") {
			t.Errorf("it is %+v", f)
		}
	})
}

type folderStager string

func (s folderStager) Stage(context.Context, string, []byte) (string, func() error, error) {
	return string(s), func() error { return nil }, nil
}

func TestReplicasThatAreGivenTheSameTellItOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.edits = make(chan emulator.Edits)
		model := iris()
		model.Replicas = 3
		ctx, cancel := context.WithCancel(t.Context())
		wait := w.emulate(ctx, model)
		synctest.Wait()
		w.containers[0].exit(emulator.Exit{Code: 1})
		time.Sleep(time.Minute)
		synctest.Wait()
		if all := facts[event.Environment](w); len(all) != 1 || len(w.specs) != 4 {
			t.Errorf("%d are told of %d containers", len(all), len(w.specs))
		}
		changed := *model
		changed.Deployment.EnvVars = []merlin.EnvVar{{Name: "A", Value: "2"}}
		if err := w.emulator.Reconfigure(&changed, "merlin-local.yaml"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		all := facts[event.Environment](w)
		if len(all) != 2 || variable(t, all[1], "A").Value != "2" {
			data, _ := json.Marshal(all)
			t.Errorf("told are %s", data)
		}
		cancel()
		if err := wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatAModelPushedIsToldWithoutItsSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		model := iris()
		model.SecretValues = map[string]string{"DB": "s3cr3t-value"}
		ctx, cancel := context.WithCancel(t.Context())
		wait := w.emulate(ctx, model)
		synctest.Wait()
		w.emulator.Tell("iris-1", event.Scraped{Source: event.MetricsPushed, Grouping: map[string]string{"job": "for s3cr3t-value"}, Families: []event.Family{{Name: "a", Help: "s3cr3t-value"}}})
		w.emulator.Tell("nobody-1", event.Scraped{})
		cancel()
		if err := wait(); err != nil {
			t.Error(err)
		}
		all := facts[event.Scraped](w)
		if len(all) != 1 || all[0].Grouping["job"] != "for ***" || all[0].Families[0].Help != "***" {
			t.Errorf("told are %+v", all)
		}
	})
}
