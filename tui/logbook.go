package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// logbook is what one model and its builds wrote, as records: a line, or several that
// belong together. It reads the history's new lines only, and keeps their places, not
// their text. A record's number stays its own while older ones go.
type logbook struct {
	history *session.History
	model   string

	logs, happened int // the places of the history that are read next
	records        []logRecord
	gone           int // how many records have gone
	streams        map[logStream]*openStream
	pods           map[string]string // by container
	containers     []logContainer    // in the order in which they began
}

// logRecord is a line and those that belong to it, or what parts two containers.
type logRecord struct {
	place   int     // of the first line in History.Logs; of a divider: of the line after it
	more    []int32 // of the others, counted from it
	sum     int32   // of the line of more that sums a trace up; 0 is none
	level   level
	json    bool
	toggled bool // a person unfolded it, or folded it
	divider *logDivider
}

// logDivider stands where a container began or ended.
type logDivider struct {
	at      time.Time
	replica string
	text    string
}

// logStream is one output of one container.
type logStream struct {
	source  event.LogSource
	replica string
	stderr  bool
}

type openStream struct {
	tracer
	last int // the number of the record that its last line went to
}

// logContainer is one container of the model.
type logContainer struct {
	replica, pod string
	ended        bool
	how          string // it ended
}

const (
	mostStreams    = 200
	mostContainers = 200
	mostKept       = 5000 // of one record; a longer trace goes on in the next
)

// reader is told what a logbook read.
type logReader interface {
	added(number int) // a record
	grew(number int)  // a record has got a line
	went(number int)  // all records before that one
}

// read takes in what came since. It begins anew where it is another model's turn, or
// another past: a recording that was wound back.
func (b *logbook) read(h *session.History, model string, to logReader) (anew bool) {
	if b.history != h || b.model != model || h.Logs.End() < b.logs || h.Happenings.End() < b.happened {
		*b = logbook{history: h, model: model, streams: map[logStream]*openStream{}, pods: map[string]string{}}
		anew = true
	}
	b.logs, b.happened = max(b.logs, h.Logs.First()), max(b.happened, h.Happenings.First())
	for b.logs < h.Logs.End() || b.happened < h.Happenings.End() {
		if b.logs == h.Logs.End() || b.happened < h.Happenings.End() && h.Happenings.At(b.happened).Seq < h.Logs.At(b.logs).Seq {
			b.happen(h.Happenings.At(b.happened), to)
			b.happened++
			continue
		}
		if e := h.Logs.At(b.logs); e.Model == model {
			b.line(b.logs, e.Fact.(event.Log), to)
		}
		b.logs++
	}
	b.forget(to)
	return anew
}

// line puts a line into the record that it belongs to.
func (b *logbook) line(place int, f event.Log, to logReader) {
	key := logStream{f.Source, f.Replica, f.Stderr}
	stream := b.streams[key]
	if stream == nil {
		if len(b.streams) >= mostStreams {
			clear(b.streams)
		}
		stream = &openStream{last: -1}
		b.streams[key] = stream
	}
	l, isJSON := jsonLevel(f.Text)
	v := alone
	if isJSON {
		stream.tracer = tracer{}
	} else {
		l = lineLevel(f.Text)
		v = stream.next(f.Text, l)
	}
	if v == joins && stream.last >= b.gone {
		if r := b.at(stream.last); len(r.more) < mostKept {
			r.more = append(r.more, int32(place-r.place))
			if stream.state == pythonEnd && f.Text != "" && f.Text[0] != ' ' && f.Text[0] != '\t' {
				r.sum = int32(place - r.place)
			}
			r.level = max(r.level, stream.severity())
			to.grew(stream.last)
			return
		}
	}
	if v != alone {
		l = max(l, stream.severity())
	}
	stream.last = b.add(logRecord{place: place, level: l, json: isJSON}, to)
}

// severity is how much the trace that is open matters.
func (t *tracer) severity() level {
	switch t.state {
	case goHead, goFrames, goGap, pythonFault:
		return fatalLevel
	case noTrace, zapFrames:
		return noLevel
	}
	return errorLevel
}

func (b *logbook) add(r logRecord, to logReader) (number int) {
	b.records = append(b.records, r)
	number = b.gone + len(b.records) - 1
	to.added(number)
	return number
}

