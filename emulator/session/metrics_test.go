package session_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestTheLatestMetricsOfEachSourceAreKept(t *testing.T) {
	job := map[string]string{"job": "batch"}
	families := []event.Family{{Name: "jobs_total", Type: event.Counter, Series: []event.Series{{Value: 7}}}}
	facts := begin(
		event.PodChanged{Pod: "x", Phase: event.PhaseReady},
		event.PodChanged{Pod: "y", Phase: event.PhaseReady},
		event.Scraped{Pod: "x", Source: event.MetricsScraped, Error: "refused"},
		event.Scraped{Pod: "y", Source: event.MetricsScraped, Families: families, Series: 1},
		event.Scraped{Source: event.MetricsPushed, Grouping: job, Families: families, Series: 1},
		event.Scraped{Pod: "x", Source: event.MetricsScraped, Families: families, Series: 2, Cut: "c"},
	)
	m := fold(facts...).Models[0]
	if len(m.Metrics) != 3 || m.Metrics[0].Series != 2 || m.Metrics[0].Error != "" || m.Metrics[0].Cut != "c" || m.Metrics[2].Grouping["job"] != "batch" {
		t.Fatalf("metrics are %+v", m.Metrics)
	}
	if got := m.Metrics[1].Latest.Families[0].Series[0].Value; got != 7 {
		t.Errorf("the value is %v", got)
	}
	m = fold(append(
		facts,
		event.PodChanged{Pod: "y", Phase: event.PhaseStopped},
		event.Scraped{Source: event.MetricsPushed, Grouping: job, Gone: true},
		event.Scraped{Source: event.MetricsPushed, Grouping: job, Gone: true},
	)...).Models[0]
	if len(m.Metrics) != 1 || m.Metrics[0].Pod != "x" {
		t.Errorf("metrics are %+v", m.Metrics)
	}
}

func TestWhatWasScrapedLastOutlivesAFailedScrape(t *testing.T) {
	facts := begin(
		event.Scraped{Pod: "x", Source: event.MetricsScraped, Families: []event.Family{{Name: "a"}}, Series: 1},
		event.Scraped{Pod: "x", Source: event.MetricsScraped, Error: "refused"},
	)
	m := fold(facts...).Models[0]
	if x := m.Metrics[0]; x.Error != "refused" || x.Series != 1 || x.Latest == nil || x.Latest.Error != "" {
		t.Errorf("metrics are %+v", x)
	}
	m = fold(append(facts, event.Scraped{Pod: "x", Source: event.MetricsScraped})...).Models[0]
	if x := m.Metrics[0]; x.Error != "" || x.Series != 0 {
		t.Errorf("metrics are %+v", x)
	}
}

func TestTheStateCountsMetricsAndDoesNotListThem(t *testing.T) {
	m := fold(begin(event.Scraped{Source: event.MetricsScraped, Families: []event.Family{{Name: "a_total"}}, Series: 1})...).Models[0]
	data, err := json.Marshal(m)
	if err != nil || strings.Contains(string(data), "a_total") || !strings.Contains(string(data), `"families":1,"series":1`) {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestTheEnvironmentIsThatOfTheRevisionThatServes(t *testing.T) {
	facts := []revisionFact{
		{1, event.Environment{Port: 1}},
		{1, event.Serving{}},
		{2, event.Environment{Port: 2}},
	}
	if m := revised(facts...); m.Environment.Port != 1 {
		t.Errorf("it is %+v", m.Environment)
	}
	facts = append(facts, revisionFact{2, event.ReloadEnded{}}, revisionFact{3, event.Environment{Port: 3}}, revisionFact{3, event.Serving{}}, revisionFact{1, event.Environment{Port: 1}})
	if m := revised(facts...); m.Environment.Port != 3 {
		t.Errorf("it is %+v", m.Environment)
	}
	if m := revised(append(facts, revisionFact{3, event.Environment{Port: 4}})...); m.Environment.Port != 4 {
		t.Errorf("it is %+v", m.Environment)
	}
}
