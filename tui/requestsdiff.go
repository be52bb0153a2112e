package tui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// difference is one place at which two things differ; a side that does not have it is
// empty and absent.
type difference struct {
	path          string
	before, after string
	// added and removed tell that only one side has it.
	added, removed bool
}

// mostDifferences is how many are told at most of two bodies.
const mostDifferences = 1000

// differJSON are the places at which two bodies of JSON differ, by path; ok is false where
// one of them is none. Numbers are compared as they are written.
func differJSON(a, b []byte) (all []difference, ok bool) {
	x, okA := readJSON(a)
	y, okB := readJSON(b)
	if !okA || !okB {
		return nil, false
	}
	w := &differ{}
	w.compare("", x, y)
	return w.all, true
}

// readJSON reads one value, or several below each other as a list.
func readJSON(body []byte) (any, bool) {
	if len(bytes.TrimSpace(body)) == 0 || len(body) > unpacked {
		return nil, false
	}
	var values []any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	for decoder.More() {
		var v any
		if decoder.Decode(&v) != nil {
			return nil, false
		}
		values = append(values, v)
	}
	if len(values) == 1 {
		return values[0], true
	}
	return values, len(values) > 0
}

type differ struct{ all []difference }

func (w *differ) compare(path string, a, b any) {
	if len(w.all) >= mostDifferences {
		return
	}
	switch x := a.(type) {
	case map[string]any:
		if y, is := b.(map[string]any); is {
			w.objects(path, x, y)
			return
		}
	case []any:
		if y, is := b.([]any); is {
			w.lists(path, x, y)
			return
		}
	}
	if before, after := oneLine(a), oneLine(b); before != after {
		w.all = append(w.all, difference{path: orRoot(path), before: before, after: after})
	}
}

func (w *differ) objects(path string, a, b map[string]any) {
	for _, name := range eitherNames(a, b) {
		x, inA := a[name]
		y, inB := b[name]
		w.member(joinPath(path, name), [2]any{x, y}, inA, inB)
	}
}

// eitherNames are the names that one of the two has, in order.
func eitherNames[V any](a, b map[string]V) []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	return slices.Compact(names)
}

func (w *differ) lists(path string, a, b []any) {
	for i := range max(len(a), len(b)) {
		var pair [2]any
		if i < len(a) {
			pair[0] = a[i]
		}
		if i < len(b) {
			pair[1] = b[i]
		}
		w.member(joinPath(path, strconv.Itoa(i)), pair, i < len(a), i < len(b))
	}
}

func (w *differ) member(path string, pair [2]any, inA, inB bool) {
	switch {
	case len(w.all) >= mostDifferences:
	case !inB:
		w.all = append(w.all, difference{path: path, before: oneLine(pair[0]), removed: true})
	case !inA:
		w.all = append(w.all, difference{path: path, after: oneLine(pair[1]), added: true})
	default:
		w.compare(path, pair[0], pair[1])
	}
}