// happen notes where containers begin and end.
func (b *logbook) happen(e *event.Event, to logReader) {
	if e.Model != b.model {
		return
	}
	switch f := e.Fact.(type) {
	case event.Started:
		b.pods[f.Replica] = f.Pod
		if len(b.pods) > mostContainers {
			clear(b.pods)
			b.pods[f.Replica] = f.Pod
		}
		b.containers = append(b.containers, logContainer{replica: f.Replica, pod: f.Pod})
		b.containers = b.containers[max(len(b.containers)-mostContainers, 0):]
		what := "container " + prose.Clean(f.Replica)
		if f.Reach == "process" {
			what = prose.Clean(f.Container)
		}
		b.divide(e, f.Replica, infoLevel, fmt.Sprintf("%s: %s of revision %d begins", prose.Clean(b.name(f.Replica)), what, e.Revision), to)
	case event.Exited:
		l := errorLevel
		if f.Expected {
			l = infoLevel
		}
		how := firstLine(prose.Exited(f))
		if i := slices.IndexFunc(b.containers, func(c logContainer) bool { return c.replica == f.Replica }); i >= 0 {
			b.containers[i].ended, b.containers[i].how = true, how
		}
		after := ""
		if f.Ran > 0 {
			after = " after " + prose.Duration(f.Ran)
		}
		b.divide(e, f.Replica, l, prose.Clean(b.name(f.Replica))+" "+how+after, to)
		for _, stderr := range []bool{false, true} {
			delete(b.streams, logStream{event.LogModel, f.Replica, stderr})
		}
	}
}

func (b *logbook) divide(e *event.Event, replica string, l level, text string, to logReader) {
	b.add(logRecord{place: b.logs, level: l, divider: &logDivider{e.Time, replica, text}}, to)
}

// forget lets the records go whose first line has gone.
func (b *logbook) forget(to logReader) {
	first, n := b.history.Logs.First(), 0
	for n < len(b.records) && b.records[n].place < first {
		n++
	}
	if n == 0 {
		return
	}
	b.records = b.records[n:] // append moves them to the front of a new array in time
	b.gone += n
	to.went(b.gone)
}

func (b *logbook) at(number int) *logRecord { return &b.records[number-b.gone] }

func (b *logbook) end() int { return b.gone + len(b.records) }

// event is the record's first line.
func (b *logbook) event(r *logRecord) *event.Event { return b.history.Logs.At(r.place) }

// text is a line of a record: the first is at 0.
func (b *logbook) text(r *logRecord, offset int32) string {
	return b.history.Logs.At(r.place + int(offset)).Fact.(event.Log).Text
}

// replica is the container that wrote the record; build tells that a build did.
func (b *logbook) replica(r *logRecord) (replica string, build bool) {
	if r.divider != nil {
		return r.divider.replica, false
	}
	f := b.event(r).Fact.(event.Log)
	return f.Replica, f.Source == event.LogBuild
}

// name is what a container is called: its pod, where that is known.
func (b *logbook) name(replica string) string {
	if pod := b.pods[replica]; pod != "" {
		return pod
	}
	return replica
}

// source is the name of who wrote the record.
func (b *logbook) source(r *logRecord) string {
	replica, build := b.replica(r)
	if build {
		return "build"
	}
	return prose.Clean(b.name(replica))
}

// inRecord is a record for a filter.
type inRecord struct {
	*logbook
	*logRecord
	raw bool
}

func (r inRecord) logLevel() level { return r.level }

func (r inRecord) from(source string) bool {
	replica, build := r.replica(r.logRecord)
	if build {
		return strings.HasPrefix("build", source)
	}
	return strings.HasPrefix(replica, source) || strings.HasPrefix(r.name(replica), source)
}

// has tells whether any line has a match, as it is shown or as it was written.
func (r inRecord) has(p *pattern) bool {
	if r.divider != nil {
		return p.in(r.divider.text)
	}
	head := r.text(r.logRecord, 0)
	if p.in(head) {
		return true
	}
	if r.json && !r.raw && !p.within(head) {
		if line, is := parseJSON(head); is && p.in(plainText(line.spans(r.event(r.logRecord).Time, &logInks{}))) {
			return true
		}
	}
	return slices.ContainsFunc(r.more, func(offset int32) bool { return p.in(r.text(r.logRecord, offset)) })
}
