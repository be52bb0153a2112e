package tui

import (
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// exchangeView is one request in detail.
type exchangeView struct {
	page
	e      event.Event // the request, as it was told
	served event.Served
	// exchange is what was captured; nil where that is not known yet, or err says why not.
	exchange *event.Exchange
	err      error
	// headers shows all of them, where there is little room.
	headers bool
	pods    *podNames
}

// sideBySide is the width from which on a request and its answer stand side by side.
const sideBySide = 100

func newExchangeView(e event.Event, pods *podNames) *exchangeView {
	v := &exchangeView{e: e, served: e.Fact.(event.Served), pods: pods}
	v.lay = v.rowsFor
	return v
}

// came takes what was captured, or why nothing was.
func (v *exchangeView) came(x event.Exchange, err error) {
	v.stale = true
	if v.err = err; err == nil {
		v.exchange = &x
	}
}

func (v *exchangeView) rowsFor(s *scene, width int) []pageRow {
	top := &document{width: width}
	v.about(s, top)
	rows := rowsOf(top)
	switch {
	case v.exchange == nil && v.err == nil:
		top.line(toneFaint, "asking for what was captured of it")
		rows = rowsOf(top)
	case v.exchange == nil:
		top.line(toneWarn, "no headers and bodies: "+v.err.Error())
		rows = rowsOf(top)
	case width >= sideBySide:
		left := &document{width: (width - 3) / 2}
		right := &document{width: width - 3 - left.width}
		v.message(left, true, true)
		v.message(right, false, true)
		rows = append(rows, besideRows(left, right)...)
	default:
		below := &document{width: width}
		v.message(below, true, v.headers)
		below.end(0)
		v.message(below, false, v.headers)
		rows = append(rows, rowsOf(below)...)
	}
	logs := &document{width: width}
	v.logs(s, logs)
	return append(rows, rowsOf(logs)...)
}

// about writes what is known of the request without its capture.
func (v *exchangeView) about(s *scene, d *document) {
	f := &v.served
	target := f.Path
	if v.exchange != nil {
		target += v.exchange.Query
	}
	if f.GRPCStatus == nil {
		target = f.Method + " " + target
	}
	d.add(toneTitle, shortened(target, 600))
	d.add(toneFaint, "  "+f.Proto+"  "+shortened(f.Host, 300))
	d.end(2)
	tone := toneGood
	if glyph, _ := requestLook(s, f); glyph == s.glyphs.failed {
		tone = toneBad
	} else if glyph == "!" {
		tone = toneWarn
	}
	d.add(tone, statusText(f))
	d.add(tonePlain, "  at "+v.arrived().Local().Format("15:04:05.000"))
	if v.e.Revision > 0 {
		d.add(tonePlain, fmt.Sprintf("  revision %d", v.e.Revision))
	}
	if f.Replica != "" {
		name := v.pods.of(s, f)
		if name == "" || d.width >= sideBySide {
			name = strings.TrimSpace(name + " " + f.Replica)
		}
		d.add(tonePlain, "  replica "+name)
	}
	if v.exchange == nil { // else the sides tell it
		d.add(tonePlain, fmt.Sprintf("  in %s  out %s", volume(f.BytesIn), volume(f.BytesOut)))
	}
	d.end(2)
	if text := faulted(f); text != "" {
		d.line(toneWarn, text)
	}
	if f.Error != "" {
		d.line(toneBad, shortened(f.Error, 2000))
	}
	if text := v.grpcMessage(); text != "" {
		d.line(toneBad, shortened(text, 2000))
	}
	d.timing(f)
	d.end(0)
}

// arrived is when the request came.
func (v *exchangeView) arrived() time.Time {
	if v.exchange != nil && !v.exchange.Arrived.IsZero() {
		return v.exchange.Arrived
	}
	return v.e.Time.Add(-v.served.Took)
}

// statusText is how a request ended, in full.
func statusText(f *event.Served) string {
	switch {
	case f.GRPCStatus != nil:
		text := fmt.Sprintf("%s (grpc-status %d)", prose.GRPCCode(*f.GRPCStatus), *f.GRPCStatus)
		if f.Status != http.StatusOK {
			text += fmt.Sprintf(", HTTP %d", f.Status)
		}
		return text
	case f.Status == 0:
		return "no answer"
	}
	text := strings.TrimSpace(fmt.Sprintf("%d %s", f.Status, http.StatusText(f.Status)))
	if requestWord(f) == "BROKEN" {
		text += ", and broken off"
	}
	return text
}

// grpcMessage is what gRPC says of an error, besides its status.
func (v *exchangeView) grpcMessage() string {
	if v.exchange == nil {
		return ""
	}
	text := header(v.exchange.Answer.Trailer, "grpc-message")
	if text == "" {
		text = header(v.exchange.Answer.Header, "grpc-message")
	}
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// message writes one side: what it is, its headers, its body, its trailers.
func (v *exchangeView) message(d *document, isRequest, headers bool) {
	title, m := "ANSWER", &v.exchange.Answer
	if isRequest {
		title, m = "REQUEST", &v.exchange.Request
	}
	d.add(toneTitle, title)
	d.add(toneFaint, "  "+messageKind(m))
	if n := len(m.Header) + len(m.Trailer); n > 0 && !headers {
		d.add(toneFaint, "  "+several(n, "header")+" (h shows them)")
	}
	d.end(2)
	if headers {
		d.fields(m.Header)
		d.end(0)
	}
	d.body(m, v.served.Path, isRequest)
	if headers && len(m.Trailer) > 0 {
		d.end(0)
		d.line(toneFaint, "trailers")
		d.fields(m.Trailer)
	}
}

// messageKind is a body's type and size.
func messageKind(m *event.Message) string {
	return strings.TrimSpace(header(m.Header, "content-type") + "  " + volume(m.Size))
}

func (d *document) fields(all []event.Field) {
	for _, f := range all {
		d.add(toneName, f.Name)
		d.add(tonePlain, ": ")
		d.add(tonePlain, f.Value)
		d.end(4)
	}
}

// The lines of a log that are shown with a request.
const (
	mostLines = 200
	// lateLines is how long after an answer's end lines still belong to it: they come
	// through a pipe, and many servers write of a request when it is over.
	lateLines = 50 * time.Millisecond
)

// logs writes the lines that its replica wrote while it ran.
func (v *exchangeView) logs(s *scene, d *document) {
	ring := &s.state.History.Logs
	from := v.arrived()
	to := from.Add(v.served.Took + lateLines)
	at := ring.First() + sort.Search(ring.Len(), func(i int) bool { return !ring.At(ring.First() + i).Time.Before(from) })
	replica, n := v.pods.shorts[v.served.Replica], 0
	for place := at; place < ring.End() && !ring.At(place).Time.After(to); place++ {
		e := ring.At(place)
		f := e.Fact.(event.Log) // the ring has no others
		if e.Model != v.e.Model || f.Source != event.LogModel || replica != "" && f.Replica != replica {
			continue
		}
		if n == 0 {
			d.end(0)
			d.add(toneTitle, "LOG")
			d.add(toneFaint, "  lines that its replica wrote while it ran, whichever request they are of")
			d.end(2)
		}
		if n++; n > mostLines {
			d.line(toneFaint, fmt.Sprintf("and more than %d lines: 3 shows the log", mostLines))
			return
		}
		d.add(toneFaint, e.Time.Local().Format("15:04:05.000")+" ")
		if f.Stderr {
			d.add(toneWarn, "err ")
		}
		d.add(tonePlain, f.Text)
		d.end(13)
	}
}
