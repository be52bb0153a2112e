package watch

import "time"

// settle collects the paths that were seen to change until they are quiet. It only
// does arithmetic: the caller has the clock.
type settle struct {
	quiet time.Duration // without a change, a path is settled
	most  time.Duration // a path waits no longer than this, changing or not

	paths       map[string]span
	first, last time.Time // over all paths
}

// span is when a path was first and last seen to change.
type span struct{ first, last time.Time }

// note adds a change.
func (s *settle) note(path string, now time.Time) {
	if s.paths == nil {
		s.paths = map[string]span{}
	}
	if len(s.paths) == 0 {
		s.first = now
	}
	s.last = now
	was, known := s.paths[path]
	if !known {
		was.first = now
	}
	s.paths[path] = span{was.first, now}
}

// wait is how long until due has something to give; false where nothing is pending.
func (s *settle) wait(now time.Time) (time.Duration, bool) {
	if len(s.paths) == 0 {
		return 0, false
	}
	at := s.last.Add(s.quiet)
	if limit := s.first.Add(s.most); limit.Before(at) {
		at = limit
	}
	return max(0, at.Sub(now)), true
}

// due takes the paths that are settled: all of them after a quiet moment, else at the
// limit those that are quiet by themselves or have waited long enough.
func (s *settle) due(now time.Time) map[string]bool {
	quiet := !now.Before(s.last.Add(s.quiet))
	if !quiet && now.Before(s.first.Add(s.most)) {
		return nil
	}
	taken := make(map[string]bool, len(s.paths))
	s.first = time.Time{}
	for path, at := range s.paths {
		if quiet || !now.Before(at.last.Add(s.quiet)) || !now.Before(at.first.Add(s.most)) {
			taken[path] = true
			delete(s.paths, path)
		} else if s.first.IsZero() || at.first.Before(s.first) {
			s.first = at.first
		}
	}
	return taken
}

// postpone has all that is pending wait for another quiet moment.
func (s *settle) postpone(now time.Time) {
	s.first, s.last = now, now
	for path := range s.paths {
		s.paths[path] = span{now, now}
	}
}
