package tui

import (
	"context"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Source gives events, as event.Subscription does: all that are pending, oldest first,
// and io.EOF at the end.
type Source interface {
	Next(ctx context.Context) ([]event.Event, error)
}

// Controller does what a person asks for. Its methods may take time: they are called
// outside the screen's goroutine. Their errors are shown.
type Controller interface {
	// Reload makes a new revision of the model, with a new image where rebuild is true.
	Reload(ctx context.Context, model string, rebuild bool) error
	// Retry starts now what waits in back-off.
	Retry(ctx context.Context, model string) error
	// Stop ends the session in order; called again, it ends it at once. It returns when
	// it has been told.
	Stop(ctx context.Context) error
}
