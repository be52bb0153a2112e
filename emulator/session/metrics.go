package session

import (
	"slices"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Metrics are a model's own from one source, in short; Latest has them.
type Metrics struct {
	Pod      string              `json:"pod,omitempty"`
	Source   event.MetricsSource `json:"source"`
	Grouping map[string]string   `json:"grouping,omitempty"` // of what was pushed
	At       time.Time           `json:"at"`
	Families int                 `json:"families"`
	Series   int                 `json:"series"`
	Cut      string              `json:"cut,omitempty"`
	// Error is why the last attempt gave nothing; the rest is then of the last one that
	// gave something, if any did.
	Error string `json:"error,omitempty"`
	// Latest is the sample itself; nil where none gave anything.
	Latest *event.Scraped `json:"-"`

	of string
}

// scraped notes a sample in the place of the last one of the same source.
func (m *Model) scraped(f event.Scraped) {
	i := slices.IndexFunc(m.Metrics, func(other *Metrics) bool { return other.of == f.Of() })
	switch {
	case f.Gone && i >= 0:
		m.Metrics = slices.Delete(m.Metrics, i, i+1)
	case f.Gone:
	case i >= 0:
		m.Metrics[i] = m.Metrics[i].after(f)
	default:
		m.Metrics = append(m.Metrics, (&Metrics{}).after(f))
	}
}

// after is a new value, so that whoever holds the last one may go on with it.
func (x *Metrics) after(f event.Scraped) *Metrics {
	if f.Error != "" && x.Latest != nil {
		stale := *x
		stale.Error = f.Error
		return &stale
	}
	now := &Metrics{
		Pod: f.Pod, Source: f.Source, Grouping: f.Grouping, At: f.At,
		Families: len(f.Families), Series: f.Series, Cut: f.Cut, Error: f.Error, of: f.Of(),
	}
	if f.Error == "" {
		now.Latest = &f
	}
	return now
}

// forgetMetrics leaves out what was scraped from a pod that is gone.
func (m *Model) forgetMetrics(pod string) {
	m.Metrics = slices.DeleteFunc(m.Metrics, func(x *Metrics) bool {
		return x.Source == event.MetricsScraped && x.Pod == pod
	})
}
