package merlin

import "slices"

// userEnv are the variables and secrets of which Merlin makes the container's
// environment. What it appends itself is left out; a variable of its own that stands
// earlier was a user's, and holds its place. So does an empty variable for a secret
// that is not at the end, where Merlin puts those that replace no variable.
func (c Container) userEnv() ([]EnvVar, []Secret) {
	env := c.Env[:len(c.Env)-appended(c.Env)]
	held := heldPlaces(env)
	var vars []EnvVar
	var secrets []Secret
	for i, v := range env {
		switch {
		case v.ValueFrom == nil:
			vars = append(vars, EnvVar{Name: v.Name, Value: v.Value})
			continue
		case v.ValueFrom.SecretKeyRef == nil:
			continue // of a source that Merlin has not
		case i < held:
			vars = append(vars, EnvVar{Name: v.Name})
		}
		secrets = append(secrets, Secret{MLPSecretName: v.ValueFrom.SecretKeyRef.Key, EnvVarName: v.Name})
	}
	return vars, secrets
}

// heldPlaces counts the variables up to the last one that has its place from a plain
// one: it is plain, or a secret whose name stood before.
func heldPlaces(env []ContainerEnv) int {
	for i, v := range slices.Backward(env) {
		if v.ValueFrom == nil || stands(v.Name, env[:i]) {
			return i + 1
		}
	}
	return 0
}

func stands(name string, among []ContainerEnv) bool {
	return slices.ContainsFunc(among, func(e ContainerEnv) bool { return e.Name == name })
}

// appended counts the variables at the end that stand in the order in which Merlin
// appends its own. One whose name stood before was not appended: it took that place.
func appended(env []ContainerEnv) int {
	own := Deployment{}.ownVariables(Production())
	next := len(own)
	for i, v := range slices.Backward(env) {
		place := slices.IndexFunc(own, func(o Variable) bool { return o.Name == v.Name })
		if place < 0 || place >= next || stands(v.Name, env[:i]) || v.ValueFrom != nil {
			return len(env) - 1 - i
		}
		next = place
	}
	return len(env)
}
