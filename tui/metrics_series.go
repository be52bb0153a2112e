package tui

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// series is a row of the model's own metrics: one series, or the sum of those that
// several pods have.
type series struct {
	key    string // names it for as long as there is such a row
	series string // as session.SeriesKey names it: several pods' rows may have the same
	name   string // with its labels, safe to print
	find   string // what words are looked for in
	family *event.Family
	unit   unit
	of     []sourceSeries
	tracks []*session.Track
}

// sourceSeries is a series as a source has it now.
type sourceSeries struct {
	from *session.Metrics
	*event.Series
}

// seriesRows are all series of the model; apart gives each pod's its own row.
func seriesRows(s *scene, apart bool) []*series {
	var all []*series
	found := map[string]*series{}
	several := scrapedPods(s.model) > 1
	for _, x := range s.model.Metrics {
		if x.Latest == nil {
			continue
		}
		for i := range x.Latest.Families {
			family := &x.Latest.Families[i]
			single := apart || x.Source == event.MetricsPushed || family.Type == event.Summary // quantiles have no sum
			for j := range family.Series {
				one := sourceSeries{x, &family.Series[j]}
				series := session.SeriesKey(family.Name, one.Labels)
				key := series
				if single {
					key = x.Latest.Of() + "\n" + series
				}
				row := found[key]
				if row == nil {
					row = newSeries(key, family, one, single && several)
					row.series = series
					found[key] = row
					all = append(all, row)
				}
				row.of = append(row.of, one)
				row.follow(s, series, single)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *series) int {
		return cmp.Or(a.rank()-b.rank(), strings.Compare(a.family.Name, b.family.Name), strings.Compare(a.name, b.name))
	})
	return all
}

// rank puts what the model itself measures first, then what client libraries tell of every
// process, then since when a series counts.
func (r *series) rank() int {
	name := r.family.Name
	switch {
	case strings.HasSuffix(name, "_created"):
		return 2
	case slices.ContainsFunc([]string{"python_", "process_", "go_", "promhttp_"}, func(prefix string) bool { return strings.HasPrefix(name, prefix) }):
		return 1
	}
	return 0
}

func newSeries(key string, f *event.Family, x sourceSeries, named bool) *series {
	labels := maps.Clone(x.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	if x.from.Source == event.MetricsPushed {
		for name, value := range x.from.Grouping {
			if _, has := labels[name]; !has {
				labels[name] = value
			}
		}
	} else if named && x.from.Pod != "" {
		labels["pod"] = x.from.Pod
	}
	row := &series{key: key, family: f, unit: unitOf(f), name: seriesLabel(f.Name, labels)}
	row.find = strings.ToLower(row.name + " " + string(f.Type) + " " + short(f.Help))
	return row
}

// scrapedPods is from how many replicas the model's metrics come.
func scrapedPods(m *session.Model) int {
	n := 0
	for _, x := range m.Metrics {
		if x.Source == event.MetricsScraped && x.Latest != nil {
			n++
		}
	}
	return n
}

// seriesLabel is a series' name as Prometheus writes it, safe to print.
func seriesLabel(name string, labels map[string]string) string {
	if len(labels) == 0 {
		return prose.Clean(short(name))
	}
	var text strings.Builder
	text.WriteString(name)
	for i, l := range slices.Sorted(maps.Keys(labels)) {
		text.WriteByte("{,"[min(i, 1)])
		text.WriteString(l + "=" + strconv.Quote(labels[l]))
	}
	text.WriteByte('}')
	return prose.Clean(short(text.String()))
}

// mostText is how much of a name or a help text is shown, in bytes.
const mostText = 600

// short is a foreign text without what nobody would read to its end.
func short(text string) string {
	if len(text) <= mostText {
		return text
	}
	return strings.ToValidUTF8(text[:mostText], "") + "..."
}

// follow finds the row's pasts: of the source that was added, and, in a sum, those of
// pods that are gone.
func (r *series) follow(s *scene, name string, single bool) {
	of := r.of[len(r.of)-1].from.Latest.Of()
	for _, track := range s.state.History.Tracks.Of(s.model.ID, name) {
		gone := !track.Gone.IsZero() && strings.HasPrefix(track.Source, string(event.MetricsScraped)+" ")
		if track.Source == of && track.Gone.IsZero() || gone && !single && len(r.of) == 1 {
			r.tracks = append(r.tracks, track)
		}
	}
}

// matchingSeries are the rows that hold every word.
func matchingSeries(all []*series, words []string) []*series {
	if len(words) == 0 {
		return all
	}
	var found []*series
	for _, r := range all {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(r.find, w) }) {
			found = append(found, r)
		}
	}
	return found
}

// How long before now counts as now: a rate needs some samples, percentiles many
// observations.
const (
	rateOver        = 15 * time.Second
	percentilesOver = time.Minute
	// asked is how often a replica is asked at most: for as long nothing can be known of
	// it that was not told yet.
	asked = 5 * time.Second
)

// knownUntil is until when a track's values are known: what is scraped and not told any more
// stays as it was.
func knownUntil(x *session.Track, now time.Time) time.Time {
	until := x.Seen
	switch {
	case !x.Gone.IsZero():
		return x.Gone
	case strings.HasPrefix(x.Source, string(event.MetricsScraped)) && now.Add(-asked).After(until):
		until = now.Add(-asked)
	}
	return until
}

// grown is by how much the row's values grew in the time before what is known last, and
// whether any of them has a past.
func (r *series) grown(now time.Time, over time.Duration) ([]float64, bool) {
	sum := make([]float64, 0)
	alive := false
	for _, x := range r.tracks {
		if !x.Gone.IsZero() || !r.like(x) {
			continue
		}
		if !alive {
			sum, alive = make([]float64, x.Width()), true
		}
		until := knownUntil(x, now)
		x.Increase(sum, until.Add(-over), until)
	}
	return sum, alive
}

