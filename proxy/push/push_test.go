package push_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	client "github.com/prometheus/client_golang/prometheus/push"
	"github.com/prometheus/common/expfmt"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/scrape"
	"github.com/caraml-dev/merlin-local/proxy/push"
)

// format is what the program gives the endpoint.
type format struct{}

func (format) Read(body []byte, header http.Header) (push.Page, error) {
	p, err := scrape.ParsePushed(body, header)
	return push.Page{Families: p.Families, Series: p.Series, Cut: p.Cut, Timestamps: p.Timestamps}, err
}

func (format) Write(w io.Writer, families []event.Family) error { return scrape.Write(w, families) }
func (format) ContentType() string                              { return scrape.ContentType }
func (format) MostBytes() int64                                 { return scrape.MostBytes }

// gateway is an endpoint that really listens, and what it told.
type gateway struct {
	*testing.T
	url string

	mu   sync.Mutex
	told []event.Fact
}

func newGateway(t *testing.T, change func(*push.Options)) *gateway {
	t.Helper()
	g := &gateway{T: t}
	options := push.Options{Format: format{}, Tell: func(f event.Fact) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.told = append(g.told, f)
	}}
	if change != nil {
		change(&options)
	}
	server := httptest.NewServer(push.New(options))
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

func (g *gateway) facts() []event.Fact {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.told)
}

// last is the latest sample that was told.
func (g *gateway) last() event.Scraped {
	g.Helper()
	for _, f := range slices.Backward(g.facts()) {
		if s, is := f.(event.Scraped); is {
			return s
		}
	}
	g.Fatal("nothing was told")
	return event.Scraped{}
}

func (g *gateway) send(method, path, body string, header ...string) (status int, answer string) {
	g.Helper()
	r, err := http.NewRequestWithContext(g.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r) // which follows no redirect
	if err != nil {
		g.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		g.Fatal(err)
	}
	return response.StatusCode, string(data)
}

// shown is what GET /metrics has, without the time of a push.
func (g *gateway) shown() string {
	g.Helper()
	status, page := g.send(http.MethodGet, "/metrics", "")
	if status != http.StatusOK {
		g.Fatalf("GET /metrics answers %d", status)
	}
	var lines []string
	for line := range strings.Lines(page) {
		if !strings.Contains(line, "push_time_seconds") && !strings.HasPrefix(line, "# HELP") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func (g *gateway) wantShown(want string) {
	g.Helper()
	if got := g.shown(); got != want {
		g.Errorf("GET /metrics has\n%s\nwant\n%s", got, want)
	}
}

func gauge(name string, value float64, labels ...string) prometheus.Gauge {
	constant := prometheus.Labels{}
	for i := 0; i < len(labels); i += 2 {
		constant[labels[i]] = labels[i+1]
	}
	c := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: "Help.", ConstLabels: constant})
	c.Set(value)
	return c
}

