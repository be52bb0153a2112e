package prose

import (
	"fmt"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// CrashLoop is what kubectl calls the wait before a container is started again.
const CrashLoop = "CrashLoopBackOff"

// Phase is a phase as people know it.
func Phase(p event.Phase) string {
	if p == event.PhaseBackOff {
		return CrashLoop
	}
	return string(p)
}

// Comeback says when a model that waits in back-off is started again; empty where none
// of it waits.
func Comeback(m *session.Model, now time.Time) string {
	for _, p := range m.Pods {
		if p.Phase == event.PhaseBackOff && p.RetryAt != nil {
			left := max(p.RetryAt.Sub(now), 0).Round(time.Second)
			return fmt.Sprintf("starts again in %s, for the %s time; `merlin-local retry` starts it now", left, ordinal(p.Restarts+1))
		}
	}
	return ""
}
