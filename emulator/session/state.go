// Package session folds events into what a person wants to know now. The fold is
// pure: the same events give the same State, whether they come from a running
// session, over its socket, or from a recording.
package session

import (
	"slices"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// State is a session at one instant. Its JSON form is what `status --json` prints.
type State struct {
	ID      string    `json:"id"`
	Version string    `json:"version"`
	Dir     string    `json:"dir"`
	PID     int       `json:"pid"`
	Runtime string    `json:"runtime"`
	Engine  string    `json:"engine,omitempty"`
	Address string    `json:"address,omitempty"`
	Metrics string    `json:"metrics,omitempty"` // address of /metrics
	Started time.Time `json:"started"`
	// EngineTrouble is why the Docker Engine does not answer; empty while it does.
	EngineTrouble string `json:"engine_trouble,omitempty"`

	Models []*Model `json:"models"`
	// Capture is how much is kept of the requests; nil where nothing is captured, or
	// nothing was yet.
	Capture *event.Capture `json:"capture,omitempty"`
	// Ended is set once the session is over; Error then tells why, where it was not
	// asked to.
	Ended bool   `json:"ended,omitempty"`
	Error string `json:"error,omitempty"`

	// History is nil unless Remember was called.
	History *History `json:"-"`
}

// Model is one model of a session.
type Model struct {
	ID            string      `json:"id"`
	Project       string      `json:"project"`
	Name          string      `json:"name"`
	Version       string      `json:"version"`
	Revision      int         `json:"revision"` // Merlin's
	FullName      string      `json:"full_name"`
	Protocol      string      `json:"protocol"`
	Phase         event.Phase `json:"phase"`
	Why           string      `json:"why,omitempty"`
	Since         time.Time   `json:"since"`
	URLs          URLs        `json:"urls"`
	LocalRevision int         `json:"local_revision"`
	Image         string      `json:"image,omitempty"` // as configured
	ImageID       string      `json:"image_id,omitempty"`
	ContainerID   string      `json:"container_id,omitempty"`
	Container     string      `json:"container,omitempty"` // its name
	Replica       string      `json:"replica_address,omitempty"`
	Reach         string      `json:"reach,omitempty"`
	CPULimit      string      `json:"cpu_limit,omitempty"`
	MemoryLimit   string      `json:"memory_limit,omitempty"`
	EffectiveCPUs float64     `json:"effective_cpus,omitempty"`
	Restarts      int         `json:"restarts"`
	StartedAt     *time.Time  `json:"started_at,omitempty"` // of the container
	ReadyAt       *time.Time  `json:"ready_at,omitempty"`

	// Deadline is until when it has to be ready: the deployment timeout's end. It is
	// gone once it is ready.
	Deadline *time.Time `json:"deadline,omitempty"`
	Pods     []*Pod     `json:"pods"`
	Scale    *Scale     `json:"scale,omitempty"` // nil where the number of replicas is fixed
	// Serving is the local revision that answers; nil until one does. Stale says that
	// it is behind the files on disk.
	Serving *Revision `json:"serving,omitempty"`
	Stale   *Stale    `json:"stale,omitempty"`
	// SinceLastRun are the files that changed while nothing ran; nil where none did, or
	// that is not known.
	SinceLastRun *event.SinceLastRun `json:"since_last_run,omitempty"`
	Reloads      []*Reload           `json:"reloads,omitempty"` // the last ones
	// Debugger is where the model is debugged; nil where it is not.
	Debugger *Debugger `json:"debugger,omitempty"`
	// Faults are on now because somebody asked for them; FaultsSeen were at any time, as
	// they were asked for.
	Faults     []event.Fault `json:"faults,omitempty"`
	FaultsSeen []string      `json:"faults_seen,omitempty"`
	// Pins is how the repo's pinned requests did when they were last replayed; nil where there
	// are none, or they were not yet.
	Pins    *Pins          `json:"pins,omitempty"`
	Parity  *event.Parity  `json:"parity,omitempty"`
	Traffic *event.Traffic `json:"traffic,omitempty"`
	Usage   *Usage         `json:"usage,omitempty"`
	// Environment is what its containers are given; nil until one is about to start.
	// Metrics are the model's own, by source, in the order in which they first came.
	Environment *event.Environment `json:"environment,omitempty"`
	Metrics     []*Metrics         `json:"metrics,omitempty"`
	// Killed counts the containers that ignored SIGTERM, RequestsCut the requests that
	// a stop broke off, both in all the session.
	Killed      int `json:"killed,omitempty"`
	RequestsCut int `json:"requests_cut,omitempty"`

	LastProbe *event.Probed `json:"last_probe,omitempty"` // for readiness
	LastExit  *event.Exited `json:"last_exit,omitempty"`
	Failure   *event.Failed `json:"failure,omitempty"`

	host   string
	next   *event.Environment // of a revision on its way, nextOf; nil where there is none
	nextOf int
}

// URLs are where a model answers.
type URLs struct {
	// Base is the port itself: with one model, any host reaches it there.
	Base string `json:"base,omitempty"`
	// Predict is the prediction's URL (HTTP_JSON).
	Predict string `json:"predict,omitempty"`
	// GRPC is the target of a gRPC client (UPI_V1).
	GRPC string `json:"grpc,omitempty"`
	// Host is the version endpoint's host, for the Host header or :authority.
	Host string `json:"host,omitempty"`
}

// Model returns the model that has the given id, full name or name; nil where none
// has it, or several have that name.
func (s *State) Model(name string) *Model {
	var found []*Model
	for _, m := range s.Models {
		switch name {
		case m.ID, m.FullName:
			return m
		case m.Name:
			found = append(found, m)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return nil
}

// Ready tells whether every model serves.
func (s *State) Ready() bool {
	return len(s.Models) > 0 && !slices.ContainsFunc(s.Models, func(m *Model) bool { return m.Phase != event.PhaseReady })
}