// main is the past whose form the others must have to be summed up; nil without one.
func (r *series) main() *session.Track {
	for _, x := range r.tracks {
		if x.Gone.IsZero() {
			return x
		}
	}
	if len(r.tracks) > 0 {
		return r.tracks[0]
	}
	return nil
}

// like tells whether a past has the form of the others: the same buckets.
func (r *series) like(x *session.Track) bool {
	return x.Len() > 0 && x.Width() == r.width() && slices.Equal(x.Bounds, r.bounds())
}

// width is how many values a point of the row's pasts has.
func (r *series) width() int {
	if x := r.main(); x != nil {
		return x.Width()
	}
	return 0
}

func (r *series) bounds() []float64 {
	if x := r.main(); x != nil {
		return x.Bounds
	}
	return nil
}

// perSecond is a counter's rate now; NaN where nothing is known of its past.
func (r *series) perSecond(now time.Time) float64 {
	over := rateOver
	if x := r.of[0].from; x.Source == event.MetricsPushed && len(r.tracks) > 0 && r.tracks[0].Len() > 1 {
		last := r.tracks[0]
		since, at := last.Span(last.Len() - 1)
		over = max(at.Sub(since), over) // pushes may be far apart
	}
	grown, alive := r.grown(now, over)
	if !alive {
		return math.NaN()
	}
	length := min(over, r.until(now).Sub(r.oldest(now)))
	if length <= 0 {
		return math.NaN() // one sample
	}
	return grown[0] / length.Seconds()
}

// until is the latest time of which something is known.
func (r *series) until(now time.Time) time.Time {
	var last time.Time
	for _, x := range r.tracks {
		if u := knownUntil(x, now); x.Gone.IsZero() && u.After(last) {
			last = u
		}
	}
	return last
}

// total is the sum of what the sources say now.
func (r *series) total() float64 {
	sum := 0.0
	for _, x := range r.of {
		if r.unit == asInstant { // times have no sum: the latest
			sum = max(sum, float64(x.Value))
			continue
		}
		sum += float64(x.Value)
	}
	return sum
}

// shares are the percentiles that are shown.
var shownShares = []struct {
	name  string
	share float64
}{{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}

// percentiles are a histogram's of the last minute, or of all that it has counted where
// nothing was observed in that minute; lately tells which.
func (r *series) percentiles(now time.Time) (values [3]float64, perSecond float64, lately bool) {
	perSecond = math.NaN()
	if grown, alive := r.grown(now, percentilesOver); alive {
		length := percentilesOver
		if over := r.until(now).Sub(r.oldest(now)); over > 0 {
			length = min(length, over)
		}
		perSecond = grown[session.CountAt] / length.Seconds()
		if grown[session.CountAt] > 0 {
			for i := range shownShares {
				values[i] = session.Quantile(shownShares[i].share, r.bounds(), grown[session.FirstAt:])
			}
			return values, perSecond, true
		}
	}
	bounds, counts := r.buckets()
	for i := range shownShares {
		values[i] = session.Quantile(shownShares[i].share, bounds, counts)
	}
	return values, perSecond, false
}

// oldest is since when something is known of what is there now.
func (r *series) oldest(now time.Time) time.Time {
	oldest := now
	for _, x := range r.tracks {
		if x.Gone.IsZero() && x.Len() > 0 && x.From().Before(oldest) {
			oldest = x.From()
		}
	}
	return oldest
}

// buckets are a histogram's bounds and counts as the sources say them now; sources with
// other bounds than the first are left out.
func (r *series) buckets() (bounds, counts []float64) {
	for i, x := range r.of {
		if i == 0 {
			for _, b := range x.Buckets {
				bounds = append(bounds, float64(b.UpTo))
			}
			counts = make([]float64, len(bounds))
		}
		if len(x.Buckets) != len(bounds) {
			continue
		}
		for j, b := range x.Buckets {
			counts[j] += float64(b.Count)
		}
	}
	return bounds, counts
}

// value is what a row says now, in few words.
func (r *series) value(s *scene) string {
	switch r.family.Type {
	case event.Counter:
		if v := r.perSecond(s.now); !math.IsNaN(v) {
			return s.text(v, r.unit)
		}
		return s.text(r.total(), r.totalUnit())
	case event.Histogram:
		values, _, lately := r.percentiles(s.now)
		if !lately {
			return "(" + shownShares[1].name + " " + s.text(values[1], r.unit) + ")"
		}
		return shownShares[1].name + " " + s.text(values[1], r.unit)
	case event.Summary:
		if q := r.of[0].Quantiles; len(q) > 0 {
			last := q[len(q)-1]
			return quantileName(float64(last.Share)) + " " + s.text(float64(last.Value), r.unit)
		}
		return numberText(float64(r.of[0].Count))
	}
	return r.absolute(s, r.total())
}

// absolute is a value as it is: the instant where it is one.
func (r *series) absolute(s *scene, v float64) string {
	if math.IsNaN(v) {
		return "NaN"
	}
	return s.text(v, r.unit)
}

// totalUnit is what a counter counts, not by the second.
func (r *series) totalUnit() unit {
	switch r.unit {
	case bytesPerSecond:
		return inBytes
	case inCores:
		return inSeconds
	}
	return noUnit
}

// quantileName is p99 of 0.99; the ends have names of their own.
func quantileName(share float64) string {
	switch share {
	case 0:
		return "min"
	case 1:
		return "max"
	}
	return "p" + numberText(100*share)
}
