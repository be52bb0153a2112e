package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// deployed are the objects of every case that Merlin deployed, as kubectl would have
// them: InferenceService and VirtualService.
func deployed(t *testing.T) map[string][2]map[string]any {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("..", "merlin", "testdata", "deployments.json"))
	must(t, err)
	var cases []struct {
		Input            struct{ Case string }
		InferenceService map[string]any `json:"inference_service"`
		VirtualService   map[string]any `json:"virtual_service"`
	}
	must(t, json.Unmarshal(src, &cases))
	all := map[string][2]map[string]any{}
	for _, c := range cases {
		if c.InferenceService != nil {
			c.InferenceService["apiVersion"], c.InferenceService["kind"] = "serving.kserve.io/v1beta1", "InferenceService"
			all[c.Input.Case] = [2]map[string]any{c.InferenceService, c.VirtualService}
		}
	}
	if len(all) != 26 {
		t.Fatalf("%d cases, want 26", len(all))
	}
	return all
}

// draftOf makes a draft that carries everything.
func draftOf(t *testing.T, src []byte) *Draft {
	t.Helper()
	draft, err := FromManifests("isvc.yaml", src)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	if len(draft.Lost) > 0 {
		t.Fatalf("lost: %v\n%s", draft.Lost, src)
	}
	return draft
}

// wantManifests loads a draft as a file and compares what Merlin makes of it.
func wantManifests(t *testing.T, draft *Draft, want [2]map[string]any) {
	t.Helper()
	d := model(t, string(draft.Text)).Deployment
	isvc, err := d.InferenceService()
	must(t, err)
	for i, made := range []any{isvc, d.VirtualService()} {
		text, err := json.Marshal(made)
		must(t, err)
		var got map[string]any
		must(t, json.Unmarshal(text, &got))
		if !reflect.DeepEqual(got, want[i]) {
			t.Errorf("got\n%s\nwant\n%s\nof\n%s", dump(t, got), dump(t, want[i]), draft.Text)
		}
	}
}

func TestEveryManifestOfMerlinGoesThroughAFileUnchanged(t *testing.T) {
	s := compiled(t)
	for name, objects := range deployed(t) {
		t.Run(name, func(t *testing.T) {
			asYAML, err := YAML(objects[0], objects[1])
			must(t, err)
			asJSON, err := json.Marshal([]any{objects[0], objects[1]})
			must(t, err)
			asList, err := json.MarshalIndent(map[string]any{"apiVersion": "v1", "kind": "List", "items": objects}, "", "\t")
			must(t, err)
			for _, src := range [][]byte{asYAML, asJSON, asList} {
				draft := draftOf(t, src)
				wantManifests(t, draft, objects)
				if err := validate(t, s, string(draft.Text)); err != nil {
					t.Errorf("the schema says %v of\n%s", err, draft.Text)
				}
			}
		})
	}
}

// asTheClusterHasIt adds what the API server and the controllers do.
func asTheClusterHasIt(objects [2]map[string]any) {
	for _, o := range objects {
		meta := o["metadata"].(map[string]any)
		meta["creationTimestamp"], meta["uid"], meta["resourceVersion"] = "2026-01-02T03:04:05Z", "6d1b-4c", "81234"
		meta["generation"], meta["finalizers"] = 3, []string{"inferenceservice.finalizers"}
		meta["managedFields"] = []any{map[string]any{"manager": "merlin", "fieldsV1": map[string]any{"f:spec": map[string]any{".": map[string]any{}}}}}
	}
	annotations := objects[0]["metadata"].(map[string]any)["annotations"].(map[string]any)
	annotations["kubectl.kubernetes.io/last-applied-configuration"] = "{\"a\":\n\"b\"}\n"
	predictor := objects[0]["spec"].(map[string]any)["predictor"].(map[string]any)
	container := predictor["containers"].([]any)[0].(map[string]any)
	container["terminationMessagePath"], container["imagePullPolicy"] = "/dev/termination-log", "IfNotPresent"
	container["volumeMounts"], predictor["nodeSelector"] = []any{}, map[string]any{}
	objects[0]["status"] = map[string]any{
		"url":        "http://" + objects[0]["metadata"].(map[string]any)["name"].(string) + ".sample.models.example.com",
		"conditions": []any{map[string]any{"type": "Ready", "status": "True"}},
	}
}

func TestWhatTheClusterAddsIsPassedOver(t *testing.T) {
	plain := deployed(t)
	for name, objects := range deployed(t) {
		t.Run(name, func(t *testing.T) {
			asTheClusterHasIt(objects)
			asYAML, err := YAML(objects[0], objects[1])
			must(t, err)
			wantManifests(t, draftOf(t, asYAML), plain[name])
			alone, err := YAML(objects[0])
			must(t, err)
			wantManifests(t, draftOf(t, alone), plain[name])
		})
	}
}

