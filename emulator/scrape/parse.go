package scrape

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

const (
	// MostBytes is how much of a page is read.
	MostBytes = 8 << 20
	// MostSeries is how many series are kept, counted as Prometheus counts them.
	MostSeries = 2_000
	// mostText bounds a series' labels together, and a help text.
	mostText = 4 << 10
)

// Parsed is what a page says, within the bounds.
type Parsed struct {
	Families []event.Family // by name
	Series   int
	Cut      string // what was left out, as a sentence; empty where nothing was
	// Timestamps tells that a series has one, which a Pushgateway refuses.
	Timestamps bool
}

// Parse reads a page in the form that its Content-Type names: the text form, OpenMetrics,
// or delimited protobuf; without one it is the text form. A page of more than MostBytes
// is read up to its last whole line.
func Parse(page []byte, header http.Header) (Parsed, error) {
	var parsed Parsed
	short := len(page) > MostBytes
	if short {
		page = page[:MostBytes]
	}
	found, units, err := families(page, header, short)
	if err != nil {
		return parsed, err
	}
	if short {
		parsed.Cut = fmt.Sprintf("only its first %d MiB are read", MostBytes>>20)
	}
	parsed.take(found, units)
	return parsed, nil
}

func families(page []byte, header http.Header, short bool) (found map[string]*dto.MetricFamily, units map[string]string, err error) {
	kind, parameters, err := mime.ParseMediaType(cmp.Or(header.Get("Content-Type"), "text/plain"))
	if err != nil {
		return nil, nil, fmt.Errorf("its Content-Type is %q: %w", header.Get("Content-Type"), err)
	}
	switch kind {
	case "application/vnd.google.protobuf":
		if e := parameters["encoding"]; e != "delimited" {
			return nil, nil, fmt.Errorf("protobuf of encoding %q is not read: it is delimited or the text form", e)
		}
		found, err = delimited(page, short)
		return found, nil, err
	case "application/openmetrics-text", "text/plain":
	default:
		return nil, nil, fmt.Errorf("its Content-Type is %s, which is none of Prometheus' forms", kind)
	}
	if short {
		page = page[:bytes.LastIndexByte(page, '\n')+1]
	}
	if kind == "application/openmetrics-text" {
		page, units = plainText(page)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	found, err = parser.TextToMetricFamilies(bytes.NewReader(page))
	if err != nil {
		return nil, nil, fmt.Errorf("it is no text of metrics: %w", err)
	}
	return found, units, nil
}

// delimited reads protobuf messages, each after its length. The lengths are looked at
// first: the decoder would set aside whatever one of them claims.
func delimited(page []byte, short bool) (map[string]*dto.MetricFamily, error) {
	whole := 0
	for whole < len(page) {
		size, n := protowire.ConsumeVarint(page[whole:])
		if n < 0 || size > uint64(len(page)-whole-n) {
			break
		}
		whole += n + int(size)
	}
	if whole < len(page) && !short {
		return nil, errors.New("it is no delimited protobuf: its last message is not whole")
	}
	decoder := expfmt.NewDecoder(bytes.NewReader(page[:whole]), expfmt.FmtProtoDelim.WithEscapingScheme(model.NoEscaping))
	found := map[string]*dto.MetricFamily{}
	for {
		family := &dto.MetricFamily{}
		switch err := decoder.Decode(family); {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return nil, fmt.Errorf("it is no delimited protobuf of metrics: %w", err)
		}
		if earlier := found[family.GetName()]; earlier != nil {
			if earlier.GetType() != family.GetType() {
				return nil, fmt.Errorf("%s has two types, %s and %s", family.GetName(), earlier.GetType(), family.GetType())
			}
			earlier.Metric = append(earlier.Metric, family.Metric...)
			continue
		}
		found[family.GetName()] = family
	}
}

// take keeps as many series as the bound allows, those of the first names.
func (p *Parsed) take(found map[string]*dto.MetricFamily, units map[string]string) {
	var all, long int
	for _, name := range slices.Sorted(maps.Keys(found)) {
		family := event.Family{Name: name, Type: typeOf(found[name].GetType()), Unit: cmp.Or(found[name].GetUnit(), units[name]), Series: []event.Series{}}
		if help := found[name].GetHelp(); len(help) <= mostText {
			family.Help = help
		}
		for _, metric := range found[name].Metric {
			p.Timestamps = p.Timestamps || metric.TimestampMs != nil
			labels, ok := labelsOf(metric)
			if !ok {
				long++
				continue
			}
			series, n := seriesOf(family.Type, metric)
			series.Labels = labels
			if all += n; all <= MostSeries {
				p.Series += n
				family.Series = append(family.Series, series)
			}
		}
		if len(family.Series) > 0 {
			p.Families = append(p.Families, family)
		}
	}
	if all > p.Series {
		p.cut("%d of its %d series are kept", p.Series, all)
	}
	if long > 0 {
		p.cut("%d series with labels of more than %d KiB are left out", long, mostText>>10)
	}
}

func (p *Parsed) cut(text string, args ...any) {
	if p.Cut != "" {
		p.Cut += "; "
	}
	p.Cut += fmt.Sprintf(text, args...)
}

// ParsePushed reads what was pushed as a Pushgateway does: whatever its Content-Type says,
// it is the text form unless it is one of Prometheus' other ones.
func ParsePushed(body []byte, header http.Header) (Parsed, error) {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind != "application/vnd.google.protobuf" && kind != "application/openmetrics-text" {
		header = nil
	}
	return Parse(body, header)
}
