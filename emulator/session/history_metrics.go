package session

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Tracks are the pasts of all series of the models' own metrics. Those of pods that are
// gone stay until their room is needed.
type Tracks struct {
	// Samples counts those that were applied: it is another one where anything changed.
	Samples int
	// Untracked is how many series of the sources' latest samples have no past, because
	// there are too many.
	Untracked int

	most, mostBytes int
	series, bytes   int
	sources         map[sourceOf]*source
	tracks          map[string][]*Track // by model and series
	stale           []*Track            // what may go, the first first; made when room is needed
}

// The bounds of Tracks. Series are counted as Prometheus counts them: each bucket is one.
const (
	mostSeries  = 2_000
	seriesBytes = 16 << 20
	mostPoints  = 240
	trackBytes  = 300 // of a track without points and texts, about
)

// scrapedEvery is how often a replica is asked. What it says is told only where it
// differs, so before a sample that was told it still said the same this long ago.
const scrapedEvery = 5 * time.Second

// sourceOf names a source of a model: as event.Scraped.Of does.
type sourceOf struct{ model, of string }

// source is where samples of one model come from, again and again.
type source struct {
	at        time.Time // of the last sample
	failed    bool      // whether an attempt went wrong since
	untracked int
	cut       bool // whether that sample was not whole
}

func newTracks(most, mostBytes int) *Tracks {
	return &Tracks{most: most, mostBytes: mostBytes, sources: map[sourceOf]*source{}, tracks: map[string][]*Track{}}
}

// Len is how many series have a past, as Prometheus counts them.
func (t *Tracks) Len() int { return t.series }

// Bytes is about how much memory they take.
func (t *Tracks) Bytes() int { return t.bytes }

// Of returns the pasts of a model's series: one for each source that it came from.
func (t *Tracks) Of(model, series string) []*Track { return t.tracks[model+"\n"+series] }

// SeriesKey names a series of a family by its labels, whatever its source.
func SeriesKey(family string, labels map[string]string) string {
	var key strings.Builder
	key.WriteString(family)
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		key.WriteByte('\n')
		key.WriteString(name)
		key.WriteByte('=')
		key.WriteString(strconv.Quote(labels[name]))
	}
	return key.String()
}

// moment is when a sample was taken, and since when it may have differed from the one
// before. born tells that a series which was not in that one began after it, from zero.
type moment struct {
	since, at time.Time
	born      bool
}

// add notes a sample of a model.
func (t *Tracks) add(model string, f event.Scraped) {
	of := sourceOf{model, f.Of()}
	src := t.sources[of]
	t.Samples++
	t.stale = nil
	switch {
	case f.Gone:
		t.leave(of, f.At)
	case f.Error != "" && src != nil:
		src.failed = true
	case f.Error != "":
	case src == nil: // nobody knows since when its counters count
		src = &source{}
		t.sources[of] = src
		t.sample(of, src, f, moment{since: f.At, at: f.At})
	default:
		when := moment{since: src.at, at: f.At, born: src.untracked == 0 && !src.cut}
		if again := f.At.Add(-scrapedEvery); f.Source == event.MetricsScraped && !src.failed && again.After(when.since) {
			when.since = again
		}
		t.sample(of, src, f, when)
	}
}

func (t *Tracks) sample(of sourceOf, src *source, f event.Scraped, when moment) {
	untracked := 0
	for i := range f.Families {
		family := &f.Families[i]
		for j := range family.Series {
			if series := &family.Series[j]; !t.note(of, src, family, series, when) {
				untracked += weight(series)
			}
		}
	}
	t.Untracked += untracked - src.untracked
	src.untracked, src.at, src.failed, src.cut = untracked, f.At, false, f.Cut != ""
}

// note adds a series' values to its past; it is false where there is no room for one.
func (t *Tracks) note(of sourceOf, src *source, family *event.Family, series *event.Series, when moment) bool {
	key := of.model + "\n" + SeriesKey(family.Name, series.Labels)
	track := t.find(key, of.of)
	if track != nil && !track.fits(family, series) {
		t.forget(track)
		track = nil
	}
	if track == nil {
		track = newTrack(key, of.of, family, series)
		if !t.room(track, when.at) {
			return false
		}
		if when.born && track.Cumulative() {
			track.add(when.since, when.since, make([]float64, track.width))
		}
		t.tracks[key] = append(t.tracks[key], track)
		t.series += track.weight
		t.bytes += track.bytes()
	}
	before := track.bytes()
	track.src, track.Gone, track.Seen = src, time.Time{}, when.at
	track.take(when, series)
	t.bytes += track.bytes() - before
	t.squeeze(track, when.at)
	return true
}

