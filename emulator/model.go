// Package emulator keeps each model built, running, healthy and routable.
//
// An Emulator runs one supervisor a model; the supervisor's goroutine alone owns
// the model's state and reports every change as an event. What runs containers,
// stages artifacts, probes and routes is given to it as small interfaces, so that
// a test needs neither an Engine nor a network.
package emulator

import (
	"time"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// Model is one model version of a session: what Merlin is told of it, and what
// only a local run needs.
type Model struct {
	Deployment merlin.Deployment

	// Dir is the model repo's folder, absolute: exec and build.run run there.
	Dir string
	// ModelDir is the artifact folder, absolute; empty where there is none.
	ModelDir string
	// Build says how the image is made; nil where Deployment.Image is used as it is.
	Build *Build
	// Exec serves the model as a host process, without Docker; empty where that
	// is not possible. A shell reads it.
	Exec string
	// OnHost runs the model by Exec, with or without an Engine.
	OnHost bool
	// SecretValues holds the secrets' values by environment variable.
	SecretValues map[string]string
	// SecretOrigins tell, by variable too, where on this machine a value was found, for
	// people; an empty one is not known.
	SecretOrigins map[string]string
	// ContainerConcurrency is how many requests one replica takes at a time; 0 is
	// no limit, as Merlin deploys.
	ContainerConcurrency int
	// Timeout is Knative's revision timeout; ResponseStartTimeout bounds the wait for
	// the first byte, IdleTimeout that for the next one. The latter are off at 0, as
	// Merlin deploys.
	Timeout, ResponseStartTimeout, IdleTimeout time.Duration
	// Weight is this version's share of the model endpoint's traffic; where all
	// versions have 0, they share equally.
	Weight int
	// Replicas are how many run at least, where 0 is one; MaxReplicas are how many at
	// most, where 0 is as many as at least.
	Replicas, MaxReplicas int
	// ScaleToZero lets no replica run while there are no requests: the user's own
	// minimum of 0, and a metric that can tell.
	ScaleToZero bool
	// Readiness and Liveness change the probes that the fidelity gives.
	Readiness, Liveness ProbeSettings
	// Watch says which edits make a new revision, and Reload how it takes over.
	Watch  Watch
	Reload Reload
	// Debug says how the model is debugged.
	Debug Debug
	// Metrics says where the model pushes its own to.
	Metrics Metrics
	// Fidelity says which production is played where promise and practice differ.
	Fidelity Fidelity
}

// ID names a model in a session: "{model}-{version}", unique in a project.
func (m *Model) ID() string { return m.Deployment.Model + "-" + m.Deployment.Version }

// defaultTimeout is Knative's revision timeout where none is given.
const defaultTimeout = 300 * time.Second

func (m *Model) timeout() time.Duration {
	if m.Timeout == 0 {
		return defaultTimeout
	}
	return m.Timeout
}

// Build says how a model's image is made.
type Build struct {
	Context    string          // folder, absolute
	Dockerfile string          // file, absolute
	Args       []merlin.EnvVar // build arguments, in order
	Target     string
	Run        string // host command before the build; a shell reads it, in Model.Dir
	Secrets    []BuildSecret
	SSH        []string // "default" or "id=socket|key", as docker build --ssh
}

// BuildSecret is a value for RUN --mount=type=secret,id=ID: a file's content or a
// host variable's value.
type BuildSecret struct{ ID, File, Env string }
