package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatIsNotCarriedIsToldByItsField(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("testdata", "isvc-odd.yaml"))
	must(t, err)
	draft, err := FromManifests("isvc-odd.yaml", src)
	must(t, err)
	golden(t, "isvc-odd.golden", draft.Lost.Error()+"\n\n"+string(draft.Text))
	if strings.Contains(draft.Lost.Error(), "hunter2") {
		t.Error("a variable's value is told")
	}
	_, err = loadText(t, string(draft.Text))
	must(t, err)
}

func TestManifestsThatAreNoneAreRefusedWithTheirPlace(t *testing.T) {
	isvc := "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: iris-1, namespace: sample}\nspec: {predictor: "
	for _, c := range []struct{ name, src, want string }{
		{"empty", "", "m:1:1: no InferenceService is in it"},
		{"no object", "a: 1\n", "m:1:1: wants an object of Kubernetes with apiVersion and kind, not a mapping"},
		{"text", "Error from server (NotFound)", "m:1:1: wants an object of Kubernetes with apiVersion and kind, not \"Error from server (NotFound)\""},
		{"another kind", "apiVersion: v1\nkind: Secret\n", "m:1:1: no InferenceService is in it"},
		{"an old version", "kind: InferenceService\napiVersion: serving.kubeflow.org/v1alpha2\n", `m:2:13: apiVersion: "serving.kubeflow.org/v1alpha2" is not known: wants serving.kserve.io/v1beta1`},
		{"a standard model", isvc + "{sklearn: {storageUri: x}}}", `m:4:19: spec.predictor: no custom model: the predictor has no containers, but "sklearn"`},
		{"no image", isvc + "{containers: [{name: kserve-container}]}}", "m:4:33: spec.predictor.containers: the model's container has no image"},
		{"no model's name", strings.Replace(isvc, "iris-1", "iris", 1) + "{containers: [{image: a}]}}", `m:3:18: metadata.name: "iris" is no model of Merlin's: wants {model}-{version}, such as iris-1`},
		{"a number for text", isvc + "{containers: [{image: a, env: [{name: A, value: 8080}]}]}}", "m:4:67: spec.predictor.containers.env.value: wants text, not a JSON number"},
		{"text for a number", isvc + "{minReplicas: two, containers: [{image: a}]}}", "m:4:33: spec.predictor.minReplicas: wants a whole number, not a JSON string"},
		{"a mapping for a list", isvc + "{containers: {image: a}}}", "m:4:32: spec.predictor.containers: wants a list, not a JSON object"},
		{"an image with spaces", isvc + "{containers: [{image: a b}]}}", `m:4:41: image: "a b" is not allowed: wants an image reference without spaces`},
		{"fewer at most than at least", isvc + "{minReplicas: 3, maxReplicas: 2, containers: [{image: a}]}}", "m:4:33: resource_request.min_replica: 3 is more than max_replica, which is 2"},
		{"a memory that is none", isvc + "{containers: [{image: a, resources: {requests: {memory: lots}}}]}}", `m:4:75: resource_request.memory_request: "lots" is not allowed`},
		{"a Knative variable", isvc + "{containers: [{image: a, env: [{name: PORT}]}]}}", "m:4:49: env_vars: PORT is Knative's own"},
		{"a project that is none", strings.Replace(isvc, "sample", "Sample", 1) + "{containers: [{image: a}]}}", `m:3:37: project: "Sample" is not allowed`},
		{"no YAML", "a: [\n", "m:1:4: not YAML: "},
		{"no JSON", "{\"a\":\n 1,}", "m:2:4: not JSON: "},
		{"JSON that ends", "{\"a\": [1,", "m:1:10: not JSON: unexpected EOF"},
		{"a key twice", "{\"a\": 1, \"a\": 2}", `m:1:10: not JSON: the key "a" is written twice`},
		{"not UTF-8", "a: é\nb: \xff", "m:2:4: not text in UTF-8"},
		{"too deep YAML", "a: " + strings.Repeat("[", 300), "m:1:204: nested deeper than 200"},
		{"too deep dashes", strings.Repeat("- ", 300), "nested deeper than 200"},
		{"too deep JSON", strings.Repeat("[", 300), "m:1:202: not JSON: nested deeper than 200"},
		{"too large", strings.Repeat("{", maxManifests+1), "m:1:1: larger than 1024 KiB: give fewer objects"},
		{"too large for YAML", strings.Repeat("#", maxSize+1), "m:1:1: larger than 256 KiB"},
		{"no words' list", isvc + "{containers: [{image: a, command: sh}]}}", "m:4:53: spec.predictor.containers.command: wants a list, not a JSON string"},
		{"aliases without end", bomb(isvc), "m:1:1: its aliases stand for more than an object can hold"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := FromManifests("m", []byte(c.src))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func bomb(isvc string) string {
	var b strings.Builder
	b.WriteString(isvc + "{containers: [{image: a}]}}\nbomb:\n  a0: &a0 [x]\n")
	for i := range 12 {
		at, next := string(rune('0'+i)), string(rune('0'+i+1))
		b.WriteString("  a" + next + ": &a" + next + " [" + strings.Repeat("*a"+at+", ", 9) + "*a" + at + "]\n")
	}
	return b.String()
}

// FuzzFromManifests holds for any bytes: a mistake has its place; and what Merlin makes
// of a draft makes the same draft again, with nothing lost.
func FuzzFromManifests(f *testing.F) {
	odd, err := os.ReadFile(filepath.Join("testdata", "isvc-odd.yaml"))
	must(f, err)
	f.Add(odd)
	raw, err := os.ReadFile(filepath.Join("..", "merlin", "testdata", "deployments.json"))
	must(f, err)
	for part := range strings.SplitSeq(string(raw), `"inference_service":`) {
		object, _, _ := strings.Cut(part, `"input":`)
		f.Add([]byte(`{"apiVersion":"serving.kserve.io/v1beta1","kind":"InferenceService",` + strings.TrimSuffix(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(object), "{")), ",")))
	}
	f.Add([]byte("- &a [*a]\n- {kind: InferenceService, apiVersion: serving.kserve.io/v1beta1, spec: {predictor: {containers: [{}, *a, null]}}}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		draft, err := FromManifests("m", src)
		if err == nil {
			drawnAgain(t, draft)
			return
		}
		var all Errors
		if !errors.As(err, &all) || len(all) == 0 {
			t.Fatalf("got %T: %v", err, err)
		}
		for _, e := range all {
			if e.Line < 1 || e.Column < 1 || e.Message == "" {
				t.Errorf("a mistake without a place: %#v", e)
			}
		}
	})
}

func drawnAgain(t *testing.T, draft *Draft) {
	t.Helper()
	for _, l := range draft.Lost {
		if l.Line < 1 || l.Column < 1 {
			t.Errorf("lost without a place: %#v", l)
		}
	}
	for i := range draft.Models {
		d := draft.Models[i].Deployment
		isvc, err := d.InferenceService()
		if err != nil {
			return // Merlin refuses it: told among what is lost
		}
		src, err := YAML(isvc, d.VirtualService())
		must(t, err)
		again, err := FromManifests("m", src)
		if err != nil || len(again.Lost) > 0 {
			t.Fatalf("%v %v of\n%s\nof\n%s", err, again, src, draft.Text)
		}
		twice, err := again.Models[0].Deployment.InferenceService()
		must(t, err)
		equal(t, twice, isvc)
	}
}
