package event

import "time"

// Tier is how an edit comes to the container: the cheapest way that is correct.
type Tier string

// The tiers; each does all that those before it do.
const (
	TierNone    Tier = "none"    // nothing of the container comes from the file
	TierRestart Tier = "restart" // a fresh container of the same image: artifact or variables changed
	TierSync    Tier = "sync"    // a fresh container of the same image, with the changed files copied into it
	TierRebuild Tier = "rebuild" // build.run, an image, and a container of it
)

// Edited says that files are not as they were when the serving revision was made: it is
// behind them until a later one serves, or for good where the tier is none.
type Edited struct {
	Files []string `json:"files"`          // the first few, relative to the model repo
	More  int      `json:"more,omitempty"` // how many there are besides
	Tier  Tier     `json:"tier"`
	File  string   `json:"file"` // the one that decides the tier
	Why   string   `json:"why"`
	// Waits says why the reload does not begin yet; empty where it does.
	Waits string `json:"waits,omitempty"`
}

// SinceLastRun says which files changed while nothing ran: the first revision has them.
type SinceLastRun struct {
	Files []string `json:"files"`          // the first few, relative to the model repo
	More  int      `json:"more,omitempty"` // how many there are besides
}

// Reloading says that a new revision, the event's, is being made.
type Reloading struct {
	Tier Tier `json:"tier"`
	// File is the one that caused it; empty where a person asked for it.
	File string `json:"file,omitempty"`
	Why  string `json:"why"`
	// Replaces says why the old revision stops first; empty where it serves meanwhile.
	Replaces string `json:"replaces,omitempty"`
}

// ReloadStep is a part of a reload, and what it took.
type ReloadStep struct {
	Name string        `json:"name"` // "build.run", "image", "artifact", "start", "ready"
	Took time.Duration `json:"took_ns"`
}

// Serving says that the event's revision took over: from now on no other one answers.
type Serving struct {
	Image string `json:"image,omitempty"` // id
	// Sources identifies the content of what it was made from; empty where nothing is
	// watched.
	Sources string `json:"sources,omitempty"`
	Tier    Tier   `json:"tier,omitempty"` // empty for the first revision
	File    string `json:"file,omitempty"` // that caused it
	// Took is from the edit's being settled; Steps are parts of it, some side by side.
	Took  time.Duration `json:"took_ns,omitempty"`
	Steps []ReloadStep  `json:"steps,omitempty"`
}

// ReloadStuck says why a new revision that runs is not ready yet. The one before serves.
type ReloadStuck struct {
	Card Failed `json:"card"`
}

// ReloadEnded says that the event's revision will never serve. The one before goes on.
type ReloadEnded struct {
	Tier Tier   `json:"tier"`
	File string `json:"file,omitempty"`
	// Cancelled says why it was given up, as for a newer edit; else it failed, as the
	// card says.
	Cancelled string        `json:"cancelled,omitempty"`
	Card      *Failed       `json:"card,omitempty"`
	Took      time.Duration `json:"took_ns"`
	Steps     []ReloadStep  `json:"steps,omitempty"`
}

func (Edited) kind() string       { return "edited" }
func (SinceLastRun) kind() string { return "since_last_run" }
func (Reloading) kind() string    { return "reloading" }
func (Serving) kind() string      { return "serving" }
func (ReloadStuck) kind() string  { return "reload_stuck" }
func (ReloadEnded) kind() string  { return "reload_ended" }
