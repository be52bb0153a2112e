package event

import "encoding/json"

// Debugger says where the model's debugger is reached. It is the same for all its
// containers of a session.
type Debugger struct {
	Kind    string `json:"kind"`    // "delve", "debugpy" or "custom"
	Address string `json:"address"` // on this host's loopback
	// Launch is an editor's launch configuration, in VS Code's form; empty where the
	// debugger's kind has none.
	Launch json.RawMessage `json:"launch,omitempty"`
	// Note is what a person must know of it besides.
	Note string `json:"note,omitempty"`
}

// Attached says that a debugger is attached now, or no more. Meanwhile failed probes do
// not count, no timeout passes, and edits wait.
type Attached struct {
	On bool `json:"on"`
}

func (Debugger) kind() string { return "debugger" }
func (Attached) kind() string { return "attached" }
