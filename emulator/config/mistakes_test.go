package config

import (
	"errors"
	"path/filepath"
	"testing"
)

func TestAllMistakesAreToldAtOnceInOrder(t *testing.T) {
	_, err := Load(Options{Path: filepath.Join("testdata", "mistakes.yaml")})
	if err == nil {
		t.Fatal("no error")
	}
	golden(t, "mistakes.golden", portable(t, err.Error())+"\n")
}

func TestAMistakeHasItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, yaml   string
		line, column int
		message      string
	}{
		{"a syntax error", "a: [1\nb: 2\n", 2, 1, "not YAML"},
		{"a tab", "model: x\nenv_vars:\n\tA: 1\n", 3, 1, "not YAML"},
		{"a list as the file", "- model: a\n", 1, 1, "wants a mapping, not a list"},
		{"a text as the file", "hello\n", 1, 1, "wants a mapping"},
		{"a second document", "model: a\n---\nmodel: b\n", 3, 1, "second YAML document"},
		{"an unknown tag", "model: !name a\n", 1, 8, "!name means nothing here"},
		{"after a byte order mark and CRLF", "\ufeffmodel: a\r\n\r\nprotcol: b\r\n", 3, 1, "did you mean protocol?"},
		{"after letters of several bytes", "env_vars: {A: \"日本é\", 日: 1}\n", 1, 22, `"日" is no name here`},
		{"a key that exists in other spelling", "modelDir: a\n", 1, 1, "did you mean model_dir?"},
		{"a key one level too high", "min_replica: 1\n", 1, 1, "belongs under resource_request"},
		{"a path for a probe that asks none", "liveness_probe: {kind: tcp, path: /a}\n", 1, 35, "kind tcp asks no path"},
		{"a model's key beside models", "image: a\nmodels: [{}]\n", 1, 1, "belongs under models"},
		{"no models", "models: []\n", 1, 9, "at least 1"},
		{"models as null", "models:\n", 1, 1, "models is missing"},
		{"a merge of a text", "<<: a\n", 1, 1, "<< merges a mapping"},
		{"an alias inside of its own anchor", "env_vars: &x [*x]\n", 1, 15, "*x stands for nothing"},
		{"a mistake behind an alias", "env_vars: {A: &v [1]}\nargs: *v\n", 1, 18, "wants text"},
		{"a whole number in quotes", "revision: '1'\n", 1, 11, "without quotes"},
		{"a number that is none", "autoscaling_policy: {metrics_type: rps, target_value: .inf}\n", 1, 55, "wants a number above 0"},
		{"a quantity in other words", "resource_request: {memory_request: 1GB}\n", 1, 36, "such as 500Mi"},
		{"a missing Dockerfile", "build:\n  dockerfile: Prod\n", 2, 15, "no such file"},
		{"a file for a folder", "model_dir: Dockerfile\n", 1, 12, "no such folder"},
		{"two versions too many", "models:\n- {image: x}\n- {image: x, version: 2}\n- {image: x, version: 3}\n", 4, 23, "a third version"},
		{"the same model in two projects", "models:\n- {image: x}\n- {image: x, project: b}\n", 3, 3, "twice in one session"},
		{"an empty secret", "secrets: [null]\n", 1, 11, "an empty element"},
		{"a build secret of two kinds", "build: {secrets: [{id: a, src: b, env: c}]}\n", 1, 19, "either src"},
		{"a long text", "protocol: " + long(100) + "\n", 1, 11, `"` + long(60) + `…" is not known`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := loadText(t, c.yaml)
			var all Errors
			if !errors.As(err, &all) {
				t.Fatalf("got %v", err)
			}
			if e := all[0]; e.Line != c.line || e.Column != c.column || e.File != FileName {
				t.Errorf("got %v, want line %d column %d", e, c.line, c.column)
			}
			wantText(t, all[0], c.message)
		})
	}
}

func long(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'x'
	}
	return string(b)
}

func TestAMistakeBehindAnAliasIsToldOnce(t *testing.T) {
	_, err := loadText(t, "models:\n- {model: a, image: x, resource_request: &r {cpu_request: no}}\n- {model: b, image: x, resource_request: *r}\n")
	var all Errors
	if !errors.As(err, &all) || len(all) != 1 {
		t.Errorf("got %v", err)
	}
}

func TestRawDeploymentsMayUseKnativesNames(t *testing.T) {
	m := model(t, "deployment_mode: raw_deployment\nenv_vars: {PORT: 80}\n")
	equal(t, m.Deployment.EnvVars[0].Value, "80")
}

func TestAFileThatIsTooLargeIsRefused(t *testing.T) {
	_, err := loadText(t, "args: "+long(maxSize))
	wantText(t, err, "larger than 256 KiB")
}

func TestOthersMistakesGetThePlaceOfTheirKey(t *testing.T) {
	f, err := loadText(t, "platform: {max_cpu: 1}\nmodels:\n- {model: a, image: x}\n- model: b\n  image: x\n  resource_request:\n    cpu_request: 2\n")
	must(t, err)
	for path, want := range map[string][2]int{
		"resource_request.cpu_request": {7, 18},
		"resource_request.cpu_limit":   {7, 5},
		"platform.max_cpu":             {1, 21},
		"version":                      {4, 3},
	} {
		line, column := f.Position(1, path)
		equal(t, [2]int{line, column}, want)
	}
	equal(t, f.Mistake(1, "resource_request.cpu_request", "too large").Error(),
		FileName+":7:18: models[1].resource_request.cpu_request: too large")

	f = loadFrom(t, repo(t, nil), Overrides{Image: "x"})
	equal(t, f.Mistake(0, "image", "unknown").Error(), "--image: unknown")
	equal(t, f.Mistake(0, "artifact_uri", "missing").Error(), "artifact_uri: missing")
}
