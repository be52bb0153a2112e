package capture

import (
	"bytes"
	"encoding/json"
)

// looksLikeJSON tells by the first byte that is no white space.
func looksLikeJSON(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

// hideJSON is a body with what the paths lead to hidden: one JSON text, or several one
// after the other. What stands behind a mistake in it cannot be told apart and is left
// out: then whole is false.
func (r *rules) hideJSON(body []byte) (out []byte, hid, whole bool) {
	w := jsonWalk{rules: r, body: body, decoder: json.NewDecoder(bytes.NewReader(body))}
	w.decoder.UseNumber()
	for w.step() {
	}
	return w.finish()
}

// hideEvents is hideJSON for server-sent events, whose data lines hold JSON.
func (r *rules) hideEvents(body []byte) (out []byte, hid, whole bool) {
	whole = true
	for line := range bytes.Lines(body) {
		data, is := bytes.CutPrefix(line, []byte("data:"))
		if !is || !looksLikeJSON(data) {
			out = append(out, line...)
			continue
		}
		kept, some, all := r.hideJSON(data)
		hid, whole = hid || some, whole && all
		out = append(append(out, "data:"...), kept...)
		if !all {
			out = append(out, '\n')
		}
	}
	return out, hid, whole
}

// jsonWalk goes through the tokens of a text and copies all but what is hidden.
type jsonWalk struct {
	*rules
	body    []byte
	decoder *json.Decoder
	out     []byte
	copied  int // of body
	last    int // the end of the last token
	levels  []jsonLevel
	place   []string
	hid     bool
	failed  bool
}

// jsonLevel is an object or array that the walk is in.
type jsonLevel struct {
	array bool
	named bool // the name of the next value was read
}

// step takes one token; false behind the last.
func (w *jsonWalk) step() bool {
	token, err := w.decoder.Token()
	if err != nil {
		w.failed = len(bytes.TrimSpace(w.body[w.last:])) > 0 || len(w.levels) > 0
		return false
	}
	from := w.last
	w.last = int(w.decoder.InputOffset())
	if top := w.top(); top != nil && !top.array && !top.named {
		if name, is := token.(string); is {
			top.named = true
			w.place = append(w.place, name)
			return true
		}
	}
	switch token {
	case json.Delim('}'), json.Delim(']'):
		w.levels = w.levels[:len(w.levels)-1]
		w.over()
	case json.Delim('{'), json.Delim('['):
		if w.begin(); w.leads() {
			return w.hide(from, true)
		}
		w.levels = append(w.levels, jsonLevel{array: token == json.Delim('[')})
	default:
		if w.begin(); w.leads() {
			return w.hide(from, false)
		}
		w.over()
	}
	return true
}

func (w *jsonWalk) top() *jsonLevel {
	if len(w.levels) == 0 {
		return nil
	}
	return &w.levels[len(w.levels)-1]
}

// begin gives a value of an array its place; only * matches it.
func (w *jsonWalk) begin() {
	if top := w.top(); top != nil && top.array {
		w.place = append(w.place, "")
	}
}

// over leaves a value's place.
func (w *jsonWalk) over() {
	if top := w.top(); top != nil {
		top.named = false
		w.place = w.place[:len(w.place)-1]
	}
}

func (w *jsonWalk) leads() bool {
	for _, p := range w.json {
		if p.Matches(w.place) {
			return true
		}
	}
	return false
}

// hide replaces the value whose first token began behind that place.
func (w *jsonWalk) hide(from int, nested bool) bool {
	from += len(w.body[from:]) - len(bytes.TrimLeft(w.body[from:], " \t\r\n:,"))
	w.out = append(append(w.out, w.body[w.copied:from]...), `"`+Hidden+`"`...)
	w.hid = true
	for depth := 1; nested && depth > 0; {
		token, err := w.decoder.Token()
		if err != nil {
			w.copied, w.last, w.failed = len(w.body), len(w.body), true
			return false
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	w.last = int(w.decoder.InputOffset())
	w.copied = w.last
	w.over()
	return true
}

func (w *jsonWalk) finish() (out []byte, hid, whole bool) {
	if w.failed {
		return append(w.out, w.body[w.copied:w.last]...), w.hid, false
	}
	return append(w.out, w.body[w.copied:]...), w.hid, true
}
