package config

import (
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestValuesKeepTheTextAsWritten(t *testing.T) {
	for written, want := range map[string]string{
		"1.10": "1.10", "010": "010", "0x1F": "0x1F", "1_000": "1_000", "1e3": "1e3", "+1": "+1", ".inf": ".inf",
		"yes": "yes", "No": "No", "true": "true", "TRUE": "TRUE", "2024-01-01": "2024-01-01", "12:30:45": "12:30:45",
		"": "", "~": "", "null": "", "''": "", `"null"`: "null", "nullable": "nullable",
		`"a\nb\té"`: "a\nb\té", `'it''s'`: "it's", `'C:\models'`: `C:\models`, `C:\models`: `C:\models`,
		"$(OTHER) $$(X) ${Y} $Z":  "$(OTHER) $$(X) ${Y} $Z",
		"|\n     one\n     two\n": "one\ntwo\n", ">-\n     one\n     two\n": "one two", "|-\r\n     one\r\n     two\r\n": "one\ntwo",
		"a # comment": "a", "a#b": "a#b", "http://x:1/?a=b&c": "http://x:1/?a=b&c", "!!str 1.10": "1.10",
		`{"a": 1}`: "",
	} {
		f, err := loadText(t, "env_vars:\n - name: A\n   value: "+written)
		if written == `{"a": 1}` {
			wantText(t, err, "wants text, not a mapping")
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", written, err)
			continue
		}
		equal(t, f.Models[0].Deployment.EnvVars[0].Value, want)
	}
}

func TestVariablesAreAMappingOrAListInOrder(t *testing.T) {
	want := []merlin.EnvVar{{Name: "Z", Value: "1"}, {Name: "A", Value: "2"}, {Name: "a.b-c", Value: ""}}
	equal(t, model(t, "env_vars:\n  Z: 1\n  A: 2\n  a.b-c:\n").Deployment.EnvVars, want)
	equal(t, model(t, "env_vars:\n- {name: Z, value: 1}\n- {value: 2, name: A}\n- name: a.b-c\n").Deployment.EnvVars, want)
	equal(t, model(t, `{"env_vars": {"Z": 1, "A": "2", "a.b-c": null}}`).Deployment.EnvVars, want)
}

func TestAnchorsAliasesAndMergesWork(t *testing.T) {
	f, err := loadText(t, `
models:
  - &base
    model: one
    image: &image ghcr.io/acme/one:v1
    env_vars: &vars { A: 1, B: 2 }
  - <<: *base
    model: two
    env_vars:
      <<: [*vars, { B: 9, C: 3 }]
      A: 1.10
  - { model: three, image: *image, env_vars: *vars }
`)
	must(t, err)
	two, three := f.Models[1].Deployment, f.Models[2].Deployment
	if two.Image != "ghcr.io/acme/one:v1" || three.Image != two.Image || two.Model != "two" {
		t.Errorf("got %+v", two)
	}
	equal(t, two.EnvVars, []merlin.EnvVar{{Name: "A", Value: "1.10"}, {Name: "B", Value: "2"}, {Name: "C", Value: "3"}})
	equal(t, three.EnvVars, f.Models[0].Deployment.EnvVars)
}

func TestFilesOfNothingAreDefaults(t *testing.T) {
	for _, content := range []string{"", "# only a comment\n", "---\n", "null\n", "{}", "\ufeff", "\r\n", "%YAML 1.2\n---\n"} {
		if m := model(t, content); m.ID() != "my-iris-model-1" || m.Build == nil {
			t.Errorf("%q: got %+v", content, m)
		}
	}
}

func TestNullMeansNotGiven(t *testing.T) {
	m := model(t, "version:\nprotocol: null\nplatform: ~\nbuild:\nenv_vars:\n")
	if m.Deployment.Version != "1" || m.Deployment.Protocol != merlin.HTTPJSON || m.Build == nil {
		t.Errorf("got %+v", m)
	}
}
