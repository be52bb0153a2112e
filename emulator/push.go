package emulator

import (
	"slices"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// Metrics says what of a model's own metrics only a local run needs to know.
type Metrics struct {
	// Push is the variable that has the address of a Pushgateway-compatible endpoint, as
	// http://HOST:PORT; empty where the model pushes nothing.
	Push string
}

// fromLocal is the source of what only a local run sets.
const fromLocal = merlin.Source(event.OriginLocal)

// withPush has the user's variable name the endpoint. Where the user sets none of that
// name it stands first, so that every other one may refer to it.
func (m *Model) withPush(env []merlin.Variable, url string) []merlin.Variable {
	if !m.namesPush(env) {
		return slices.Insert(env, 0, merlin.Variable{Name: m.Metrics.Push, Value: url, Source: fromLocal})
	}
	for i := range env {
		if env[i].Name == m.Metrics.Push {
			env[i].Value, env[i].Source = url, fromLocal
		}
	}
	return env
}

func (m *Model) namesPush(env []merlin.Variable) bool {
	return slices.ContainsFunc(env, func(v merlin.Variable) bool { return v.Name == m.Metrics.Push })
}

// pushURL is the endpoint that the model's containers are told of; empty where there is
// none.
func (r *revision) pushURL() string {
	if r.model.Metrics.Push == "" {
		return ""
	}
	return r.PushURLs[r.id]
}

// unexpanded are the container's variables as they are set.
func (p *pod) unexpanded(place merlin.Place) []merlin.Variable {
	env := p.model.Deployment.Variables(p.model.Place(place))
	if url := p.pushURL(); url != "" {
		return p.model.withPush(env, url)
	}
	return env
}

// Tell publishes what a model told of itself in another way than by its container, such
// as metrics that it pushed, with its secrets hidden. An unknown model is ignored.
func (e *Emulator) Tell(model string, f event.Fact) {
	if s := e.supervisor(model); s != nil {
		s.answers.Load().publish(f)
	}
}
