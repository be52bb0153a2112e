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
	// Fault breaks the model on request, as `merlin-local fault` does; with no faults it ends
	// all that are on.
	Fault(ctx context.Context, model string, faults []string) error
	// Exchange returns what was captured of the request that event.Served numbers so; the
	// error says why it is not kept.
	Exchange(ctx context.Context, id uint64) (event.Exchange, error)
	// Search returns the requests of which a captured body holds the text, and whether all
	// that is kept was searched: a search takes only so long.
	Search(ctx context.Context, text string) (ids []uint64, all bool, err error)
	// Send sends the exchange's request again, as its client did, through the session's
	// port. It returns when the answer has ended, whatever its status.
	Send(ctx context.Context, x event.Exchange) error
	// Pin writes the exchange into the repo, to be replayed after each reload, and returns the
	// pin's name. What is pinned already stays one pin.
	Pin(ctx context.Context, x event.Exchange) (name string, err error)
	// Stop ends the session in order; called again, it ends it at once. It returns when
	// it has been told.
	Stop(ctx context.Context) error
}
