package proxy

import (
	"context"
	"net"
)

// engine carries the requests of one protocol between clients and replicas. What
// may happen to a request it asks the exchange; it decides nothing of that itself.
type engine interface {
	// accept serves the connections of ln until ln ends, and waits for none.
	accept(ln net.Listener)
	// drain ends idle connections, and others after their running request. It
	// returns when it has ended all, or ctx has ended.
	drain(ctx context.Context)
	// wait returns when no request runs. All connections have ended before.
	wait()
}
