package emulator_test

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// fakeScraper notes when it is asked, and answers as it is told.
type fakeScraper struct {
	mu     sync.Mutex
	begun  time.Time
	asked  []time.Duration // since the beginning
	whom   []netip.AddrPort
	answer func(attempt int) event.Scraped
}

func (f *fakeScraper) Scrape(_ context.Context, address netip.AddrPort) event.Scraped {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, time.Since(f.begun))
	f.whom = append(f.whom, address)
	s := f.answer(len(f.asked))
	s.Source, s.At = event.MetricsScraped, time.Now()
	return s
}

func (f *fakeScraper) times() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

// scraped runs a model in a bubble with a scraper, for as long as during takes, and
// returns the samples that were told.
func scraped(t *testing.T, f *fakeScraper, model *emulator.Model, during func(w *world)) (told []event.Scraped) {
	t.Helper()
	w := newWorld(t)
	reader := w.events.Subscribe()
	f.begun = time.Now()
	w.options = func(o *emulator.Options) { o.Scraper = f }
	ctx, cancel := context.WithCancel(t.Context())
	wait := w.emulate(ctx, model)
	during(w)
	cancel()
	if err := wait(); err != nil {
		t.Error(err)
	}
	events, err := reader.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if s, is := e.Fact.(event.Scraped); is {
			told = append(told, s)
		}
	}
	return told
}

func seconds(n ...int) (all []time.Duration) {
	for _, n := range n {
		all = append(all, time.Duration(n)*time.Second)
	}
	return all
}

func counter(value event.Number) event.Scraped {
	return event.Scraped{Series: 1, Families: []event.Family{{Name: "a_total", Type: event.Counter, Series: []event.Series{{Value: value}}}}}
}

func TestAReadyReplicaIsAskedForItsMetricsAndTheyAreToldWhereTheyChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeScraper{answer: func(attempt int) event.Scraped { return counter(event.Number(attempt / 3)) }}
		told := scraped(t, f, iris(), func(*world) { time.Sleep(21 * time.Second) })
		if got := f.times(); !slices.Equal(got, seconds(0, 5, 10, 15, 20)) {
			t.Errorf("asked at %v", got)
		}
		var values []event.Number
		for _, s := range told {
			values = append(values, s.Families[0].Series[0].Value)
			if s.Pod == "" || s.Source != event.MetricsScraped {
				t.Errorf("the sample is %+v", s)
			}
		}
		if !slices.Equal(values, []event.Number{0, 1}) {
			t.Errorf("told are %v", values)
		}
	})
}

func TestAModelWithoutMetricsIsAskedLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeScraper{answer: func(int) event.Scraped {
			return event.Scraped{Error: "GET /metrics: 404 Not Found"}
		}}
		told := scraped(t, f, iris(), func(*world) { time.Sleep(226 * time.Second) })
		if got := f.times(); !slices.Equal(got, seconds(0, 10, 30, 70, 130, 190)) {
			t.Errorf("asked at %v", got)
		}
		if len(told) != 1 || told[0].Error != "GET /metrics: 404 Not Found" {
			t.Errorf("told are %+v", told)
		}
	})
}

func TestMetricsThatComeBackAreAskedForAsOftenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeScraper{answer: func(attempt int) event.Scraped {
			if attempt <= 2 {
				return event.Scraped{Error: "connection refused"}
			}
			return counter(1)
		}}
		scraped(t, f, iris(), func(*world) { time.Sleep(41 * time.Second) })
		if got := f.times(); !slices.Equal(got, seconds(0, 10, 30, 35, 40)) {
			t.Errorf("asked at %v", got)
		}
	})
}

func TestAReplicaThatIsNotReadyIsNotAskedForMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeScraper{answer: func(int) event.Scraped { return counter(1) }}
		w := newWorld(t)
		w.probe = func(int) emulator.ProbeResult {
			if since := time.Since(f.begun); since < 20*time.Second || since > 40*time.Second {
				return emulator.ProbeResult{Outcome: "503"}
			}
			return emulator.ProbeResult{OK: true, Outcome: "200 OK"}
		}
		f.begun = time.Now()
		w.options = func(o *emulator.Options) { o.Scraper = f }
		ctx, cancel := context.WithCancel(t.Context())
		wait := w.emulate(ctx, iris())
		time.Sleep(5 * time.Minute)
		cancel()
		if err := wait(); err != nil {
			t.Error(err)
		}
		got := f.times()
		if len(got) < 4 || got[0] < 20*time.Second || got[len(got)-1] > 40*time.Second+30*time.Second {
			t.Errorf("asked at %v", got)
		}
	})
}

func TestNobodyAsksForMetricsWhileADebuggerIsAttached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeScraper{answer: func(int) event.Scraped { return counter(1) }}
		scraped(t, f, iris(), func(w *world) {
			time.Sleep(6 * time.Second)
			w.emulator.Suspend("iris-1", true)
			time.Sleep(10 * time.Minute)
			w.emulator.Suspend("iris-1", false)
			time.Sleep(5 * time.Second)
		})
		got := f.times()
		if len(got) != 3 || got[2] < 10*time.Minute {
			t.Errorf("asked at %v", got)
		}
	})
}

func TestEachReplicaIsAskedForMetricsAndNoneIsStartedForThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeScraper{answer: func(int) event.Scraped { return counter(1) }}
		model := iris()
		model.Replicas = 2
		scraped(t, f, model, func(w *world) {
			time.Sleep(4 * time.Second)
			synctest.Wait()
			if len(w.specs) != 2 {
				t.Errorf("%d containers run", len(w.specs))
			}
		})
		if len(f.whom) != 2 || f.whom[0] == f.whom[1] {
			t.Errorf("asked were %v", f.whom)
		}
	})
}

func TestASecretInAMetricIsHidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeScraper{answer: func(int) event.Scraped {
			s := counter(1)
			s.Families[0].Series[0].Labels = map[string]string{"dsn": "db://me:s3cr3t-value@host"}
			return s
		}}
		model := iris()
		model.Deployment.Secrets = []merlin.Secret{{MLPSecretName: "db", EnvVarName: "DB"}}
		model.SecretValues = map[string]string{"DB": "s3cr3t-value"}
		told := scraped(t, f, model, func(*world) { time.Sleep(time.Second) })
		if len(told) != 1 || told[0].Families[0].Series[0].Labels["dsn"] != "db://me:***@host" {
			t.Errorf("told are %+v", told)
		}
	})
}
