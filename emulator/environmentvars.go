package emulator

import (
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

const (
	hostname = "HOSTNAME"
	pathName = "PATH"
	// defaultPath is what the Engine, and containerd in production, set where the image
	// has none.
	defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// variables are all of a container's, with who set each and how near it is to production.
func (p *pod) variables(env []merlin.Variable, secrets map[string]string, spec ContainerSpec) []event.Variable {
	all := p.imageVariables(env, spec)
	there := p.inProduction(secrets)
	for i, v := range env {
		out := event.Variable{Name: v.Name, Value: v.Value, Origin: event.Origin(v.Source), Secret: v.SecretKey, Verdict: event.Same}
		switch {
		case v.Name == p.model.Metrics.Push && out.Origin == event.OriginLocal:
			out.Verdict, out.Remark = event.Approximated, "this session's Pushgateway-compatible endpoint; production has one of the platform's own"
			if v := there[i]; v.Source == merlin.FromUser {
				out.Remark += ", as env_vars says: " + v.Value
			}
		case v.Source == merlin.FromSecret:
			out.Verdict, out.Remark = event.Approximated, p.model.secretRemark(v.Name)
		case v.Value != there[i].Value:
			out.Verdict, out.Remark = event.Approximated, "the cluster has "+there[i].Value
		}
		all = append(all, out)
	}
	last := map[string]int{}
	for i, v := range all {
		last[v.Name] = i
	}
	for i := range all {
		all[i].Hidden = last[all[i].Name] != i
	}
	return all
}

// inProduction are the same variables as the cluster has them, whatever the fidelity.
func (p *pod) inProduction(secrets map[string]string) []merlin.Variable {
	place := merlin.Production()
	place.StorageURI = place.ArtifactLocation // KServe's webhook
	env := merlin.Resolve(p.model.Deployment.Variables(place), secrets)
	if p.pushURL() != "" && !p.model.namesPush(env) {
		return p.model.withPush(env, "") // so that both have the same places
	}
	return env
}

// imageVariables are those that the image and the Engine set, and nothing replaces.
func (p *pod) imageVariables(env []merlin.Variable, spec ContainerSpec) []event.Variable {
	if p.model.OnHost {
		return nil
	}
	replaced := map[string]bool{}
	for _, v := range env {
		replaced[v.Name] = true
	}
	var own []event.Variable
	add := func(v event.Variable) {
		if !replaced[v.Name] {
			own = append(own, v)
			replaced[v.Name] = true
		}
	}
	image := map[string]string{}
	for _, line := range p.image.Env {
		name, value, _ := strings.Cut(line, "=")
		image[name] = value
	}
	for _, line := range p.image.Env {
		name, _, _ := strings.Cut(line, "=")
		add(event.Variable{Name: name, Value: image[name], Origin: event.OriginImage, Verdict: event.Same})
	}
	add(event.Variable{Name: pathName, Value: defaultPath, Origin: event.OriginRuntime, Verdict: event.Same})
	add(event.Variable{
		Name: hostname, Value: spec.Hostname, Origin: event.OriginRuntime, Verdict: event.Approximated,
		Remark: "a pod's name, made up; each replica has its own",
	})
	return own
}

// secretRemark tells where a secret's value comes from.
func (m *Model) secretRemark(name string) string {
	if from := m.SecretOrigins[name]; from != "" {
		return "the value is of " + from + ", not MLP's"
	}
	return "the value is not MLP's"
}
