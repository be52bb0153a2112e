package event

import "time"

// Usage is what a container takes of the machine, told while it changes.
type Usage struct {
	Pod     string `json:"pod,omitempty"`
	Replica string `json:"replica"`
	// CPU is the cores in use since the last sample, CPUTime all since the start.
	CPU     float64       `json:"cpu"`
	CPUTime time.Duration `json:"cpu_time_ns"`
	// Throttled is how long, since the start, its threads had to wait because the CPU
	// limit was used up; ThrottledShare is in how many of the scheduling periods since
	// the last sample that happened, from 0 to 1.
	Throttled      time.Duration `json:"throttled_ns,omitempty"`
	ThrottledShare float64       `json:"throttled_share,omitempty"`
	// Memory is in bytes, without the file cache that the kernel can drop; MemoryPeak
	// is the highest since the start that a sample saw, or at least the limit after an
	// out-of-memory kill; MemoryLimit is 0 where there is none.
	Memory      int64 `json:"memory_bytes"`
	MemoryPeak  int64 `json:"memory_peak_bytes"`
	MemoryLimit int64 `json:"memory_limit_bytes,omitempty"`
	// PIDs counts processes and threads.
	PIDs int `json:"pids"`
}

func (Usage) kind() string { return "usage" }