// joinPath puts a name behind a path, in quotes where it could be read as several.
func joinPath(path, name string) string {
	if name == "" || strings.ContainsAny(name, ". \"") {
		name = strconv.Quote(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func orRoot(path string) string {
	if path == "" {
		return "(all of it)"
	}
	return path
}

func oneLine(v any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // it was read from JSON
	return strings.TrimSuffix(out.String(), "\n")
}

// differFields are the headers that differ, by name.
func differFields(a, b []event.Field) []difference {
	values := func(fields []event.Field) map[string][]string {
		all := map[string][]string{}
		for _, f := range fields {
			name := strings.ToLower(f.Name)
			all[name] = append(all[name], f.Value)
		}
		return all
	}
	x, y := values(a), values(b)
	var all []difference
	for _, name := range eitherNames(x, y) {
		before, inX := x[name]
		after, inY := y[name]
		if !slices.Equal(before, after) {
			all = append(all, difference{name, strings.Join(before, ", "), strings.Join(after, ", "), !inX, !inY})
		}
	}
	return all
}

// comparison is how an exchange differs from another.
type comparison struct {
	page
	before, after event.Exchange
	name          string // of the one before: "pinned" or "marked"
}

func newComparison(name string, before, after event.Exchange) *comparison {
	c := &comparison{before: before, after: after, name: name}
	c.lay = c.rowsFor
	return c
}

func (c *comparison) rowsFor(_ *scene, width int) []pageRow {
	d := &document{width: width}
	a, b := &c.before, &c.after
	d.title("- ", toneBad, c.name, a)
	d.title("+ ", toneGood, "this one", b)
	d.end(0)
	d.differences("", c.summary())
	for _, side := range []struct {
		name      string
		a, b      *event.Message
		isRequest bool
	}{{"REQUEST", &a.Request, &b.Request, true}, {"ANSWER", &a.Answer, &b.Answer, false}} {
		d.differences(side.name+" headers", differFields(slices.Concat(side.a.Header, side.a.Trailer), slices.Concat(side.b.Header, side.b.Trailer)))
		d.bodies(side.name, c.sideOf(side.a, a.Path, side.isRequest), c.sideOf(side.b, b.Path, side.isRequest))
	}
	return rowsOf(d)
}

func (d *document) title(sign string, i tone, name string, x *event.Exchange) {
	d.add(i, sign+name)
	d.add(tonePlain, fmt.Sprintf("  request %d  %s  ", x.ID, x.Arrived.Local().Format("15:04:05.000")))
	d.add(tonePlain, routeOf(&x.Served)+"  ")
	d.add(toneTitle, statusText(&x.Served))
	d.end(4)
}

// summary are the differences of what is neither header nor body.
func (c *comparison) summary() []difference {
	var all []difference
	add := func(path, before, after string) {
		if before != after {
			all = append(all, difference{path: path, before: before, after: after})
		}
	}
	a, b := &c.before, &c.after
	add("status", statusText(&a.Served), statusText(&b.Served))
	add("request", a.Method+" "+a.Path+a.Query, b.Method+" "+b.Path+b.Query)
	add("host", a.Host, b.Host)
	add("protocol", a.Proto, b.Proto)
	add("revision", strconv.Itoa(a.Revision), strconv.Itoa(b.Revision))
	add("replica", a.Replica, b.Replica)
	add("took", brief(a.Took), brief(b.Took))
	add("error", a.Error, b.Error)
	add("fault", a.Fault, b.Fault)
	return all
}

// comparedBody is a body as it is compared.
type comparedBody struct {
	text []byte // without codings; of gRPC as JSON where that is known
	cut  bool
}

func (c *comparison) sideOf(m *event.Message, method string, isRequest bool) comparedBody {
	body := comparedBody{m.Body, lacks(m)}
	if isGRPC(m) {
		if text, err := asJSON(m, method, isRequest); err == nil {
			body.text = text
		}
		return body
	}
	if plain, _, err := unpack(m); err == nil {
		body.text = plain
	}
	return body
}

// differences writes differences below a title, nothing where there are none.
func (d *document) differences(title string, all []difference) {
	if len(all) == 0 {
		return
	}
	if title != "" {
		d.line(toneTitle, title)
	}
	for _, x := range all {
		d.line(toneName, x.path)
		if !x.added {
			d.line(toneBad, "  - "+shortened(x.before, 2000))
		}
		if !x.removed {
			d.line(toneGood, "  + "+shortened(x.after, 2000))
		}
	}
	d.end(0)
}

// shortened is a foreign text of at most about so many bytes.
func shortened(text string, most int) string {
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + fmt.Sprintf(" and %d bytes more", len(text)-most)
	}
	return text
}

// bodies writes how two bodies differ.
func (d *document) bodies(name string, a, b comparedBody) {
	if bytes.Equal(a.text, b.text) && !a.cut && !b.cut {
		d.line(toneFaint, fmt.Sprintf("%s bodies are the same: %s", name, volume(int64(len(a.text)))))
		d.end(0)
		return
	}
	if all, ok := differJSON(a.text, b.text); ok && !a.cut && !b.cut {
		if len(all) == 0 {
			d.line(toneFaint, name+" bodies mean the same, and are written differently")
			d.end(0)
			return
		}
		d.differences(fmt.Sprintf("%s body, %s", name, places(len(all))), all)
		return
	}
	d.line(toneTitle, name+" body")
	at := 0
	for at < len(a.text) && at < len(b.text) && a.text[at] == b.text[at] {
		at++
	}
	if at == len(a.text) && at == len(b.text) {
		d.line(toneWarn, "the same as far as they are kept, which is not all of them")
	} else {
		d.line(tonePlain, fmt.Sprintf("they differ from byte %d on, of %d and %d:", at, len(a.text), len(b.text)))
		d.line(toneBad, "  - "+around(a.text, at))
		d.line(toneGood, "  + "+around(b.text, at))
	}
	d.end(0)
}

func places(n int) string {
	text := "at " + several(n, "place")
	if n >= mostDifferences {
		text += " or more"
	}
	return text
}

// around is a part of a body at a byte.
func around(text []byte, at int) string {
	part := text[max(at-20, 0):min(at+60, len(text))]
	if isText(part, true) {
		return strconv.Quote(string(part))
	}
	return fmt.Sprintf("% x", part[:min(len(part), 40)])
}
