package check

import (
	"context"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Launcher runs the model as `up` does: with production's variables, mounts and limits.
type Launcher interface {
	// Launch starts one replica of the model, with what the variation changes. When ctx
	// ends the replica is killed and removed.
	Launch(ctx context.Context, v Variation) Running
}

// Variation is what is other than in production. A zero value changes nothing.
type Variation struct {
	HTTPPort, GRPCPort int    // in the variables that tell the model its ports
	Revision           int    // Merlin's: it is part of the full name
	User               string // as UID:GID
}

// Running is one replica on its way through its life. A container that ends once it was
// ready is started again, as in production.
type Running interface {
	// Next gives the events since the last call, waiting for one; io.EOF once all is over
	// and removed.
	Next(ctx context.Context) ([]event.Event, error)
	// Stop has it ended as a pod is, by SIGTERM and after the grace period SIGKILL. It
	// returns at once.
	Stop()
}

// Image is what is known of an image without running it.
type Image struct {
	Reference    string // as it is asked for; of what was built, the Engine's name
	Built        bool   // of the repo, just now
	Architecture string
	User         string // empty is root
	Size         int64  // bytes, unpacked
	Entrypoint   []string
	Cmd          []string
	Env          []string // NAME=value
	Exposed      []string // as 8080/tcp
	HealthCheck  bool
	// Unfit says why the Engine cannot run an image of this architecture; empty where it
	// can.
	Unfit string
}