func TestPrometheusOwnClientPushesAddsAndDeletes(t *testing.T) {
	for name, form := range map[string]expfmt.Format{"protobuf": expfmt.FmtProtoDelim, "text": expfmt.FmtText} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, nil)
			job := func(collectors ...prometheus.Collector) *client.Pusher {
				p := client.New(g.url, "nightly").Grouping("shard", "a/b").Grouping("empty", "").Format(form)
				for _, c := range collectors {
					p.Collector(c)
				}
				return p
			}
			h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "took_seconds", Buckets: []float64{1}})
			h.Observe(0.5)
			if err := job(gauge("rows", 3, "table", "t"), h).Push(); err != nil {
				t.Fatal(err)
			}
			s := g.last()
			if s.Source != event.MetricsPushed || s.Grouping["job"] != "nightly" || s.Grouping["shard"] != "a/b" || len(s.Grouping) != 3 || s.Series != 5 || s.At.IsZero() {
				t.Errorf("told is %+v", s)
			}
			const took = `# TYPE took_seconds histogram
took_seconds_bucket{empty="",instance="",job="nightly",shard="a/b",le="1"} 1
took_seconds_bucket{empty="",instance="",job="nightly",shard="a/b",le="+Inf"} 1
took_seconds_sum{empty="",instance="",job="nightly",shard="a/b"} 0.5
took_seconds_count{empty="",instance="",job="nightly",shard="a/b"} 1
`
			g.wantShown(`# TYPE rows gauge
rows{empty="",instance="",job="nightly",shard="a/b",table="t"} 3
` + took)

			if err := job(gauge("rows", 4)).Add(); err != nil { // POST: of the same name alone
				t.Fatal(err)
			}
			g.wantShown(`# TYPE rows gauge
rows{empty="",instance="",job="nightly",shard="a/b"} 4
` + took)
			if s := g.last(); s.Series != 5 || len(s.Families) != 2 {
				t.Errorf("told is %+v", s)
			}
			if err := job(gauge("rows", 5)).Push(); err != nil { // PUT: the whole group
				t.Fatal(err)
			}
			g.wantShown("# TYPE rows gauge\nrows{empty=\"\",instance=\"\",job=\"nightly\",shard=\"a/b\"} 5\n")

			if err := job().Delete(); err != nil {
				t.Fatal(err)
			}
			g.wantShown("")
			if s := g.last(); !s.Gone || s.Grouping["shard"] != "a/b" {
				t.Errorf("told is %+v", s)
			}
		})
	}
}

func TestGroupsAreKeptApart(t *testing.T) {
	g := newGateway(t, nil)
	for _, path := range []string{"/metrics/job/a", "/metrics/job/a/instance/i", "/metrics/job/b"} {
		if status, answer := g.send(http.MethodPut, path, "x 1\n"); status != http.StatusOK || answer != "" {
			t.Errorf("%s answers %d %s", path, status, answer)
		}
	}
	if status, _ := g.send(http.MethodDelete, "/metrics/job/a", ""); status != http.StatusAccepted {
		t.Errorf("DELETE answers %d", status)
	}
	g.wantShown("# TYPE x untyped\nx{instance=\"i\",job=\"a\"} 1\nx{instance=\"\",job=\"b\"} 1\n")
}

func TestAGroupsLabelsCountMoreThanASeriesOwn(t *testing.T) {
	g := newGateway(t, nil)
	g.send(http.MethodPut, "/metrics/job/a/shard/1", `x{job="other",shard="2",y="z"} 1`+"\n")
	g.wantShown("# TYPE x untyped\nx{instance=\"\",job=\"a\",shard=\"1\",y=\"z\"} 1\n")
	if status, answer := g.send(http.MethodPut, "/metrics/job/a/shard/1", "x{shard=\"1\"} 1\nx{shard=\"2\"} 1\n"); status != http.StatusBadRequest {
		t.Errorf("two of one are answered by %d %s", status, answer)
	}
}