func (t *Tracks) find(key, of string) *Track {
	for _, track := range t.tracks[key] {
		if track.Source == of {
			return track
		}
	}
	return nil
}

// room makes room for a track, where it can by forgetting others.
func (t *Tracks) room(track *Track, at time.Time) bool {
	for t.series+track.weight > t.most || t.bytes+track.bytes()+4*track.pointBytes() > t.mostBytes {
		if !t.evict(at) {
			return false
		}
	}
	return true
}

// squeeze keeps the bytes in bounds: others go, else the oldest points of this one.
func (t *Tracks) squeeze(track *Track, at time.Time) {
	for t.bytes > t.mostBytes {
		if t.evict(at) {
			continue
		}
		if track.Len() < 4 {
			return
		}
		before := track.bytes()
		track.drop(track.Len() / 2)
		t.bytes += track.bytes() - before
	}
}

// evict forgets the track that was not seen for the longest time; it is false where all
// that are left are in their source's last sample.
func (t *Tracks) evict(at time.Time) bool {
	if t.stale == nil {
		t.stale = t.candidates(at)
	}
	for len(t.stale) > 0 {
		track := t.stale[0]
		t.stale = t.stale[1:]
		if track.Seen.Before(at) { // not in this sample meanwhile
			t.forget(track)
			return true
		}
	}
	return false
}

// candidates are the tracks that are in no source's last sample; never nil.
func (t *Tracks) candidates(at time.Time) []*Track {
	found := []*Track{}
	for _, tracks := range t.tracks {
		for _, track := range tracks {
			if (!track.Gone.IsZero() || track.Seen.Before(track.src.at)) && track.Seen.Before(at) {
				found = append(found, track)
			}
		}
	}
	slices.SortFunc(found, func(a, b *Track) int {
		return cmp.Or(a.Seen.Compare(b.Seen), strings.Compare(a.key, b.key), strings.Compare(a.Source, b.Source))
	})
	return found
}

func (t *Tracks) forget(track *Track) {
	t.series -= track.weight
	t.bytes -= track.bytes()
	rest := slices.DeleteFunc(t.tracks[track.key], func(other *Track) bool { return other == track })
	if len(rest) == 0 {
		delete(t.tracks, track.key)
		return
	}
	t.tracks[track.key] = rest
}

// leave notes that a source is gone.
func (t *Tracks) leave(of sourceOf, at time.Time) {
	src := t.sources[of]
	if src == nil {
		return
	}
	t.Samples++
	t.Untracked -= src.untracked
	delete(t.sources, of)
	for _, tracks := range t.tracks {
		for _, track := range tracks {
			if track.src == src {
				track.Gone = at
			}
		}
	}
}

// clone goes its own way; points that are there are shared, as none of them changes.
func (t *Tracks) clone() *Tracks {
	c := &Tracks{
		Samples: t.Samples, Untracked: t.Untracked, most: t.most, mostBytes: t.mostBytes, series: t.series,
		sources: make(map[sourceOf]*source, len(t.sources)), tracks: make(map[string][]*Track, len(t.tracks)),
	}
	now := make(map[*source]*source, len(t.sources))
	for of, src := range t.sources {
		now[src] = copied(src)
		c.sources[of] = now[src]
	}
	for key, tracks := range t.tracks {
		own := make([]*Track, len(tracks))
		for i, track := range tracks {
			own[i] = track.clone()
			if src := now[track.src]; src != nil { // else it is gone
				own[i].src = src
			}
			c.bytes += own[i].bytes()
		}
		c.tracks[key] = own
	}
	return c
}

// weight is as how many series Prometheus counts it.
func weight(s *event.Series) int {
	if n := len(s.Buckets) + len(s.Quantiles); n > 0 {
		return n + 2
	}
	return 1
}