func TestTheDomainComesFromTheRouteOrElseTheStatus(t *testing.T) {
	for _, withRoute := range []bool{true, false} {
		objects := deployed(t)["http-revision-3"]
		asTheClusterHasIt(objects)
		src, err := YAML(objects[0])
		if withRoute {
			src, err = YAML(objects[0], objects[1])
		}
		must(t, err)
		src = []byte(strings.ReplaceAll(string(src), "models.example.com", "models.acme.org"))
		equal(t, draftOf(t, src).Models[0].Deployment.Platform.Domain, "models.acme.org")
	}
}

func TestSeveralInferenceServicesAreSeveralModels(t *testing.T) {
	all := deployed(t)
	src, err := YAML(all["http-minimal"][0], all["upi-revision-2"][1], all["upi-revision-2"][0])
	must(t, err)
	draft := draftOf(t, src)
	f, err := loadText(t, string(draft.Text))
	must(t, err)
	equal(t, []string{f.Models[0].Deployment.FullName(), f.Models[1].Deployment.FullName()}, []string{"iris-1", "eta-14-r2"})
}

// TestAnyTextGoesThroughAManifestAndAFile holds for values that YAML reads as something
// else where nobody quotes them.
func TestAnyTextGoesThroughAManifestAndAFile(t *testing.T) {
	d := merlin.Deployment{
		Project: "sample", Model: "iris", Version: "1", Protocol: merlin.HTTPJSON, Image: "iris:v1",
		DeploymentMode: merlin.Serverless, Platform: merlin.DefaultPlatform(),
	}
	for i, text := range oddTexts() {
		d.EnvVars = append(d.EnvVars, merlin.EnvVar{Name: fmt.Sprintf("V%d", i), Value: text})
	}
	d.EnvVars = append(d.EnvVars, merlin.EnvVar{Name: "null", Value: "a"}, merlin.EnvVar{Name: "yes", Value: "b"}, merlin.EnvVar{Name: "-.", Value: "c"})
	d.Args = strings.Join(oddTexts(), " ")
	isvc, err := d.InferenceService()
	must(t, err)
	asYAML, err := YAML(isvc)
	must(t, err)
	asJSON, err := json.Marshal(isvc)
	must(t, err)
	for _, src := range [][]byte{asYAML, asJSON} {
		back := model(t, string(draftOf(t, src).Text)).Deployment
		equal(t, back.EnvVars, d.EnvVars)
		equal(t, back.Args, d.Args)
	}
}

func oddTexts() []string {
	return []string{
		"", " ", "1.10", "010", "0x1F", "1e3", "1_000", "12:30:45", "2001-01-01", "yes", "No", "on", "y", "true", "NULL", "~", "null",
		".inf", ".NaN", "-", "- a", "a: b", "a:", ": a", "#a", "a #b", "[a]", "{a: b}", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a`", "'a'", "\"a\"", "=", "<<",
		"$(A)", "$$(A)", "a\\nb", "C:\\users\\x", "one\ntwo\n", "\n", "\r\n", "\ttab", "trailing ", " leading", "ünï", "日本", "🙂", "\u0085", "\u2028", "\ufeff", "\x00\x7f\u009f", "\U0010ffff", "---", "...", "--- a", "? a", strings.Repeat("long ", 400),
	}
}

// FuzzYAMLText holds for any text: this reader and the library's take it for itself,
// as a value and as a key.
func FuzzYAMLText(f *testing.F) {
	for _, text := range oddTexts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		if len(text) > longestKey || len(text) == 0 {
			return
		}
		src, err := YAML(map[string]any{"k": text, "list": []string{text}, "deep": []any{map[string]string{text: text}}})
		must(t, err)
		report := &report{}
		tree, ok := parse(src, report)
		if !ok || !report.empty() {
			t.Fatalf("%q is written as\n%s\n%v", text, src, report.errors)
		}
		deep := tree.find("deep").items[0].fields[0]
		for _, got := range []string{tree.find("k").text, tree.find("list").items[0].text, deep.key, deep.value.text} {
			if got != text {
				t.Errorf("%q came back as %q from\n%s", text, got, src)
			}
		}
		var library struct{ K any }
		must(t, yaml.Unmarshal(src, &library))
		if library.K != text {
			t.Errorf("%q came back as %#v from\n%s", text, library.K, src)
		}
	})
}
