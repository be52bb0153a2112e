package compare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// masked stands where the rules of the capture hid a value.
const masked = "***"

// walk goes through two values side by side.
type walk struct {
	*compiled
	*found
	place []string
	// stars tells that the capture put a star for each byte of a secret.
	stars bool
	// keys is how many values may still be sorted, of unordered arrays.
	keys int
	// tries is how many values may still be looked at to match unordered elements. While
	// trying, nothing is collected but how much differs.
	tries  int
	trying bool
	differ int
}

// with goes a step further, and back.
func (w *walk) with(step string, do func()) {
	w.place = append(w.place, step)
	do()
	w.place = w.place[:len(w.place)-1]
}

// differs takes a difference at the place.
func (w *walk) differs(d Difference) {
	if w.trying {
		w.differ++
		return
	}
	if d.Path == "" {
		d.Path = pathOf(w.place)
	}
	if d.Size == 0 {
		d.Size = 1
	}
	w.add(d)
}

func (w *walk) values(was, is *value) {
	if w.trying {
		if w.tries--; w.tries <= 0 {
			w.differ++
			return // what is tried comes to nothing anyway
		}
	}
	switch {
	case leads(w.ignore, w.place):
		w.count(&w.Ignored)
	case w.hides(was, is):
		w.count(&w.Hidden)
	case was.number() && is.number():
		w.numbers(was, is)
	case was.kind != is.kind:
		w.differs(Difference{Kind: Type, Was: was.short(), Is: is.short(), Note: was.kind.String() + " became " + is.kind.String()})
	case was.kind == object:
		w.objects(was, is)
	case was.kind == list && leads(w.unordered, w.place):
		w.sets(was.items, is.items)
	case was.kind == list:
		w.lists(was.items, is.items)
	case was.text != is.text:
		w.differs(Difference{Kind: Value, Was: was.short(), Is: is.short()})
	}
}

func (w *walk) count(n *int) {
	if !w.trying {
		*n++
	}
}

// hides tells whether the capture hid one of the two.
func (w *walk) hides(was, is *value) bool {
	if was.kind == text && was.text == masked || is.kind == text && is.text == masked {
		return was.kind != is.kind || was.text != is.text
	}
	return w.stars && was.kind == text && is.kind == text && was.text != is.text && covered(was.text, is.text)
}

// covered tells whether two texts are the same but for where one of them has stars.
func covered(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && a[i] != '*' && b[i] != '*' {
			return false
		}
	}
	return true
}

func (w *walk) numbers(was, is *value) {
	switch d := w.judge(was, is); {
	case d.Kind != "":
		w.differs(d)
	case d.Size > 0:
		w.count(&w.Tolerated)
	}
}

// judge is how two numbers differ, without a kind where they are the same or within the tolerance.
func (w *walk) judge(was, is *value) Difference {
	distance, larger := apart(was, is)
	d := Difference{Was: was.text, Is: is.text, Size: Size(relative(distance, larger))}
	if was.kind != is.kind && !w.OneNumber {
		d.Kind, d.Note = Notation, was.kind.String()+" became "+is.kind.String()
		return d
	}
	if absolute, share := w.tolerance(w.place); distance > absolute && float64(d.Size) > share {
		d.Kind = Value
	}
	return d
}

func (w *walk) lists(was, is []value) {
	for i := range max(len(was), len(is)) {
		w.with(strconv.Itoa(i), func() { w.pair(at2(was, i), at2(is, i)) })
	}
}

func at2(items []value, i int) *value {
	if i < len(items) {
		return &items[i]
	}
	return nil
}

// pair compares two values of which one may not be there.
func (w *walk) pair(was, is *value) {
	switch {
	case was != nil && is != nil:
		w.values(was, is)
	case leads(w.ignore, w.place):
		w.count(&w.Ignored)
	case was != nil:
		w.differs(Difference{Kind: Missing, Was: was.short()})
	case is != nil:
		w.differs(Difference{Kind: Added, Is: is.short()})
	}
}

// objects compares members by name. Of a name that comes several times the first is compared with
// the first, the second with the second.
func (w *walk) objects(was, is *value) {
	if slices.Equal(was.names, is.names) {
		for i, name := range was.names {
			w.with(name, func() { w.values(&was.items[i], &is.items[i]) })
		}
		return
	}
	there := map[string][]int{}
	for i, name := range is.names {
		there[name] = append(there[name], i)
	}
	for i, name := range was.names {
		var other *value
		if left := there[name]; len(left) > 0 {
			other, there[name] = &is.items[left[0]], left[1:]
		}
		w.with(name, func() { w.pair(&was.items[i], other) })
	}
	for i, name := range is.names {
		if left := there[name]; len(left) > 0 && left[0] == i {
			there[name] = left[1:]
			w.with(name, func() { w.pair(nil, &is.items[i]) })
		}
	}
}

// bytesDiffer compares two bodies as they are.
func (w *walk) bytesDiffer(was, is []byte, why string) {
	at := 0
	for at < len(was) && at < len(is) && was[at] == is[at] {
		at++
	}
	if at == len(was) && at == len(is) {
		return
	}
	note := fmt.Sprintf("from byte %d on, of %d and %d", at, len(was), len(is))
	if why != "" {
		note += "; " + why
	}
	w.differs(Difference{Kind: Bytes, Was: around(was, at), Is: around(is, at), Note: note})
}

// around is a part of a body at a byte.
func around(body []byte, at int) string {
	if len(body) == 0 {
		return "nothing"
	}
	part := string(body[max(at-20, 0):min(at+40, len(body))])
	if strings.ContainsFunc(part, func(r rune) bool { return r == 0xFFFD || r < ' ' && r != '\n' && r != '\r' && r != '\t' }) {
		return fmt.Sprintf("% x", part[:min(len(part), 40)])
	}
	return strconv.Quote(part)
}
