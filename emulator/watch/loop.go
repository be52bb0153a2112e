package watch

import (
	"maps"
	"slices"
	"time"
)

// Loop finds files that our own work writes again and again: each time, the change
// would start that work anew. It only judges what it is fed. The work is what can write
// below the root, such as a host command before a build; an Engine's build cannot.
//
// A file loops once it changed in Times turns of the work in a row. A person who saves
// the same file that often while the work runs looks the same, so name the files: an
// edit while no work is done counts again at once.
type Loop struct {
	Times int           // 0 is 3
	Grace time.Duration // after the work, until its changes are settled; 0 is 2 s

	turn  int // 0 before the first
	runs  bool
	ended time.Time
	files map[string]*streak
}

// streak is how many turns in a row changed a file, and which was the last.
type streak struct {
	turns, last int
	looping     bool
}

// BuildStarted begins a turn.
func (l *Loop) BuildStarted() { l.turn, l.runs = l.turn+1, true }

// BuildEnded ends it, even one that was cancelled.
func (l *Loop) BuildEnded(now time.Time) { l.runs, l.ended = false, now }

// Heed judges a set when it comes: rest is what of it is to be acted on, and looping
// names the files that are not, sorted. found is true where one of them is newly so.
func (l *Loop) Heed(s Set, now time.Time) (rest Set, looping []string, found bool) {
	rest = s
	rest.Changes = nil
	own := l.own(now)
	for _, c := range s.Changes {
		switch {
		case !own:
			delete(l.files, c.Path)
		case l.count(c.Path):
			found = true
			fallthrough
		case l.files[c.Path].looping:
			looping = append(looping, c.Path)
			continue
		}
		rest.Changes = append(rest.Changes, c)
	}
	slices.Sort(looping)
	return rest, looping, found
}

// Looping are all files that loop, sorted.
func (l *Loop) Looping() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.files)), func(path string) bool { return !l.files[path].looping })
}

// Loops tells whether a file loops.
func (l *Loop) Loops(path string) bool { return l.files[path] != nil && l.files[path].looping }

// own says whether changes that come now may be of our own work.
func (l *Loop) own(now time.Time) bool {
	grace := l.Grace
	if grace == 0 {
		grace = 2 * time.Second
	}
	return l.turn > 0 && (l.runs || now.Sub(l.ended) < grace)
}

// count counts a file for this turn, once, and says whether it loops from now on.
func (l *Loop) count(path string) bool {
	times := l.Times
	if times == 0 {
		times = 3
	}
	if l.files == nil {
		l.files = map[string]*streak{}
	}
	s := l.files[path]
	if s == nil {
		s = &streak{}
		l.files[path] = s
	}
	switch s.last {
	case l.turn:
		return false
	case l.turn - 1:
		s.turns++
	default:
		s.turns = 1
	}
	s.last = l.turn
	if s.looping || s.turns < times {
		return false
	}
	s.looping = true
	return true
}
