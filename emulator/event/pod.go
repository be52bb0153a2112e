package event

import "time"

// Deploying says until when a model has to be ready: Merlin's deployment timeout
// begins once its image and its artifact are there.
type Deploying struct {
	Deadline time.Time `json:"deadline"`
}

// PodChanged says that one replica of a model entered a phase. A pod keeps its name
// over all restarts of its container.
type PodChanged struct {
	Pod      string     `json:"pod"` // the last letters of its name
	Phase    Phase      `json:"phase"`
	Why      string     `json:"why,omitempty"`
	Restarts int        `json:"restarts,omitempty"`
	RetryAt  *time.Time `json:"retry_at,omitempty"` // when a pod in backoff starts again
}

// Started says that a container or process runs.
type Started struct {
	Pod           string  `json:"pod,omitempty"`
	Replica       string  `json:"replica"`   // short id, as in Log
	Container     string  `json:"container"` // full id; "pid N" for a process
	Name          string  `json:"name,omitempty"`
	Image         string  `json:"image,omitempty"` // image id
	Address       string  `json:"address"`         // host:port where it is reached
	Reach         string  `json:"reach"`           // "address", "published" or "process"
	CPULimit      string  `json:"cpu_limit,omitempty"`
	MemoryLimit   string  `json:"memory_limit,omitempty"`
	EffectiveCPUs float64 `json:"effective_cpus,omitempty"` // what the host can give at most
}

// Purpose is what a probe is for.
type Purpose string

// The purposes of a probe.
const (
	Readiness Purpose = "readiness" // whether requests may come
	Liveness  Purpose = "liveness"  // whether the container must be started again
)

// Probed is one attempt of a probe.
type Probed struct {
	Pod     string        `json:"pod,omitempty"`
	Purpose Purpose       `json:"purpose"`
	Kind    string        `json:"kind"` // "http", "grpc" or "tcp"
	Target  string        `json:"target"`
	OK      bool          `json:"ok"`
	Status  int           `json:"status,omitempty"` // HTTP
	Outcome string        `json:"outcome"`          // for people: "200 OK", "connection refused"
	Body    string        `json:"body,omitempty"`   // the first bytes
	Took    time.Duration `json:"took_ns"`
	Fault   string        `json:"fault,omitempty"` // that made it fail
	// InARow is how many attempts in a row had this result, of the Threshold that
	// makes it count.
	InARow    int `json:"in_a_row"`
	Threshold int `json:"threshold"`
}

// Exited says that a container or process ended.
type Exited struct {
	Pod       string        `json:"pod,omitempty"`
	Replica   string        `json:"replica"`
	Code      int           `json:"code"`
	Signal    string        `json:"signal,omitempty"`
	OOMKilled bool          `json:"oom_killed,omitempty"`
	Error     string        `json:"error,omitempty"` // the Engine's own words, where start failed
	Expected  bool          `json:"expected,omitempty"`
	Why       string        `json:"why,omitempty"` // where we ended it, and not because of a stop
	Ran       time.Duration `json:"ran_ns"`
	LastLogs  []string      `json:"last_logs,omitempty"`
	// MemoryPeak and MemoryLimit are in bytes; 0 is not known, or none.
	MemoryPeak  int64 `json:"memory_peak_bytes,omitempty"`
	MemoryLimit int64 `json:"memory_limit_bytes,omitempty"`
	// OOMKills counts the processes that the kernel killed for memory in all its life.
	OOMKills int `json:"oom_kills,omitempty"`
	// WithEngine tells that the Docker Engine ended it by going away: no crash.
	WithEngine bool `json:"with_engine,omitempty"`
}
