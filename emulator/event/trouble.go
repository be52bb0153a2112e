package event

import "time"

// OutOfMemory says that the kernel killed a process of a container for its memory
// limit, and that the container itself still runs: a worker or another child is gone.
// Where the container ended of it, Exited says so instead.
type OutOfMemory struct {
	Pod         string `json:"pod"`
	Replica     string `json:"replica"`
	Kills       int    `json:"kills"` // since the container's start
	MemoryPeak  int64  `json:"memory_peak_bytes"`
	MemoryLimit int64  `json:"memory_limit_bytes"`
}

// Engine says that the Docker Engine stopped answering, or answers again.
type Engine struct {
	Answers bool   `json:"answers"`
	Error   string `json:"error,omitempty"` // where it does not
	// Away is for how long it did not; Running and Ended are how many containers of
	// the session were found then.
	Away    time.Duration `json:"away_ns,omitempty"`
	Running int           `json:"running,omitempty"`
	Ended   int           `json:"ended,omitempty"`
}

// Slept says that this machine stood still: it slept, or its clock was set.
type Slept struct {
	Took time.Duration `json:"took_ns"`
}

// Terminated says how a container took its end, where something was wrong with it.
type Terminated struct {
	Pod     string        `json:"pod"`
	Replica string        `json:"replica"`
	Grace   time.Duration `json:"grace_ns"`
	// Killed tells that it did not end within the grace period after SIGTERM.
	Killed bool `json:"killed,omitempty"`
	// Forced tells that it was not given its grace period: it was to end at once.
	Forced bool `json:"forced,omitempty"`
	// Cut counts the requests that ran at SIGTERM and got no whole answer.
	Cut  int    `json:"cut,omitempty"`
	Next string `json:"next,omitempty"` // what to do
}

func (OutOfMemory) kind() string { return "oom" }
func (Engine) kind() string      { return "engine" }
func (Slept) kind() string       { return "slept" }
func (Terminated) kind() string  { return "terminated" }
