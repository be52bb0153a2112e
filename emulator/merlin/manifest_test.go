package merlin_test

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// goldenObjects are the complete objects that Merlin made, by case. It names neither
// apiVersion nor kind of the InferenceService, as Go's client does not.
func goldenObjects(t *testing.T) map[string][2]map[string]any {
	t.Helper()
	data, err := os.ReadFile("testdata/deployments.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Input            struct{ Case string }
		InferenceService map[string]any `json:"inference_service"`
		VirtualService   map[string]any `json:"virtual_service"`
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	all := map[string][2]map[string]any{}
	for _, c := range cases {
		if c.InferenceService != nil {
			c.InferenceService["apiVersion"] = "serving.kserve.io/v1beta1"
			c.InferenceService["kind"] = "InferenceService"
		}
		all[c.Input.Case] = [2]map[string]any{c.InferenceService, c.VirtualService}
	}
	return all
}

// object is a value as JSON has it.
func object(t *testing.T, v any) map[string]any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func wantObject(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		g, _ := json.MarshalIndent(got, "", " ")
		w, _ := json.MarshalIndent(want, "", " ")
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func TestEveryManifestIsAsMerlinMakesItFieldByField(t *testing.T) {
	objects := goldenObjects(t)
	made := 0
	for _, g := range goldens(t) {
		t.Run(g.Input.Case, func(t *testing.T) {
			d := g.deployment()
			isvc, err := d.InferenceService()
			if g.Error != "" {
				if err == nil || err.Error() != g.Error {
					t.Errorf("error is %v, want %q", err, g.Error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantObject(t, object(t, isvc), objects[g.Input.Case][0])
			wantObject(t, object(t, d.VirtualService()), objects[g.Input.Case][1])
			made++
		})
	}
	if made != 26 {
		t.Errorf("%d cases have manifests, want 26", made)
	}
}

func TestMerlinLeavesOutLabelsThatAreItsOwnOrNone(t *testing.T) {
	d := merlin.Deployment{
		Model: "iris", Version: "1", Team: "dsp", Environment: "staging",
		Labels: []merlin.Label{
			{Key: "tier", Value: "gold"},
			{Key: "team", Value: "mine"},
			{Key: "managed", Value: "true"},
			{Key: "acme.com/cost", Value: "7"},
			{Key: "note", Value: "two words"},
		},
	}
	isvc, err := d.InferenceService()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"app": "iris", "component": "model-version", "environment": "staging", "orchestrator": "merlin",
		"stream": "", "team": "dsp", "tier": "gold",
	}
	wantObject(t, isvc.Metadata.Labels, want)
	wantObject(t, d.VirtualService().Metadata.Labels, want)
}

func TestAQuantityThatCannotBeReadHasNoManifest(t *testing.T) {
	d := merlin.Deployment{ResourceRequest: &merlin.ResourceRequest{CPURequest: "two"}}
	if _, err := d.InferenceService(); err == nil {
		t.Error("no error")
	}
}
