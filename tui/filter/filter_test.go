package filter

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// requests are of every sort that terms tell apart.
func requests() map[string]*Request {
	code := func(n int) *int { return &n }
	all := map[string]*Request{
		"fast":        {Served: &event.Served{Method: "POST", Path: "/v1/models/iris-1:predict", Status: 200, Took: 3 * time.Millisecond, BytesIn: 100, BytesOut: 200, Replica: "172.17.0.2:8080"}, Revision: 1, Pod: "abcde"},
		"slow":        {Served: &event.Served{Method: "POST", Path: "/v1/models/iris-1:predict", Status: 200, Took: time.Second, BytesIn: 4 << 10, BytesOut: 200, Replica: "172.17.0.3:8080"}, Revision: 3, Pod: "fghij"},
		"missing":     {Served: &event.Served{Method: "GET", Path: "/Nothing", Status: 404, Took: time.Millisecond}, Revision: 1},
		"refused":     {Served: &event.Served{Method: "POST", Path: "/v1/models/iris-1:predict", Status: 503, Error: "queue full"}, Revision: 3},
		"broken":      {Served: &event.Served{Method: "POST", Path: "/v1/models/iris-1:predict", Status: 200, Error: "unexpected EOF"}, Revision: 2},
		"left":        {Served: &event.Served{Method: "POST", Path: "/v1/models/iris-1:predict", Status: 200, Error: "client closed request"}, Revision: 2},
		"unavailable": {Served: &event.Served{Method: "POST", Path: "/caraml.upi.v1.UniversalPredictionService/PredictValues", Status: 200, GRPCStatus: code(14)}, Revision: 1},
		"invalid":     {Served: &event.Served{Method: "POST", Path: "/caraml.upi.v1.UniversalPredictionService/PredictValues", Status: 200, GRPCStatus: code(3)}, Revision: 1},
	}
	for name, r := range all {
		r.InBody = func(text string, _ uint64) bool { return name == "slow" && text == "petal width" }
	}
	return all
}

func TestAFilterChoosesRequests(t *testing.T) {
	const everything = "fast slow missing refused broken left unavailable invalid"
	for text, want := range map[string]string{
		"":                            everything,
		"  ":                          everything,
		"~c 503":                      "refused",
		"~c 5xx":                      "refused",
		"~c 4XX":                      "missing",
		"~c>=400":                     "missing refused",
		"~c >= 400":                   "missing refused",
		"~c <404":                     "fast slow broken left unavailable invalid",
		"~c unavailable":              "unavailable",
		"~c INVALID_ARGUMENT":         "invalid",
		"~c 14":                       "unavailable",
		"~c >=4":                      "unavailable",
		"~m get":                      "missing",
		"~u PREDICT":                  "fast slow refused broken left unavailable invalid",
		"~u iris-1:predict":           "fast slow refused broken left",
		`~u "^/(nothing|n)$"`:         "missing",
		"~u ^/nothing$":               "missing",
		"~d >200ms":                   "slow",
		"~d > 200ms":                  "slow",
		"~d 1s":                       "slow",
		"~d <2ms !~d =0s":             "missing",
		"~s >1Ki":                     "slow",
		"~s 300":                      "fast slow",
		"~s <=300B ~s >0":             "fast",
		"~r 3":                        "slow refused",
		"~r >=2":                      "slow refused broken left",
		"~p ABC":                      "fast",
		"~p 172.17.0.3":               "slow",
		"~e":                          "refused broken unavailable",
		"~b 'petal width'":            "slow",
		"!~b 'petal width' ~d >0s ~e": "",
		"nothing":                     "missing",
		"post values":                 "unavailable invalid",
		"values post":                 "unavailable invalid",
		"get | ~e & ~r 3":             "missing refused",
		"(get | ~e) & ~r 1":           "missing unavailable",
		"!(get|~e) ~r 1":              "fast invalid",
		"!!get":                       "missing",
		"~e!~r 3":                     "broken unavailable",
		"get&nothing":                 "missing",
		"'get'":                       "missing",
	} {
		f, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var got []string
		all := requests()
		for _, name := range strings.Fields(everything) {
			if f.Match(all[name]) {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q chose %q, want %q", text, strings.Join(got, " "), want)
		}
	}
}

func TestWhatIsNoFilterIsAnErrorAtItsColumn(t *testing.T) {
	for text, want := range map[string]string{
		"~":             "column 1: a letter belongs after ~",
		"ä ~x 1":        "column 3: there is no ~x",
		"~c":            "column 1: ~c needs a status",
		"~c & get":      "column 1: ~c needs a status",
		"~c high":       `column 4: "high" is no status`,
		"~c 17":         "column 4: 17 is no status",
		"~c 6xx":        `column 4: "6xx" is no status`,
		"~d 200":        `column 4: "200" is no duration`,
		"~d >":          "column 4: > of what?",
		"~d >-1s":       `column 4: "-1s" is no duration`,
		"~s >1Xi":       `column 4: "1Xi" is no size`,
		"~s NaN":        `column 4: "NaN" is no size`,
		"~r three":      `column 4: "three" is no revision`,
		"~u [":          "column 4: this is no regular expression: missing closing ]",
		"~b ''":         "column 4: this text is empty",
		"(get":          "column 1: this ( is not closed",
		"get)":          "column 4: there is no ( that this ) closes",
		"get &":         "column 6: something is missing here",
		"& get":         `column 1: "&" has nothing before it`,
		"get | | get":   `column 7: "|" has nothing before it`,
		"()":            `column 2: ")" has nothing before it`,
		`get "what`:     "column 5: this quote is not closed",
		"!":             "column 2: something is missing here",
		"ok " + deep(9): "",
		deep(80):        "column 52: this is nested deeper than 50",
	} {
		_, err := Parse(text)
		var wrong *Error
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want == "":
		case !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), want):
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func deep(n int) string { return strings.Repeat("(", n) + "get" + strings.Repeat(")", n) }

func TestTheTextsOfBodiesAreToldOnce(t *testing.T) {
	f, err := Parse("~b two | ~b one & !~b two")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.Texts(), " "); got != "one two" {
		t.Errorf("the texts are %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "~c 5xx & !(~m GET | ~d >200ms)", `~u "a|b" '~'`, "~b \x00", "((((", "~s 1Ki ~r 3 ~p x ~e", "~c >UNAVAILABLE", "\xff~d"} {
		f.Add(text)
	}
	all := requests()
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := Parse(text)
		var wrong *Error
		switch {
		case err == nil:
			for _, r := range all {
				filter.Match(r)
			}
			if _, err := Parse("!(" + text + "\n)"); err != nil && strings.TrimSpace(text) != "" && len(text) < deepest {
				t.Errorf("%q can be read, but not within !( ): %v", text, err)
			}
		case !errors.As(err, &wrong):
			t.Errorf("%q: %v is of type %T", text, err, err)
		case wrong.Column < 1 || wrong.Column > utf8.RuneCountInString(text)+1:
			t.Errorf("%q: the error is at column %d", text, wrong.Column)
		}
	})
}

// BenchmarkMatch is a filter of four terms on one request.
func BenchmarkMatch(b *testing.B) {
	f, err := Parse("~c 200 & ~u predict & !~m GET & ~d >200ms")
	if err != nil {
		b.Fatal(err)
	}
	r := requests()["fast"]
	for b.Loop() {
		f.Match(r)
	}
}
