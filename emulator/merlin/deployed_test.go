package merlin_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestTheWayBackFromEveryManifestOfMerlinGivesItAgain(t *testing.T) {
	for _, g := range goldens(t) {
		if g.Error == "" {
			t.Run(g.Input.Case, func(t *testing.T) { wantTheSameAgain(t, g.deployment()) })
		}
	}
}

func wantTheSameAgain(t *testing.T, d merlin.Deployment) merlin.Deployment {
	t.Helper()
	isvc, err := d.InferenceService()
	if err != nil {
		t.Fatal(err)
	}
	back := merlin.Deployed(isvc, d.Platform.Domain)
	again, err := back.InferenceService()
	if err != nil {
		t.Fatal(err)
	}
	wantObject(t, object(t, again), object(t, isvc))
	wantObject(t, object(t, back.VirtualService()), object(t, d.VirtualService()))
	return back
}

func TestTheWayBackHoldsForAnyDeployment(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		wantTheSameAgain(t, anyDeployment(random))
		if t.Failed() {
			return
		}
	}
}

// anyDeployment is one that Merlin takes, of few names so that they meet.
func anyDeployment(r *rand.Rand) merlin.Deployment {
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	names := []string{
		"A", "B", "C", "STORAGE_URI", "MERLIN_PREDICTOR_PORT", "CARAML_ARTIFACT_LOCATION",
		"CARAML_HTTP_PORT", "CARAML_MODEL_NAME", "CARAML_MODEL_VERSION",
	}
	d := merlin.Deployment{
		Project: "sample", Model: one("iris", "a-1", "x-1-r2"), Version: one("1", "14"), Revision: r.IntN(3),
		Protocol: merlin.Protocol(one("HTTP_JSON", "UPI_V1")), Image: "iris:v1", ArtifactURI: one("", "gs://b/model", "gs://b/a"),
		Command: one("", "a", " ", "a  b "), Args: one("", "--x=$(A) ", "  "),
		DeploymentMode: merlin.DeploymentMode(one("serverless", "")), Team: one("", "dsp"), Environment: one("", "prod"),
		Labels:   []merlin.Label{{Key: one("tier", "app", "managed"), Value: one("", "gold")}},
		Platform: merlin.DefaultPlatform(),
	}
	for range r.IntN(5) {
		d.EnvVars = append(d.EnvVars, merlin.EnvVar{Name: names[r.IntN(len(names))], Value: one("", "1", "x$(A)")})
	}
	for _, i := range r.Perm(3)[:r.IntN(3)] { // a secret's variable is unique
		d.Secrets = append(d.Secrets, merlin.Secret{MLPSecretName: one("k", "l"), EnvVarName: names[i]})
	}
	d.Platform.DefaultEnvVarsWithoutCPULimits = []merlin.EnvVar{{Name: one("A", "WORKERS"), Value: "1"}}
	d.Platform.UserContainerMemoryLimitRequestFactor = []float64{0, 1, 1.25, 2, 3.3}[r.IntN(5)]
	d.Platform.UserContainerCPULimitRequestFactor = []float64{0, 0, 1.5}[r.IntN(3)]
	d.ResourceRequest = &merlin.ResourceRequest{
		CPURequest: one("1", "0.5", "250m"), CPULimit: one("", "8", "3"), MemoryRequest: one("1Gi", "500Mi", "700M", "1536Mi", "333333333"),
		MinReplica: r.IntN(2), MaxReplica: 1 + r.IntN(3),
	}
	policy := &merlin.AutoscalingPolicy{MetricsType: one("rps", "concurrency", "cpu_utilization", "memory_utilization"), TargetValue: 1 + float64(r.IntN(10000))/100}
	switch r.IntN(3) {
	case 0:
		d.AutoscalingPolicy = policy
	case 1:
		d.DeploymentMode, policy.MetricsType = merlin.RawDeployment, "cpu_utilization"
		d.AutoscalingPolicy = policy
	}
	return d
}

func TestTheWayBackFindsTheRoundNumbersThatWereAskedFor(t *testing.T) {
	d := merlin.Deployment{
		Model: "iris", Version: "1",
		ResourceRequest:   &merlin.ResourceRequest{CPURequest: "1", MemoryRequest: "1Gi", MaxReplica: 1},
		AutoscalingPolicy: &merlin.AutoscalingPolicy{MetricsType: "memory_utilization", TargetValue: 70},
		Platform:          merlin.DefaultPlatform(),
	}
	d.Platform.UserContainerMemoryLimitRequestFactor = 1.3
	back := wantTheSameAgain(t, d)
	if got := back.AutoscalingPolicy.TargetValue; got != 70 {
		t.Errorf("the share of memory is %v, want 70", got)
	}
	if got := back.Platform.UserContainerMemoryLimitRequestFactor; got != 1.3 {
		t.Errorf("the memory factor is %v, want 1.3", got)
	}
	if got := back.ResourceRequest.CPULimit; got != "" {
		t.Errorf("the platform's CPU limit became the user's: %s", got)
	}
}

func TestASecretAmongVariablesKeepsItsPlace(t *testing.T) {
	d := merlin.Deployment{
		Model: "iris", Version: "1", Platform: merlin.DefaultPlatform(),
		EnvVars: []merlin.EnvVar{{Name: "DB", Value: "plain"}, {Name: "B", Value: "1"}},
		Secrets: []merlin.Secret{{MLPSecretName: "db", EnvVarName: "DB"}, {MLPSecretName: "t", EnvVarName: "TOKEN"}},
	}
	back := wantTheSameAgain(t, d)
	if want := []merlin.EnvVar{{Name: "DB"}, {Name: "B", Value: "1"}}; !slices.Equal(back.EnvVars, want) {
		t.Errorf("variables are %v, want %v", back.EnvVars, want)
	}
	if !slices.Equal(back.Secrets, d.Secrets) {
		t.Errorf("secrets are %v, want %v", back.Secrets, d.Secrets)
	}
}

func TestAnInferenceServiceWithoutMerlinsVariablesIsReadByItsName(t *testing.T) {
	for name, want := range map[string][2]string{
		"iris-1": {"iris", "1"}, "my-iris-2-14-r3": {"my-iris-2", "14"}, "iris": {"", ""}, "": {"", ""}, "1": {"", ""},
	} {
		d := merlin.Deployed(merlin.InferenceService{Metadata: merlin.Metadata{Name: name}}, "")
		if d.Model != want[0] || d.Version != want[1] {
			t.Errorf("%q is model %q, version %q, want %q", name, d.Model, d.Version, want)
		}
		if want[0] != "" && strings.HasSuffix(name, "-r3") && d.Revision != 3 {
			t.Errorf("%q is revision %d", name, d.Revision)
		}
	}
}
