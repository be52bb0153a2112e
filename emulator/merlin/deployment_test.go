package merlin_test

import (
	"reflect"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestEveryDeploymentIsAsMerlinMakesIt(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.Input.Case, func(t *testing.T) {
			d := g.deployment()
			if g.Error != "" {
				wantRefusal(t, d, g.Error)
				return
			}
			if refusals := d.Refusals(); len(refusals) > 0 {
				t.Fatalf("refused: %v", refusals)
			}
			wantIdentity(t, d, g)
			wantEnvironment(t, d, g)
			wantContainer(t, d, g)
			wantResources(t, d, g)
		})
	}
}

func wantRefusal(t *testing.T, d merlin.Deployment, want string) {
	t.Helper()
	refusals := d.Refusals()
	if len(refusals) != 1 || refusals[0].Error() != want {
		t.Fatalf("refusals are %v, want %q", refusals, want)
	}
}

func wantIdentity(t *testing.T, d merlin.Deployment, g golden) {
	t.Helper()
	if got, want := d.FullName(), g.InferenceService.Metadata.Name; got != want {
		t.Errorf("full name is %q, want %q", got, want)
	}
	if got, want := d.VersionHost("models.example.com"), g.VirtualService.Spec.Hosts[0]; got != want {
		t.Errorf("version host is %q, want %q", got, want)
	}
}

