package compare

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Kind is what differs.
type Kind string

// The kinds, the worst first.
const (
	Broken     Kind = "broken"      // one answer broke off, or there is none
	Status     Kind = "status"      // of HTTP
	GRPCStatus Kind = "grpc_status" // its code
	Uncompared Kind = "uncompared"  // not all of a body is there to be compared
	Bytes      Kind = "bytes"       // bodies that are not compared by path
	Type       Kind = "type"        // a text became a number, an object an array
	Missing    Kind = "missing"     // a member or element that was there is not
	Value      Kind = "value"       // a number beyond the tolerance, another text or truth
	Added      Kind = "added"       // a member or element that was not there
	Notation   Kind = "notation"    // an integer became a float, or the other way
	Message    Kind = "message"     // gRPC's words besides the code
	Header     Kind = "header"      // a header or trailer field
)

var ranks = map[Kind]int{
	Broken: 0, Status: 1, GRPCStatus: 2, Uncompared: 3, Bytes: 4, Type: 5, Missing: 6,
	Value: 7, Added: 8, Notation: 9, Message: 10, Header: 11,
}

// Difference is one place at which two answers differ.
type Difference struct {
	// Path is the place: "status", "grpc-status", "grpc-message", "answer", "header NAME", "body",
	// and in a body that is compared by path the path, with "body" for all of it.
	Path string `json:"path"`
	Kind Kind   `json:"kind"`
	// Was and Is are the two sides, shortened, as JSON in a body; empty where it is not there.
	Was string `json:"was,omitempty"`
	Is  string `json:"is,omitempty"`
	// Size is how far two numbers are apart, of the larger one: from 0 to 2, or +Inf where
	// that is no number. It is 1 for all that is no number.
	Size Size `json:"size"`
	// Note says what Was and Is do not, as "from byte 17 on, of 40 and 38".
	Note string `json:"note,omitempty"`
}

// Size is a number that JSON has as a text where it is infinite.
type Size float64

// MarshalJSON writes +Inf in quotes.
func (s Size) MarshalJSON() ([]byte, error) {
	text := strconv.FormatFloat(float64(s), 'g', -1, 64)
	if strings.ContainsAny(text, "IN") {
		text = strconv.Quote(text)
	}
	return []byte(text), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Size) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	*s = Size(n)
	return err
}

// Result is how two answers differ.
type Result struct {
	// Differences are the worst first; at most 1,000, and More says how many there are besides.
	Differences []Difference `json:"differences"`
	More        int          `json:"more,omitempty"`
	// How says how the bodies were compared: "json", "upi", "bytes", or "" where there are none.
	How string `json:"how,omitempty"`
	// Tolerated counts numbers that differ and are within the tolerance, Ignored places that
	// were not looked at, and Hidden values that the capture hid, of which nothing can be told.
	Tolerated int `json:"tolerated,omitempty"`
	Ignored   int `json:"ignored,omitempty"`
	Hidden    int `json:"hidden,omitempty"`
}

// Same tells whether nothing differs.
func (r Result) Same() bool { return len(r.Differences) == 0 && r.More == 0 }

// Worse orders differences, the worst first, and those that are as bad by their path.
func Worse(a, b Difference) int {
	return cmp.Or(
		cmp.Compare(ranks[a.Kind], ranks[b.Kind]),
		cmp.Compare(b.Size, a.Size),
		strings.Compare(a.Path, b.Path),
	)
}

// found collects differences within the bound.
type found struct{ Result }

func (f *found) add(d Difference) {
	d.Was, d.Is = shorten(d.Was), shorten(d.Is)
	f.Differences = append(f.Differences, d)
	if len(f.Differences) >= 2*mostKept {
		f.trim()
	}
}

// trim keeps the worst.
func (f *found) trim() {
	slices.SortStableFunc(f.Differences, Worse)
	if over := len(f.Differences) - mostKept; over > 0 {
		f.More += over
		f.Differences = f.Differences[:mostKept]
	}
}

// shorten gives at most about so much of a text as is shown.
func shorten(text string) string {
	if len(text) <= shown {
		return text
	}
	return strings.ToValidUTF8(text[:shown], "") + "… and " + strconv.Itoa(len(text)-shown) + " bytes more"
}

// String is the difference in a line: the place, and both sides.
func (d Difference) String() string {
	text := d.Path + ": "
	switch {
	case d.Kind == Missing:
		text += "missing, was " + d.Was
	case d.Kind == Added:
		text += "added: " + d.Is
	case d.Kind == Uncompared:
		text += "cannot be compared"
	default:
		text += orNone(d.Is) + ", was " + orNone(d.Was)
	}
	if d.Note != "" {
		text += " (" + d.Note + ")"
	}
	return text
}

func orNone(text string) string {
	if text == "" {
		return "not there"
	}
	return text
}
