package config

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator"
)

// moved is a model as Portable has it: of what only its repo has there is nothing.
func moved(m emulator.Model, dir string) emulator.Model {
	m.Dir, m.Build, m.Exec, m.OnHost = dir, nil, "", false
	m.Watch, m.Reload, m.Debug = emulator.Watch{}, emulator.ReloadAuto, emulator.Debug{}
	if m.ModelDir != "" {
		m.ModelDir = filepath.Join(dir, "artifact")
	} else {
		m.Deployment.ArtifactURI = ""
	}
	return m
}

func TestAPortableModelRunsAsTheOneItIsOf(t *testing.T) {
	for name, text := range map[string]string{
		"the least":      "image: acme/iris:v1\n",
		"an artifact":    "image: acme/iris:v1\nmodel_dir: .\nartifact_uri: gs://bucket/1\n",
		"no artifact":    "image: acme/iris:v1\nartifact_uri: gs://bucket/1\n",
		"a build":        "image: a:b\nbuild: {run: make, args: {A: b}}\nexec: ./serve\nwatch: {ignore: [x]}\nreload: replace\ndebug: {kind: delve}\n",
		"what Merlin is": "project: a\nmodel: b\nversion: 7\nrevision: 3\nprotocol: UPI_V1\nimage: c:d\ncommand: python  server.py\nargs: \"--name 'two words' \"\nteam: t\nstream: s\nenvironment: e\nlabels: {x: y}\ndeployment_mode: raw_deployment\nautoscaling_policy: {metrics_type: cpu_utilization, target_value: 62.5}\n",
		"variables":      "image: c:d\nenv_vars: [{name: A, value: '010'}, {name: B, value: \"two\\nlines\"}, {name: A, value: '$(B) $$'}, {name: EMPTY, value: ''}]\nsecrets: [{mlp_secret_name: s, env_var_name: TOKEN}]\n",
		"resources":      "image: c:d\nresource_request: {cpu_request: 100m, cpu_limit: '2', memory_request: 1536Mi, min_replica: 2, max_replica: 4}\n",
		"zero":           "image: c:d\nresource_request: {min_replica: 0, max_replica: 4}\nautoscaling_policy: {metrics_type: rps, target_value: 10}\n",
		"no zero":        "image: c:d\nresource_request: {max_replica: 4}\nautoscaling_policy: {metrics_type: rps, target_value: 10}\n",
		"no resources":   "image: c:d\nresource_request: {cpu_request: '', memory_request: ''}\n",
		"what runs here": "image: c:d\ncontainer_concurrency: 3\ntimeout: 90s\nresponse_start_timeout: 1500ms\nidle_timeout: 7\nweight: 30\nfidelity: deployed\nmetrics: {push: PUSH}\nreadiness_probe: {kind: http, path: /ready, initial_delay: 2s, period: 3s, timeout: 1s, success_threshold: 2, failure_threshold: 5}\nliveness_probe: {kind: none}\n",
		"the platform":   "image: c:d\nplatform: {domain: models.acme.com, default_env_vars_without_cpu_limits: {WORKERS: '2'}, queue_resource_percentage: '10', user_container_cpu_default_limit: '4', user_container_cpu_limit_request_factor: 1.5, user_container_memory_limit_request_factor: 0, max_cpu: '6', max_memory: 20Gi, max_allowed_replica: 9, scale_to_zero_pod_retention: 90s}\n",
	} {
		t.Run(name, func(t *testing.T) {
			m := model(t, text)
			dir := t.TempDir()
			must(t, os.Mkdir(filepath.Join(dir, "artifact"), 0o755))
			artifact := ""
			if m.ModelDir != "" {
				artifact = "artifact"
			}
			portable := Portable(m, artifact)
			must(t, os.WriteFile(filepath.Join(dir, FileName), portable, 0o600))
			file, err := Load(Options{Dir: dir})
			if err != nil {
				t.Fatalf("%v of\n%s", err, portable)
			}
			if want := moved(m, dir); !reflect.DeepEqual(file.Models[0], want) {
				t.Errorf("got\n%+v\nwant\n%+v\nof\n%s", file.Models[0], want, portable)
			}
		})
	}
}
