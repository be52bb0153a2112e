package event

import "time"

// Autoscaler says by what a model scales, and within which bounds.
type Autoscaler struct {
	Class  string  `json:"class"`  // "kpa", Knative's, or "hpa", Kubernetes'
	Metric string  `json:"metric"` // in Merlin's words
	Target float64 `json:"target"` // what one replica is aimed at; CPU in percent of its request, memory in MiB
	Min    int     `json:"min"`
	Max    int     `json:"max"`
	// TimeScale: windows and delays are so many times shorter than in production.
	TimeScale float64 `json:"time_scale"`
}

// Scaled is what an autoscaler decided, told where it differs from the last decision.
type Scaled struct {
	Metric   string        `json:"metric"`
	Observed float64       `json:"observed"` // over Window
	Window   time.Duration `json:"window_ns"`
	Target   float64       `json:"target"`
	// From is how many replicas were wanted before, Desired how many are from now on,
	// and Ready how many were ready at this instant.
	From    int    `json:"from"`
	Desired int    `json:"desired"`
	Ready   int    `json:"ready"`
	Panic   bool   `json:"panic,omitempty"` // Knative's panic mode: a burst, nothing is taken away
	Why     string `json:"why"`
}

// ColdStart is the first request's way to an answer where no replica was there. The
// five parts are one after the other, so that Total is their sum: what the client of
// that request waited for.
type ColdStart struct {
	Pod       string        `json:"pod"`
	Create    time.Duration `json:"create_ns"`    // from the request's arrival until the container is created
	Process   time.Duration `json:"process_ns"`   // until its process runs
	Listening time.Duration `json:"listening_ns"` // until its port takes a connection
	Ready     time.Duration `json:"ready_ns"`     // until its readiness is seen
	Answer    time.Duration `json:"answer_ns"`    // until the request is answered
	Total     time.Duration `json:"total_ns"`
	Restarts  int           `json:"restarts,omitempty"` // of containers that ended before; Create holds their time
}

func (Autoscaler) kind() string { return "autoscaler" }
func (Scaled) kind() string     { return "scaled" }
func (ColdStart) kind() string  { return "cold_start" }
