package event

// Environment is what the containers of a revision are given. It is told when the first
// of them is about to start, and again where another one gets something else: a process
// of this host has ports of its own.
type Environment struct {
	Pod string `json:"pod,omitempty"` // whose it is, where replicas differ
	// Variables are in the order in which the container gets them. The first are the
	// image's own, as far as nothing replaces them.
	Variables []Variable `json:"variables"`
	Mounts    []Mount    `json:"mounts"`
	// Command and Args are what runs, whoever says so.
	Command Words `json:"command"`
	Args    Words `json:"args"`
	// User is whom it runs as, WorkingDir where; both are the image's own.
	User       string `json:"user"`
	WorkingDir string `json:"working_dir,omitempty"`
	Port       int    `json:"port"` // the one that it has to listen at
	// Requests and Limits are as Kubernetes prints them; an empty one is none.
	// LimitsHold tells that the limits hold here too, and Remark what else differs.
	Requests   Amounts `json:"requests"`
	Limits     Amounts `json:"limits"`
	LimitsHold bool    `json:"limits_hold"`
	Remark     string  `json:"remark,omitempty"`
	// Notes are what it sees besides, and what no list can hold.
	Notes []string `json:"notes,omitempty"`
}

// Origin tells who gives a container something.
type Origin string

// The origins.
const (
	OriginUser     Origin = "user"         // merlin-local.yaml, or a flag over it
	OriginSecret   Origin = "secret"       // its value is kept apart: this host's, or env_file's
	OriginPlatform Origin = "platform"     // the cluster's operators
	OriginMerlin   Origin = "merlin"       // Merlin's control plane
	OriginKnative  Origin = "knative"      // Knative's revision controller
	OriginImage    Origin = "image"        // the image's own
	OriginRuntime  Origin = "runtime"      // whoever runs containers, here and there
	OriginLocal    Origin = "merlin-local" // only a run on this machine has it
	OriginDebugger Origin = "debugger"     // --debug
)

// Variable is one variable of a container.
type Variable struct {
	Name string `json:"name"`
	// Value is as the container sees it, but for secrets, which are ***, also where
	// another variable refers to one.
	Value  string `json:"value"`
	Origin Origin `json:"origin"`
	// Secret is its name in MLP, where the origin is a secret.
	Secret string `json:"secret,omitempty"`
	// Hidden tells that a later variable of the same name is what the container sees.
	Hidden bool `json:"hidden,omitempty"`
	// Verdict is how near the value is to production's, and Remark why, where it is not
	// the same.
	Verdict Verdict `json:"verdict"`
	Remark  string  `json:"remark,omitempty"`
}

// MountKind tells what is mounted, or copied.
type MountKind string

// The kinds of a mount.
const (
	MountArtifact MountKind = "artifact" // the staged model_dir, with model.properties
	MountFile     MountKind = "file"     // a file over the image's own, which a reload or a debugger brings
)

// Mount is what of this host a container finds in its file system.
type Mount struct {
	Kind MountKind `json:"kind"`
	// From is what the user knows it by: model_dir, empty where there is none, or the
	// file. Source is what of this host is mounted or copied, Target where it is inside.
	From     string `json:"from,omitempty"`
	Source   string `json:"source"`
	Target   string `json:"target"`
	ReadOnly bool   `json:"read_only"`
	Copied   bool   `json:"copied,omitempty"` // into the container, instead of mounted
	// Files and Bytes are how much there is in it.
	Files   int     `json:"files"`
	Bytes   int64   `json:"bytes"`
	Verdict Verdict `json:"verdict"`
	Remark  string  `json:"remark,omitempty"`
}

// Words are a command or its arguments, cut and expanded.
type Words struct {
	Words  []string `json:"words,omitempty"`
	Origin Origin   `json:"origin,omitempty"` // empty where there are none
	Remark string   `json:"remark,omitempty"`
}

// Amounts are of CPU and memory, as "500m" and "500Mi".
type Amounts struct {
	CPU    string `json:"cpu,omitempty"`
	Memory string `json:"memory,omitempty"`
}

func (Environment) kind() string { return "environment" }