func wantEnvironment(t *testing.T, d merlin.Deployment, g golden) {
	t.Helper()
	want := g.InferenceService.Spec.Predictor.Containers[0].Env
	var got []merlin.Variable
	for _, v := range d.Variables(merlin.Production()) {
		if v.Source != merlin.FromKnative {
			got = append(got, v)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("environment has %d variables, want %d:\n%v", len(got), len(want), got)
	}
	for i, w := range want {
		if got[i].Name != w.Name || got[i].Value != w.Value {
			t.Errorf("variable %d is %s=%q, want %s=%q", i, got[i].Name, got[i].Value, w.Name, w.Value)
		}
		if w.ValueFrom != nil && (got[i].Source != merlin.FromSecret || got[i].SecretKey != w.ValueFrom.SecretKeyRef.Key) {
			t.Errorf("variable %s comes from %s %q, want secret %q", w.Name, got[i].Source, got[i].SecretKey, w.ValueFrom.SecretKeyRef.Key)
		}
	}
}

func wantContainer(t *testing.T, d merlin.Deployment, g golden) {
	t.Helper()
	want := g.InferenceService.Spec.Predictor.Containers[0]
	if got := merlin.Words(d.Command); !slices.Equal(got, want.Command) {
		t.Errorf("command is %q, want %q", got, want.Command)
	}
	if got := merlin.Words(d.Args); !slices.Equal(got, want.Args) {
		t.Errorf("args are %q, want %q", got, want.Args)
	}
	port, name := 8080, ""
	if len(want.Ports) > 0 {
		port, name = want.Ports[0].ContainerPort, want.Ports[0].Name
	}
	if got := merlin.Production().ServingPort(d.Protocol); got != port {
		t.Errorf("serving port is %d, want %d", got, port)
	}
	if got := d.PortName(); got != name {
		t.Errorf("port name is %q, want %q", got, name)
	}
}

func wantResources(t *testing.T, d merlin.Deployment, g golden) {
	t.Helper()
	predictor := g.InferenceService.Spec.Predictor
	got, err := d.Resources()
	if err != nil {
		t.Fatal(err)
	}
	want := predictor.Containers[0].Resources
	if requests := printed(got.Requests); !reflect.DeepEqual(requests, want.Requests) {
		t.Errorf("requests are %v, want %v", requests, want.Requests)
	}
	if limits := printed(got.Limits); !reflect.DeepEqual(limits, want.Limits) {
		t.Errorf("limits are %v, want %v", limits, want.Limits)
	}
	request := d.Request()
	if request.MinReplica != predictor.MinReplicas || request.MaxReplica != predictor.MaxReplicas {
		t.Errorf("replicas are %d to %d, want %d to %d", request.MinReplica, request.MaxReplica, predictor.MinReplicas, predictor.MaxReplicas)
	}
}

func printed(q merlin.Quantities) map[string]string {
	out := map[string]string{}
	for name, q := range map[string]*resource.Quantity{"cpu": q.CPU, "memory": q.Memory} {
		if q != nil {
			out[name] = q.String()
		}
	}
	return out
}

func TestKnativeAddsItsVariablesLast(t *testing.T) {
	d := merlin.Deployment{Model: "eta", Version: "14", Revision: 2, Protocol: merlin.UPIV1}
	env := d.Variables(merlin.Production())
	got := merlin.Assignments(env[len(env)-4:])
	want := []string{
		"PORT=9000", "K_REVISION=eta-14-r2-predictor-00001",
		"K_CONFIGURATION=eta-14-r2-predictor", "K_SERVICE=eta-14-r2-predictor",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestARawDeploymentHasNoKnativeVariables(t *testing.T) {
	d := merlin.Deployment{Model: "iris", Version: "1", DeploymentMode: merlin.RawDeployment}
	for _, v := range d.Variables(merlin.Production()) {
		if v.Source == merlin.FromKnative {
			t.Errorf("%s is set", v.Name)
		}
	}
}

func TestAVariableSetTwiceIsOverriddenWhereItStandsLast(t *testing.T) {
	d := merlin.Deployment{
		EnvVars: []merlin.EnvVar{{"CARAML_HTTP_PORT", "1"}, {"CARAML_HTTP_PORT", "2"}},
	}
	env := d.Variables(merlin.Production())
	if got, want := merlin.Assignments(env[:2]), []string{"CARAML_HTTP_PORT=1", "CARAML_HTTP_PORT=8080"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestASecretComesAfterTheVariablesUnlessItReplacesOne(t *testing.T) {
	d := merlin.Deployment{
		EnvVars: []merlin.EnvVar{{"A", "plain"}, {"B", "1"}},
		Secrets: []merlin.Secret{{"token", "TOKEN"}, {"a", "A"}},
	}
	env := merlin.Resolve(d.Variables(merlin.Production()), map[string]string{"A": "x", "TOKEN": "y"})
	if got, want := merlin.Assignments(env[:3]), []string{"A=x", "B=1", "TOKEN=y"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if env[0].Source != merlin.FromSecret {
		t.Errorf("A comes from %s", env[0].Source)
	}
}

func TestTheModelReadsItsSecretsAsTheyAre(t *testing.T) {
	d := merlin.Deployment{
		EnvVars: []merlin.EnvVar{{"EARLY", "$(TOKEN)"}},
		Secrets: []merlin.Secret{{"token", "TOKEN"}},
	}
	env := append(d.Variables(merlin.Production()), merlin.Variable{Name: "LATE", Value: "Bearer $(TOKEN)"})
	env = merlin.Resolve(env, map[string]string{"TOKEN": "p$(CARAML_HTTP_PORT)$$x"})
	for _, want := range []string{"EARLY=$(TOKEN)", "TOKEN=p$(CARAML_HTTP_PORT)$$x", "LATE=Bearer p$(CARAML_HTTP_PORT)$$x"} {
		if !slices.Contains(merlin.Assignments(env), want) {
			t.Errorf("%q is not in %q", want, merlin.Assignments(env))
		}
	}
}

func TestReferencesAreExpandedAsTheKubeletDoes(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{"a name set earlier", "$(SET)", "value"},
		{"twice", "$(SET)-$(SET)", "value-value"},
		{"an unknown name stays", "a$(NOPE)b", "a$(NOPE)b"},
		{"a name set later stays", "$(LATER)", "$(LATER)"},
		{"an escaped reference is literal", "$$(SET)", "$(SET)"},
		{"an escape before a reference", "$$$(SET)", "$value"},
		{"a lone dollar stays", "5$ $x $", "5$ $x $"},
		{"an unclosed reference stays", "$(SET", "$(SET"},
		{"an empty name stays", "$()", "$()"},
		{"a result is not expanded again", "$(NESTED)", "$(LATER)"},
		{"Merlin's variable comes later", "$(CARAML_HTTP_PORT)", "$(CARAML_HTTP_PORT)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := merlin.Deployment{EnvVars: []merlin.EnvVar{
				{"SET", "value"}, {"NESTED", "$(LATER)"}, {"UNDER_TEST", c.in}, {"LATER", "late"},
			}}
			env := merlin.Resolve(d.Variables(merlin.Production()), nil)
			if got := env[2].Value; got != c.want {
				t.Errorf("%q became %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestArgsSeeTheWholeEnvironment(t *testing.T) {
	for _, g := range goldens(t) {
		if g.Input.Case != "dollar-references" {
			continue
		}
		d := g.deployment()
		env := merlin.Resolve(d.Variables(merlin.Production()), nil)
		got := merlin.ExpandWords(merlin.Words(d.Args), env)
		want := []string{"--port=8080", "--name=iris-1", "$(X)", "$(NOPE)"}
		if !slices.Equal(got, want) {
			t.Errorf("args are %q, want %q", got, want)
		}
		if got, want := merlin.Assignments(env[:3]), []string{"A=$(B)", "B=x$(B)y", "P=$(A) $(CARAML_HTTP_PORT)"}; !slices.Equal(got, want) {
			t.Errorf("environment starts with %q, want %q", got, want)
		}
		return
	}
	t.Fatal("the case is missing from testdata")
}

func TestLimitsPrintAsKubernetesPrintsThem(t *testing.T) {
	cases := []struct {
		request merlin.ResourceRequest
		cpu     float64
		memory  float64
		want    map[string]string
	}{
		{merlin.ResourceRequest{CPURequest: "1", MemoryRequest: "1536Mi"}, 0, 2, map[string]string{"cpu": "8", "memory": "3Gi"}},
		{merlin.ResourceRequest{CPURequest: "1", MemoryRequest: "700M"}, 0, 1.25, map[string]string{"cpu": "8", "memory": "875000000"}},
		{merlin.ResourceRequest{CPURequest: "0.5", MemoryRequest: "1Gi"}, 1.5, 2, map[string]string{"cpu": "750m", "memory": "2Gi"}},
		{merlin.ResourceRequest{CPURequest: "250m", CPULimit: "1500m", MemoryRequest: "1Gi"}, 3, 0, map[string]string{"cpu": "1500m"}},
		{merlin.ResourceRequest{CPURequest: "1", CPULimit: "0", MemoryRequest: "1Gi"}, 0, 0, map[string]string{"cpu": "8"}},
	}
	for _, c := range cases {
		d := merlin.Deployment{ResourceRequest: &c.request, Platform: merlin.DefaultPlatform()}
		d.Platform.UserContainerCPULimitRequestFactor = c.cpu
		d.Platform.UserContainerMemoryLimitRequestFactor = c.memory
		got, err := d.Resources()
		if err != nil {
			t.Fatal(err)
		}
		if limits := printed(got.Limits); !reflect.DeepEqual(limits, c.want) {
			t.Errorf("%+v: limits are %v, want %v", c.request, limits, c.want)
		}
	}
}

func TestAQuantityThatCannotBeReadIsNamed(t *testing.T) {
	d := merlin.Deployment{ResourceRequest: &merlin.ResourceRequest{CPURequest: "two"}}
	if _, err := d.Resources(); err == nil || err.Error() != `cpu_request: "two" is no Kubernetes quantity, such as 500m, 2 or 1Gi` {
		t.Errorf("error is %v", err)
	}
}

func TestMerlinRefusesWhatThePlatformDoesNotAllow(t *testing.T) {
	d := merlin.Deployment{
		ResourceRequest: &merlin.ResourceRequest{CPURequest: "9", MemoryRequest: "20Gi", MaxReplica: 11},
		Platform:        merlin.Platform{MaxCPU: "8", MaxMemory: "16Gi", MaxAllowedReplica: 10},
	}
	want := []merlin.Refusal{
		{Field: "resource_request.cpu_request", Message: "CPU request is too large"},
		{Field: "resource_request.memory_request", Message: "memory request too large"},
		{Field: "resource_request.max_replica", Message: "requested max replicas is more than max permissible"},
	}
	if got := d.Refusals(); !slices.Equal(got, want) {
		t.Errorf("refusals are %v, want %v", got, want)
	}
	d.ResourceRequest = &merlin.ResourceRequest{CPURequest: "8", MemoryRequest: "16Gi", MaxReplica: 10}
	if got := d.Refusals(); len(got) > 0 {
		t.Errorf("the maximum itself is refused: %v", got)
	}
}

func TestModelPropertiesNameImageCommandAndArgs(t *testing.T) {
	d := merlin.Deployment{Image: "iris:v1", Command: "python -m server", Args: "--workers 2"}
	want := "image = iris:v1\ncommand = python -m server\nargs = --workers 2\n"
	if got := string(d.Properties()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
