package scrape_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/scrape"
)

func header(kind string) http.Header { return http.Header{"Content-Type": {kind}} }

func TestManySeriesAreCutAndThatIsSaid(t *testing.T) {
	var page strings.Builder
	page.WriteString("# TYPE a_total counter\na_total 1\n# TYPE b gauge\n")
	for i := range 3_000 {
		fmt.Fprintf(&page, "b{i=\"%d\"} %d\n", i, i)
	}
	page.WriteString("# TYPE c gauge\nc 1\n")
	parsed, err := scrape.Parse([]byte(page.String()), http.Header{})
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Series != scrape.MostSeries || parsed.Cut != "2000 of its 3002 series are kept" || len(parsed.Families) != 2 || len(parsed.Families[1].Series) != 1_999 {
		t.Errorf("%d series in %d families, %q", parsed.Series, len(parsed.Families), parsed.Cut)
	}
}

func TestAHistogramIsKeptWholeOrNotAtAll(t *testing.T) {
	var page strings.Builder
	page.WriteString("# TYPE h histogram\n")
	for i := range 700 {
		fmt.Fprintf(&page, "h_bucket{i=\"%d\",le=\"+Inf\"} 1\nh_sum{i=\"%d\"} 1\nh_count{i=\"%d\"} 1\n", i, i, i)
	}
	parsed, err := scrape.Parse([]byte(page.String()), http.Header{})
	if err != nil || parsed.Series != 1_998 || len(parsed.Families[0].Series) != 666 || parsed.Cut != "1998 of its 2100 series are kept" {
		t.Errorf("%d series, %q, %v", parsed.Series, parsed.Cut, err)
	}
}

func TestALargePageIsReadUpToItsLastWholeLine(t *testing.T) {
	var page bytes.Buffer
	for i := 0; page.Len() <= scrape.MostBytes; i++ {
		fmt.Fprintf(&page, "a{i=\"%d\",text=\"%s\"} 1\n", i, strings.Repeat("x", 3_900))
	}
	parsed, err := scrape.Parse(page.Bytes()[:scrape.MostBytes+1], http.Header{})
	if err != nil || !strings.HasPrefix(parsed.Cut, "only its first 8 MiB are read; 2000 of its 21") {
		t.Errorf("%d series, %q, %v", parsed.Series, parsed.Cut, err)
	}
}

func TestLabelsAreNotCutInPieces(t *testing.T) {
	long := strings.Repeat("x", 5_000)
	parsed, err := scrape.Parse([]byte("a{b=\""+long+"\"} 1\na{b=\"c\"} 2\n# HELP a "+long+"\n"), http.Header{})
	if err != nil || parsed.Series != 1 || parsed.Cut != "1 series with labels of more than 4 KiB are left out" || parsed.Families[0].Help != "" {
		t.Errorf("%+v, %v", parsed, err)
	}
}

func TestWhatOpenMetricsHasBesidesIsReadAsItsNearest(t *testing.T) {
	const page = `# HELP build Its "build".
# TYPE build info
build_info{version="1"} 1
# TYPE state stateset
state{state="on"} 1
# TYPE queue unknown
queue 7 1520879607.789
# HELP work_seconds Escaped \"help\".
# TYPE work_seconds counter
# UNIT work_seconds seconds
work_seconds_total{a="} # {"} 3.5 1520879607.789 # {trace="x"} 1 1520879607.7
work_seconds_created{a="} # {"} 1520430000.123
# TYPE "my.metric" counter
{"my.metric_total",a="b"} 4
# EOF
after 1
`
	parsed, err := scrape.Parse([]byte(page), header("application/openmetrics-text; version=1.0.0; charset=utf-8"))
	if err != nil {
		t.Fatal(err)
	}
	want := `# HELP build_info Its "build".
# TYPE build_info gauge
build_info{version="1"} 1
# TYPE "my.metric_total" counter
{"my.metric_total",a="b"} 4
# TYPE queue untyped
queue 7
# TYPE state gauge
state{state="on"} 1
# HELP work_seconds_total Escaped "help".
# TYPE work_seconds_total counter
work_seconds_total{a="} # {"} 3.5
`
	if got := text(t, parsed.Families); got != want {
		t.Errorf("read were\n%s", got)
	}
	if unit := parsed.Families[4].Unit; unit != "seconds" || parsed.Timestamps {
		t.Errorf("the unit is %q, timestamps %v", unit, parsed.Timestamps)
	}
}

func TestTimestampsAreNoticed(t *testing.T) {
	if parsed, err := scrape.Parse([]byte("a 1 1520879607789\n"), http.Header{}); err != nil || !parsed.Timestamps {
		t.Errorf("%+v, %v", parsed, err)
	}
}

func TestANativeHistogramHasTheBucketsOfItsSchema(t *testing.T) {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", NativeHistogramBucketFactor: 2, NativeHistogramZeroThreshold: 0.001})
	for _, v := range []float64{-3, 0, 0.75, 3, 3.5, 100} {
		h.Observe(v)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(h)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	s := parseProto(t, families...).Families[0].Series[0]
	var got []string
	for _, b := range s.Buckets {
		got = append(got, fmt.Sprintf("%g:%g", b.UpTo, b.Count))
	}
	if want := "-2:1 0.001:2 1:3 2:3 4:5 128:6 +Inf:6"; strings.Join(got, " ") != want || s.Count != 6 || s.Sum != 104.25 {
		t.Errorf("buckets are %s of %g with sum %g, want %s", got, s.Count, s.Sum, want)
	}
}

func parseProto(t *testing.T, families ...*dto.MetricFamily) scrape.Parsed {
	t.Helper()
	var page bytes.Buffer
	encoder := expfmt.NewEncoder(&page, expfmt.FmtProtoDelim)
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := scrape.Parse(page.Bytes(), header(string(expfmt.FmtProtoDelim)))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestOneFamilyInTwoMessagesIsOne(t *testing.T) {
	name, value := "a", 1.0
	one := &dto.MetricFamily{Name: &name, Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: &value}}}}
	label := "l"
	two := &dto.MetricFamily{Name: &name, Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: &value}, Label: []*dto.LabelPair{{Name: &label, Value: &label}}}}}
	if parsed := parseProto(t, one, two); len(parsed.Families) != 1 || parsed.Series != 2 {
		t.Errorf("%+v", parsed)
	}
}

// Whatever a program says, it does not bring this one down, stays within the bounds, and
// what was read can be written and is then the same.
func FuzzParse(f *testing.F) {
	for _, form := range []string{"", "application/openmetrics-text", "application/vnd.google.protobuf; encoding=delimited"} {
		f.Add([]byte(page), form)
	}
	f.Add([]byte("# TYPE a info\na_info{x=\"\\\"}\"} 1 2 # {a=\"b\"} 3\n# EOF"), "application/openmetrics-text")
	f.Add([]byte{5, 10, 1, 'a', 24, 3}, "application/vnd.google.protobuf; encoding=delimited")
	f.Fuzz(func(t *testing.T, data []byte, form string) {
		parsed, err := scrape.Parse(data, header(form))
		if err != nil {
			return
		}
		if parsed.Series > scrape.MostSeries {
			t.Errorf("%d series", parsed.Series)
		}
		(event.Scraped{Families: parsed.Families}).Says(event.Scraped{})
		var out bytes.Buffer
		if err := scrape.Write(&out, parsed.Families); err != nil {
			t.Skip(err) // a name that only protobuf can carry
		}
	})
}
