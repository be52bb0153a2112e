package compare

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// key appends a text to out that is the same for values that differ nowhere, without
// tolerance: what is ignored is not in it, and what has no order is sorted.
func (w *walk) key(out []byte, v *value) []byte {
	w.keys--
	if w.trying {
		w.tries -= 4 // it costs more than a look
	}
	if leads(w.ignore, w.place) {
		return append(out, '_')
	}
	switch v.kind {
	case list:
		return w.listKey(out, v)
	case object:
		return w.objectKey(out, v)
	case integer, float:
		return append(append(out, w.numberKey(v)...), ' ')
	case text:
		return strconv.AppendQuote(out, v.text)
	}
	return append(append(out, v.text...), ';')
}

func (w *walk) listKey(out []byte, v *value) []byte {
	out = append(out, '[')
	if !leads(w.unordered, w.place) {
		for i := range v.items {
			w.with(strconv.Itoa(i), func() { out = w.key(out, &v.items[i]) })
		}
		return append(out, ']')
	}
	keys := make([]string, len(v.items))
	for i := range v.items {
		w.with("*", func() { keys[i] = string(w.key(nil, &v.items[i])) })
	}
	slices.Sort(keys)
	for _, key := range keys {
		out = append(out, key...)
	}
	return append(out, ']')
}

func (w *walk) objectKey(out []byte, v *value) []byte {
	order := make([]int, len(v.items))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(v.names[a], v.names[b]) })
	out = append(out, '{')
	for _, i := range order {
		w.with(v.names[i], func() {
			if !leads(w.ignore, w.place) {
				out = w.key(append(strconv.AppendQuote(out, v.names[i]), ':'), &v.items[i])
			}
		})
	}
	return append(out, '}')
}

// numberKey is the same text for numbers that are the same.
func (w *walk) numberKey(v *value) string {
	n, err := strconv.ParseFloat(v.text, 64)
	switch {
	case v.kind == integer && !w.OneNumber:
		if v.text == "-0" {
			return "i0"
		}
		return "i" + v.text
	case err != nil || v.kind == integer && math.Abs(n) >= 1<<53:
		return v.text
	}
	return "f" + strconv.FormatFloat(n+0, 'g', -1, 64)
}