func TestAnyBodyWithoutAFormOfItsOwnIsText(t *testing.T) {
	g := newGateway(t, nil)
	// as curl --data-binary sends it
	if status, answer := g.send(http.MethodPost, "/metrics/job/a", "x 1\n", "Content-Type", "application/x-www-form-urlencoded"); status != http.StatusOK {
		t.Errorf("answered is %d %s", status, answer)
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	fmt.Fprint(w, "y 2\n")
	_ = w.Close()
	if status, answer := g.send(http.MethodPost, "/metrics/job/a", zipped.String(), "Content-Encoding", "gzip"); status != http.StatusOK {
		t.Errorf("answered is %d %s", status, answer)
	}
	g.wantShown("# TYPE x untyped\nx{instance=\"\",job=\"a\"} 1\n# TYPE y untyped\ny{instance=\"\",job=\"a\"} 2\n")
}

func TestLabelsOfAPath(t *testing.T) {
	coded := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for path, want := range map[string]string{
		"job/a":                           `a`,
		"job/a%2Fb":                       `a/b`,
		"job/a%20b":                       `a b`,
		"job/a/x/..":                      `a x=..`,
		"job/a/x/":                        `a x=`,
		"job/a/x//y/":                     `a x= y=`,
		"job/a/x":                         ``, // odd
		"job@base64/" + coded("/var/tmp"): `/var/tmp`,
		"job/a/x@base64/" + coded("\U0001f600?") + "/y/z": "a x=\U0001f600? y=z",
		"job/a/x@base64/=": `a x=`,
		"job/a/x@base64/" + base64.URLEncoding.EncodeToString([]byte("b")): `a x=b`,
	} {
		g := newGateway(t, nil)
		status, answer := g.send(http.MethodPut, "/metrics/"+path, "v 1\n")
		if want == "" {
			if status != http.StatusBadRequest {
				t.Errorf("%s is answered by %d %s", path, status, answer)
			}
			continue
		}
		if status != http.StatusOK {
			t.Errorf("%s is answered by %d %s", path, status, answer)
			continue
		}
		grouping := g.last().Grouping
		got := grouping["job"]
		for _, name := range []string{"x", "y"} {
			if value, there := grouping[name]; there {
				got += " " + name + "=" + value
			}
		}
		if got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestWhatAPushgatewayRefusesIsRefused(t *testing.T) {
	g := newGateway(t, nil)
	if status, answer := g.send(http.MethodPut, "/metrics/job/first", "# TYPE x counter\nx 1\n"); status != http.StatusOK {
		t.Fatalf("answered is %d %s", status, answer)
	}
	before := len(g.facts())
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"PUT", "/metrics/job/a", "x one\n", 400, "text format parsing error"},
		{"PUT", "/metrics/job/a", "x 1", 400, "text format parsing error"}, // no line end
		{"PUT", "/metrics/job/a", "y 1 1520879607789\n", 400, "pushed metrics must not have timestamps"},
		{"PUT", "/metrics/job/a", "# TYPE x gauge\nx 1\n", 400, `x is a gauge here and a counter in the group {job="first"}`},
		{"PUT", "/metrics/job/a", "y 1\ny 2\n", 400, "y is there twice with the same labels"},
		{"PUT", "/metrics/job/", "y 1\n", 400, "job name is required"},
		{"PUT", "/metrics/job", "y 1\n", 400, "odd number"},
		{"PUT", "/metrics/instance/a", "y 1\n", 400, "/metrics/job/JOB"},
		{"PUT", "/metrics/job/a/__x/b", "y 1\n", 400, "improper label name"},
		{"PUT", "/metrics/job/a/1x/b", "y 1\n", 400, "improper label name"},
		{"PUT", "/metrics/job/a/x/1/x/2", "y 1\n", 400, "twice"},
		{"PUT", "/metrics/job/a/x@base64/@", "y 1\n", 400, "base64"},
		{"PUT", "/metrics/job/a/x/%FF", "y 1\n", 400, "no UTF-8"},
		{"DELETE", "/metrics/job/a/x", "", 400, "odd number"},
		{"GET", "/metrics/job/a", "", 405, "PUT or POST"},
		{"PUT", "/metrics/job/a", strings.Repeat("# a comment\n", 1<<20), 413, "more than 8388608 bytes"},
	} {
		status, answer := g.send(c.method, c.path, c.body)
		if status != c.status || !strings.Contains(answer, c.want) {
			t.Errorf("%s %s is answered by %d %s", c.method, c.path, status, answer)
		}
	}
	if status, answer := g.send("PUT", "/metrics/job/a", "y 1\n", "Content-Encoding", "br"); status != 400 || !strings.Contains(answer, "gzip") {
		t.Errorf("answered is %d %s", status, answer)
	}
	if status, _ := g.send("DELETE", "/metrics/job/nobody", ""); status != http.StatusAccepted {
		t.Errorf("the delete of nothing is answered by %d", status)
	}
	if after := len(g.facts()); after != before {
		t.Errorf("%v is told", g.facts()[before:])
	}
	g.wantShown("# TYPE x counter\nx{instance=\"\",job=\"first\"} 1\n")
}

func TestAnEndpointIsHealthy(t *testing.T) {
	g := newGateway(t, nil)
	for _, path := range []string{"/-/healthy", "/-/ready"} {
		if status, answer := g.send(http.MethodGet, path, ""); status != http.StatusOK || answer != "OK" {
			t.Errorf("%s answers %d %s", path, status, answer)
		}
	}
	g.send(http.MethodPut, "/metrics/job/a", "x 1\n")
	if _, page := g.send(http.MethodGet, "/metrics", ""); !strings.Contains(page, `push_time_seconds{instance="",job="a"} 1.`) {
		t.Errorf("GET /metrics has\n%s", page)
	}
}

func TestTheSameAgainIsNotTold(t *testing.T) {
	g := newGateway(t, nil)
	for _, value := range []string{"1", "1", "NaN", "NaN", "2"} {
		g.send(http.MethodPut, "/metrics/job/a", "x "+value+"\n")
	}
	if told := g.facts(); len(told) != 3 {
		t.Errorf("told are %v", told)
	}
}

func TestStrangersAreRefusedAndOnceToldOf(t *testing.T) {
	var asked []netip.Addr
	known := false
	g := newGateway(t, func(o *push.Options) {
		o.Sender = func(_ context.Context, from netip.Addr) (string, bool) {
			asked = append(asked, from)
			return "pod", known
		}
	})
	for range 3 {
		for _, method := range []string{http.MethodPut, http.MethodDelete} {
			if status, answer := g.send(method, "/metrics/job/a", "x 1\n"); status != http.StatusForbidden || !strings.Contains(answer, "only this model's containers") {
				t.Errorf("a stranger is answered by %d %s", status, answer)
			}
		}
		if status, _ := g.send(http.MethodGet, "/metrics", ""); status != http.StatusForbidden {
			t.Errorf("a stranger reads: %d", status)
		}
	}
	told := g.facts()
	if len(told) != 1 || !strings.Contains(told[0].(event.Notice).Text, "127.0.0.1:") {
		t.Errorf("told are %v", told)
	}
	if asked[0] != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("asked is about %s", asked[0])
	}
	known = true
	if status, _ := g.send(http.MethodPut, "/metrics/job/a", "x 1\n"); status != http.StatusOK || g.last().Pod != "pod" {
		t.Errorf("the model's own is answered by %d, and told is %+v", status, g.last())
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	g := newGateway(t, nil)
	for i := range 230 {
		if status, answer := g.send(http.MethodPut, fmt.Sprintf("/metrics/job/%d", i), "x 1\n"); status != http.StatusOK {
			t.Fatalf("answered is %d %s", status, answer)
		}
	}
	if page := g.shown(); strings.Count(page, "x{") != 200 || strings.Contains(page, `job="29"`) || !strings.Contains(page, `job="229"`) {
		t.Errorf("kept are %d groups", strings.Count(page, "x{"))
	}
	gone, notices := 0, 0
	for _, f := range g.facts() {
		switch f := f.(type) {
		case event.Scraped:
			if f.Gone {
				gone++
			}
		case event.Notice:
			notices++
		}
	}
	if gone != 30 || notices != 1 {
		t.Errorf("%d are told to be gone, by %d notices", gone, notices)
	}
}

func TestManySeriesAreBounded(t *testing.T) {
	g := newGateway(t, nil)
	page := func(name string) string {
		var b strings.Builder
		for i := range 1_900 {
			fmt.Fprintf(&b, "%s{i=\"%d\"} 1\n", name, i)
		}
		return b.String()
	}
	for i := range 15 {
		g.send(http.MethodPut, fmt.Sprintf("/metrics/job/%d", i), page("x"))
	}
	if n := strings.Count(g.shown(), "x{"); n != 10*1_900 {
		t.Errorf("%d series are kept", n)
	}
	g.send(http.MethodPost, "/metrics/job/14", page("y"))
	if status, answer := g.send(http.MethodPost, "/metrics/job/14", page("z")); status != http.StatusBadRequest || !strings.Contains(answer, "5700 series") {
		t.Errorf("a group that only grows is answered by %d %s", status, answer)
	}
}
