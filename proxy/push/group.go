package push

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

const (
	// mostGroups and mostSeries bound what is kept of one model; the group that was
	// pushed longest ago is forgotten first.
	mostGroups = 200
	mostSeries = 20_000
	// mostOfGroup bounds one group, which POST adds to.
	mostOfGroup = 5_000
)

// group is what was pushed under one set of grouping labels. It does not change once it
// is kept.
type group struct {
	grouping map[string]string
	pod      string // that pushed last; empty where it is not known
	families []event.Family
	series   int
	cut      string
	at       time.Time
	told     event.Scraped
}

// key tells labels apart.
func key(labels map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return strings.Join(all, ",")
}

// take fills a group with what a body says, unless a Pushgateway refuses that by itself.
func (g *group) take(page Page) error {
	if page.Timestamps {
		return errors.New("pushed metrics must not have timestamps")
	}
	g.families, g.cut = grouped(page.Families, g.grouping), page.Cut
	for _, f := range g.families {
		seen := map[string]bool{}
		for _, s := range f.Series {
			labels := key(s.Labels)
			if seen[labels] {
				return fmt.Errorf("pushed metrics are invalid: %s is there twice with the same labels", f.Name)
			}
			seen[labels] = true
		}
	}
	return nil
}

// grouped leaves out the labels that the grouping has: its values count.
func grouped(families []event.Family, grouping map[string]string) []event.Family {
	for _, f := range families {
		for i := range f.Series {
			for name := range grouping {
				delete(f.Series[i].Labels, name)
			}
		}
	}
	return families
}

func seriesIn(families []event.Family) (n int) {
	for _, f := range families {
		for _, s := range f.Series {
			switch f.Type {
			case event.Histogram, event.Summary:
				n += len(s.Buckets) + len(s.Quantiles) + 2
			default:
				n++
			}
		}
	}
	return n
}

// keep takes a group in the place of the last one, or with add over it, and tells it.
func (e *Endpoint) keep(g *group, add bool) error {
	e.mu.Lock()
	k := key(g.grouping)
	last := e.groups[k]
	if last != nil && add {
		g.families = over(last.families, g.families)
	}
	g.series = seriesIn(g.families)
	err := e.fits(k, g)
	var forgotten []*group
	if err == nil {
		g.told = event.Scraped{
			Pod: g.pod, Source: event.MetricsPushed, Grouping: g.grouping, At: g.at,
			Families: g.families, Series: g.series, Cut: g.cut,
		}
		e.groups[k] = g
		forgotten = e.forget(k)
	}
	first := len(forgotten) > 0 && !e.forgotten
	e.forgotten = e.forgotten || first
	e.mu.Unlock()
	if err != nil {
		return err
	}
	if last == nil || !last.told.Says(g.told) {
		e.options.Tell(g.told)
	}
	for _, f := range forgotten {
		e.tellGone(f.grouping)
	}
	if first {
		e.warn("more metrics are pushed than are kept here (%d groups or %d series): those that were pushed longest ago are forgotten, which a Pushgateway does not do", mostGroups, mostSeries)
	}
	return nil
}

// over gives what a POST makes of a group: families of the same name are replaced.
func over(families, pushed []event.Family) []event.Family {
	byName := map[string]event.Family{}
	for _, f := range slices.Concat(families, pushed) {
		byName[f.Name] = f
	}
	var all []event.Family
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all = append(all, byName[name])
	}
	return all
}

// fits refuses a group that is too large, or has a metric of another type than the others
// have it. It is called with the lock held.
func (e *Endpoint) fits(k string, g *group) error {
	if g.series > mostOfGroup {
		return fmt.Errorf("the group has %d series; more than %d are not kept here: push fewer, or replace the group by PUT", g.series, mostOfGroup)
	}
	types := map[string]event.MetricType{}
	for _, f := range g.families {
		types[f.Name] = f.Type
	}
	for other, there := range e.groups {
		if other == k {
			continue
		}
		for _, f := range there.families {
			if t, both := types[f.Name]; both && t != f.Type {
				return fmt.Errorf("pushed metrics are inconsistent with existing ones: %s is a %s here and a %s in the group {%s}", f.Name, t, f.Type, other)
			}
		}
	}
	return nil
}

// forget makes room for a group that was just kept. It is called with the lock held.
func (e *Endpoint) forget(kept string) (forgotten []*group) {
	all := 0
	for _, g := range e.groups {
		all += g.series
	}
	for len(e.groups) > mostGroups || all > mostSeries {
		oldest := ""
		for k, g := range e.groups {
			if k != kept && (oldest == "" || g.at.Before(e.groups[oldest].at)) {
				oldest = k
			}
		}
		all -= e.groups[oldest].series
		forgotten = append(forgotten, e.groups[oldest])
		delete(e.groups, oldest)
	}
	return forgotten
}

func (e *Endpoint) drop(grouping map[string]string) {
	e.mu.Lock()
	_, there := e.groups[key(grouping)]
	delete(e.groups, key(grouping))
	e.mu.Unlock()
	if there {
		e.tellGone(grouping)
	}
}

func (e *Endpoint) tellGone(grouping map[string]string) {
	e.options.Tell(event.Scraped{Source: event.MetricsPushed, Grouping: grouping, At: time.Now().UTC(), Gone: true})
}

// all are the families of all groups, with the labels that a Pushgateway gives them: the
// grouping's, an empty instance where it has none, and when each group was pushed.
func (e *Endpoint) all() []event.Family {
	e.mu.Lock()
	groups := slices.SortedFunc(maps.Values(e.groups), func(a, b *group) int { return strings.Compare(key(a.grouping), key(b.grouping)) })
	e.mu.Unlock()
	byName := map[string]*event.Family{}
	add := func(f event.Family, series event.Series) {
		if byName[f.Name] == nil {
			f.Series = nil
			byName[f.Name] = &f
		}
		byName[f.Name].Series = append(byName[f.Name].Series, series)
	}
	pushed := event.Family{Name: "push_time_seconds", Help: "Last Unix time when changing this group in the Pushgateway succeeded.", Type: event.Gauge}
	for _, g := range groups {
		for _, f := range g.families {
			for _, s := range f.Series {
				add(f, labelled(s, g.grouping))
			}
		}
		add(pushed, labelled(event.Series{Value: event.Number(float64(g.at.UnixNano()) / 1e9)}, g.grouping))
	}
	var families []event.Family
	for _, f := range byName {
		families = append(families, *f)
	}
	slices.SortFunc(families, func(a, b event.Family) int { return cmp.Compare(a.Name, b.Name) })
	return families
}

func labelled(s event.Series, grouping map[string]string) event.Series {
	labels := map[string]string{"instance": ""}
	maps.Copy(labels, s.Labels)
	maps.Copy(labels, grouping)
	s.Labels = labels
	return s
}
