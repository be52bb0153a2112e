package merlin

import (
	"cmp"
	"strconv"
)

// Source tells who set a variable.
type Source string

// The sources of a variable.
const (
	FromUser     Source = "user"
	FromSecret   Source = "secret"
	FromPlatform Source = "platform"
	FromMerlin   Source = "merlin"
	FromKnative  Source = "knative"
)

// Variable is one variable of the container.
type Variable struct {
	Name, Value string
	Source      Source
	// SecretKey is the secret's name in MLP, where Source is FromSecret; the value
	// then is not part of the deployment.
	SecretKey string
}

// Variables are the container's environment in production's order, as Merlin
// writes it and Knative adds to it, before $(VAR) expansion. A name may stand twice:
// the container sees the last.
func (d Deployment) Variables(place Place) []Variable {
	return append(d.merlinVariables(place), d.knativeVariables(place)...)
}

// merlinVariables is what Merlin writes into the InferenceService.
func (d Deployment) merlinVariables(place Place) []Variable {
	var env []Variable
	if !d.hasCPULimit() && d.Platform.UserContainerCPULimitRequestFactor == 0 {
		env = merge(env, variables(d.Platform.DefaultEnvVarsWithoutCPULimits, FromPlatform))
	}
	env = merge(env, variables(d.EnvVars, FromUser))
	env = merge(env, d.secretVariables())
	return merge(env, d.ownVariables(place))
}

// merge puts over's variables in the place of the last one of the same name in
// base, and appends the others. Names that stand twice in over are both appended,
// as Merlin does it.
func merge(base, over []Variable) []Variable {
	place := make(map[string]int, len(base))
	for i, v := range base {
		place[v.Name] = i
	}
	for _, v := range over {
		if i, ok := place[v.Name]; ok {
			base[i] = v
			continue
		}
		base = append(base, v)
	}
	return base
}

func variables(vars []EnvVar, source Source) []Variable {
	out := make([]Variable, len(vars))
	for i, v := range vars {
		out[i] = Variable{Name: v.Name, Value: v.Value, Source: source}
	}
	return out
}

func (d Deployment) secretVariables() []Variable {
	out := make([]Variable, len(d.Secrets))
	for i, s := range d.Secrets {
		out[i] = Variable{Name: s.EnvVarName, Source: FromSecret, SecretKey: s.MLPSecretName}
	}
	return out
}

// ownVariables are Merlin's, in its order; the first three are deprecated there and
// still set.
func (d Deployment) ownVariables(place Place) []Variable {
	http, grpc := strconv.Itoa(place.HTTPPort), strconv.Itoa(place.GRPCPort)
	return variables([]EnvVar{
		{"MERLIN_PREDICTOR_PORT", http},
		{"MERLIN_MODEL_NAME", d.FullName()},
		{"MERLIN_ARTIFACT_LOCATION", place.ArtifactLocation},
		{"STORAGE_URI", cmp.Or(place.StorageURI, d.StorageURI())},
		{"CARAML_HTTP_PORT", http},
		{"CARAML_GRPC_PORT", grpc},
		{"CARAML_MODEL_NAME", d.Model},
		{"CARAML_MODEL_VERSION", d.Version},
		{"CARAML_MODEL_FULL_NAME", d.FullName()},
		{"CARAML_ARTIFACT_LOCATION", place.ArtifactLocation},
	}, FromMerlin)
}

// knativeVariables are added by Knative's revision controller; a raw deployment has
// none.
func (d Deployment) knativeVariables(place Place) []Variable {
	if d.Raw() {
		return nil
	}
	return variables([]EnvVar{
		{"PORT", strconv.Itoa(place.ServingPort(d.Protocol))},
		{"K_REVISION", d.KnativeRevision()},
		{"K_CONFIGURATION", d.KnativeService()},
		{"K_SERVICE", d.KnativeService()},
	}, FromKnative)
}

// Resolve gives the environment that the container sees: secrets have their values
// (by variable name), and $(NAME) is expanded as the kubelet expands it: against
// what stands earlier in the list, never inside a secret's value.
func Resolve(env []Variable, secrets map[string]string) []Variable {
	out := make([]Variable, len(env))
	seen := make(map[string]string, len(env))
	for i, v := range env {
		if v.Source == FromSecret {
			v.Value = secrets[v.Name]
		} else {
			v.Value = expand(v.Value, seen)
		}
		seen[v.Name] = v.Value
		out[i] = v
	}
	return out
}

// Assignments gives NAME=value lines, in order.
func Assignments(env []Variable) []string {
	out := make([]string, len(env))
	for i, v := range env {
		out[i] = v.Name + "=" + v.Value
	}
	return out
}
