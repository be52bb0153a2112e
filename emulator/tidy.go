package emulator

import "context"

// tidyUp has the runtime remove what older revisions left, each time that tidySoon asks
// for it, until the returned function is called. No reload waits for it: it comes once
// the traffic has moved, and beside whatever comes next.
func (s *supervisor) tidyUp(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	first := s.serving
	go func() {
		defer close(done)
		for {
			select {
			case <-s.untidy:
				s.Runtime.Tidy(ctx, first.publish)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

func (s *supervisor) tidySoon() {
	select {
	case s.untidy <- struct{}{}:
	default:
	}
}
