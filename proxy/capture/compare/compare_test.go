package compare

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// answered is an exchange with that answer.
func answered(body string) event.Exchange {
	x := event.Exchange{Served: event.Served{Status: 200}}
	x.Answer.Body, x.Answer.Size = []byte(body), int64(len(body))
	return x
}

// brieflyOf is a result as lines of kind, path and the two sides.
func brieflyOf(r Result) string {
	var lines []string
	for _, d := range r.Differences {
		lines = append(lines, fmt.Sprintf("%s %s: %s | %s", d.Kind, d.Path, d.Was, d.Is))
	}
	return strings.Join(lines, "\n")
}

func TestJSONIsComparedByPath(t *testing.T) {
	for name, row := range map[string]struct {
		was, is string
		rules   Rules
		want    string
	}{
		"the same":                        {was: `{"a":1}`, is: `{"a":1}`},
		"order and space of members":      {was: `{"a":1,"b":2}`, is: "{ \"b\": 2,\n \"a\": 1 }"},
		"a number":                        {was: `{"p":[{"s":0.5}]}`, is: `{"p":[{"s":0.25}]}`, want: "value p.0.s: 0.5 | 0.25"},
		"the same double":                 {was: `0.1`, is: `0.10000000000000000001`},
		"an exponent":                     {was: `1.5e3`, is: `1500.0`},
		"an absolute tolerance":           {was: `[1.0,2.0]`, is: `[1.05,2.2]`, rules: Rules{Absolute: 0.1}, want: "value 1: 2.0 | 2.2"},
		"a relative tolerance":            {was: `[100.0,1.0]`, is: `[100.5,1.5]`, rules: Rules{Relative: 0.01}, want: "value 1: 1.0 | 1.5"},
		"a tolerance at a path":           {was: `{"a":1.0,"b":1.0}`, is: `{"a":1.1,"b":1.1}`, rules: Rules{At: []Tolerance{{Path: "b", Absolute: 0.2}}}, want: "value a: 1.0 | 1.1"},
		"no tolerance at a path":          {was: `{"a":1.0,"b":1.0}`, is: `{"a":1.1,"b":1.1}`, rules: Rules{Absolute: 1, At: []Tolerance{{Path: "a"}}}, want: "value a: 1.0 | 1.1"},
		"an integer became a float":       {was: `{"n":1}`, is: `{"n":1.0}`, want: "notation n: 1 | 1.0"},
		"one kind of number":              {was: `{"n":1}`, is: `{"n":1.0}`, rules: Rules{OneNumber: true}},
		"a tolerance keeps kinds apart":   {was: `1`, is: `1.0`, rules: Rules{Absolute: 5}, want: "notation body: 1 | 1.0"},
		"big integers are exact":          {was: `9007199254740993`, is: `9007199254740992`, want: "value body: 9007199254740993 | 9007199254740992"},
		"bigger integers are exact":       {was: `123456789012345678901234567890`, is: `123456789012345678901234567891`, want: "value body: 123456789012345678901234567890 | 123456789012345678901234567891"},
		"big integers have tolerances":    {was: `123456789012345678901234567890`, is: `123456789012345678901234567891`, rules: Rules{Absolute: 1}},
		"minus nought":                    {was: `[-0, -0.0]`, is: `[0, 0.0]`},
		"NaN is NaN":                      {was: `[NaN, Infinity, -Infinity]`, is: `[NaN, Infinity, -Infinity]`},
		"NaN is no number":                {was: `[NaN, 1.0, Infinity]`, is: `[1.0, NaN, -Infinity]`, rules: Rules{Absolute: 1e9}, want: "value 0: NaN | 1.0\nvalue 1: 1.0 | NaN\nvalue 2: Infinity | -Infinity"},
		"NaN is no null":                  {was: `[NaN]`, is: `[null]`, want: "type 0: NaN | null"},
		"no double holds it":              {was: `1e400`, is: `2e400`, rules: Rules{Relative: 1}, want: "value body: 1e400 | 2e400"},
		"a type":                          {was: `{"a":"1"}`, is: `{"a":1}`, want: `type a: "1" | 1`},
		"a missing member":                {was: `{"a":1,"b":[1,2]}`, is: `{"a":1}`, want: "missing b: [1, 2] | "},
		"an added member":                 {was: `{}`, is: `{"a":{"b":null}}`, want: `added a:  | {"b": null}`},
		"a shorter array":                 {was: `[1,2,3]`, is: `[1,2]`, want: "missing 2: 3 | "},
		"a name that comes twice":         {was: `{"a":1,"a":2}`, is: `{"a":1,"a":3}`, want: "value a: 2 | 3"},
		"a name that came twice":          {was: `{"a":1,"a":2}`, is: `{"a":1}`, want: "missing a: 2 | "},
		"a name that comes twice now":     {was: `{"a":1}`, is: `{"b":0,"a":1,"a":1}`, want: "added a:  | 1\nadded b:  | 0"},
		"ignored":                         {was: `{"id":1,"a":[{"id":2,"x":1}]}`, is: `{"id":3,"a":[{"id":4,"x":1}]}`, rules: Rules{Ignore: []string{"**.id"}}},
		"ignored where it is missing":     {was: `{"id":1}`, is: `{}`, rules: Rules{Ignore: []string{"id"}}},
		"a name with a dot":               {was: `{"a.b":1}`, is: `{"a.b":2}`, want: `value "a.b": 1 | 2`},
		"JSON lines":                      {was: "{\"a\":1}\n{\"a\":2}\n", is: "{\"a\":1}\n{\"a\":3}\n", want: "value 1.a: 2 | 3"},
		"texts that decode alike":         {was: `"é"`, is: `"\u00e9"`},
		"halves of surrogates are told":   {was: `"\ud800"`, is: `"\ud801"`, want: `value body: "\\ud800" | "\\ud801"`},
		"what the capture hid":            {was: `{"a":"***","b":1}`, is: `{"a":{"x":1},"b":2}`, want: "value b: 1 | 2"},
		"the worst comes first":           {was: `{"a":1.0,"b":1.0,"c":"x","d":1,"e":1}`, is: `{"a":1.1,"b":9.0,"c":1,"e":1.0,"f":1}`, want: "type c: \"x\" | 1\nmissing d: 1 | \nvalue b: 1.0 | 9.0\nvalue a: 1.0 | 1.1\nadded f:  | 1\nnotation e: 1 | 1.0"},
		"text":                            {was: `hello world`, is: `hello there`, want: `bytes body: "hello world" | "hello there"`},
		"JSON became text":                {was: `{"a":1}`, is: `oops`, want: `bytes body: "{\"a\":1}" | "oops"`},
		"a body became empty":             {was: `{"a":1}`, is: ``, want: `bytes body: "{\"a\":1}" | nothing`},
		"deeper than is compared by path": {was: strings.Repeat("[", 300) + strings.Repeat("]", 300), is: strings.Repeat("[", 300) + " " + strings.Repeat("]", 300), want: `bytes body: "` + strings.Repeat("[", 20) + strings.Repeat("]", 40) + `" | "` + strings.Repeat("[", 20) + " " + strings.Repeat("]", 39) + `"`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := brieflyOf(Answers(answered(row.was), answered(row.is), row.rules)); got != row.want {
				t.Errorf("got\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}

func TestArraysWithoutOrderAreMatched(t *testing.T) {
	all := Rules{Unordered: []string{"**"}}
	within := Rules{Unordered: []string{"**"}, Absolute: 0.1}
	for name, row := range map[string]struct {
		was, is string
		rules   Rules
		want    string
	}{
		"another order":                        {`[1,2,3]`, `[3,1,2]`, all, ""},
		"order counts by default":              {`[1,2]`, `[2,1]`, Rules{}, "value 0: 1 | 2\nvalue 1: 2 | 1"},
		"at one path":                          {`{"a":[1,2],"b":[1,2]}`, `{"a":[2,1],"b":[2,1]}`, Rules{Unordered: []string{"a"}}, "value b.0: 1 | 2\nvalue b.1: 2 | 1"},
		"how often counts":                     {`[1,1,2]`, `[1,2,2]`, all, "value 1: 1 | 2"},
		"within a tolerance":                   {`[1.0,2.0,3.0]`, `[3.05,1.05,2.05]`, within, ""},
		"each finds the one that it needs":     {`[{"x":1.1},{"x":1.0}]`, `[{"x":1.05},{"x":1.15}]`, within, ""},
		"one over":                             {`[1.0,2.0]`, `[2.01,1.01,7.0]`, within, "added 2:  | 7.0"},
		"one missing":                          {`["a","b","c"]`, `["c","a"]`, all, `missing 1: "b" | `},
		"the nearest":                          {`[{"id":1,"a":1,"b":1},{"id":2,"a":2,"b":2}]`, `[{"id":2,"a":2,"b":3},{"id":1,"a":1,"b":1}]`, all, "value 1.b: 2 | 3"},
		"nested":                               {`[[1,2],[3,4]]`, `[[4,3],[2,1]]`, all, ""},
		"ignored members do not keep it apart": {`[{"id":1,"x":1},{"id":2,"x":2}]`, `[{"id":9,"x":2},{"id":8,"x":1}]`, Rules{Unordered: []string{"**"}, Ignore: []string{"*.id"}}, ""},
		"kinds of numbers":                     {`[1,2]`, `[2.0,1]`, all, "notation 1: 2 | 2.0"},
		"one kind of number":                   {`[1,2]`, `[2.0,1]`, Rules{Unordered: []string{"**"}, OneNumber: true}, ""},
		"members in another order":             {`[{"a":1,"b":2},{"a":3,"b":4}]`, `[{"b":4,"a":3},{"b":2,"a":1}]`, all, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := brieflyOf(Answers(answered(row.was), answered(row.is), row.rules)); got != row.want {
				t.Errorf("got\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}

func TestTheOutcomeIsCompared(t *testing.T) {
	was, is := answered("x"), answered("x")
	is.Status, is.Error = 503, "the client left"
	was.Answer.Header = []event.Field{{Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}, {Name: "Set-Cookie", Value: "***"}}
	is.Answer.Header = []event.Field{{Name: "x-A", Value: "1"}, {Name: "Set-Cookie", Value: "new"}, {Name: "X-B", Value: ""}}
	got := brieflyOf(Answers(was, is, Rules{Headers: []string{"X-a", "x-A", "set-cookie", "x-b"}}))
	want := "broken answer: a whole answer | the client left\nstatus status: 200 OK | 503 Service Unavailable\n" +
		"header header x-a: \"1, 2\" | \"1\"\nheader header x-b:  | \"\""
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestABodyOfWhichNotAllIsThereIsNotTheSame(t *testing.T) {
	cut := answered(`{"a":[1,2,3`)
	cut.Answer.Size, cut.Answer.Cut = 100, "only the first 11 of 100 bytes are kept: for some reason"
	r := Answers(cut, answered(`{"a":[1,2,3,4]}`), Rules{})
	if len(r.Differences) != 1 || r.Differences[0].Kind != Uncompared || !strings.Contains(r.Differences[0].Note, "first 11 of 100") {
		t.Errorf("%+v", r)
	}
	if r := Answers(answered(`{"a":[9,2,3,4]}`), cut, Rules{}); len(r.Differences) != 2 || r.Differences[1].Kind != Bytes {
		t.Errorf("%+v", r)
	}
}

func TestStarsOfASecretAreNoDifference(t *testing.T) {
	hid := answered(`{"a":"token ******","b":1}`)
	hid.Answer.Cut = "the rules of the capture hide parts of it"
	if r := Answers(hid, answered(`{"a":"token abcdef","b":1}`), Rules{}); !r.Same() || r.Hidden != 1 {
		t.Errorf("%+v", r)
	}
	if r := Answers(hid, answered(`{"a":"other abcdef","b":1}`), Rules{}); r.Same() {
		t.Error("what is not hidden differs")
	}
}

func TestPathologicalArraysAreComparedInBoundedWork(t *testing.T) {
	element := func(i, shift int) string {
		return fmt.Sprintf(`{"n":%d,"inner":[%d,[%d,%d]]}`, i, i+shift, i, i+shift)
	}
	array := func(n, shift int) string {
		var all []string
		for i := range n {
			all = append(all, element((i*7919)%n, shift))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	for _, n := range []int{400, 20_000} {
		r := Answers(answered(array(n, 0)), answered(array(n, 1)), Rules{Unordered: []string{"**"}})
		if r.Same() || len(r.Differences) > 1000 || len(r.Differences)+r.More < n {
			t.Errorf("%d elements: %d differences, and %d more", n, len(r.Differences), r.More)
		}
	}
	deep := strings.Repeat("[", 190) + "%d" + strings.Repeat("]", 190)
	if r := Answers(answered(fmt.Sprintf(deep, 1)), answered(fmt.Sprintf(deep, 2)), Rules{Unordered: []string{"**"}}); len(r.Differences) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestTheWorstOfManyDifferencesAreKept(t *testing.T) {
	var was, is []string
	for i := range 5000 {
		was = append(was, "1.0")
		is = append(is, fmt.Sprintf("%d.5", i))
	}
	r := Answers(answered("["+strings.Join(was, ",")+"]"), answered("["+strings.Join(is, ",")+"]"), Rules{})
	if len(r.Differences) != 1000 || r.More != 4000 {
		t.Fatalf("%d kept, %d more", len(r.Differences), r.More)
	}
	if worst := r.Differences[0]; worst.Path != "4999" {
		t.Errorf("the worst is %+v", worst)
	}
}

func TestRulesThatAreNoneAreAMistake(t *testing.T) {
	for _, r := range []Rules{
		{Ignore: []string{"a..b"}},
		{Unordered: []string{"a[0]"}},
		{Absolute: -1},
		{Relative: math.NaN()},
		{At: []Tolerance{{Path: "", Absolute: 1}}},
		{At: []Tolerance{{Path: "a", Relative: -1}}},
	} {
		if r.Check() == nil {
			t.Errorf("%+v is taken", r)
		}
		Answers(answered("[1]"), answered("[2]"), r) // and leads nowhere
	}
}

func TestLatencyIsToldInPlainWords(t *testing.T) {
	spread := func(n int, from, step time.Duration) []time.Duration {
		all := make([]time.Duration, n)
		for i := range all {
			all[(i*7)%n] = from + time.Duration(i)*step
		}
		return all
	}
	for name, row := range map[string]struct {
		was, is []time.Duration
		want    Speed
	}{
		"nothing":              {nil, nil, TooFew},
		"few":                  {spread(9, time.Second, 1), spread(50, time.Minute, 1), TooFew},
		"the same":             {spread(100, time.Millisecond, time.Microsecond), spread(100, time.Millisecond, time.Microsecond), NoDifference},
		"all equal":            {spread(20, time.Millisecond, 0), spread(20, time.Millisecond, 0), NoDifference},
		"slower":               {spread(20, 10*time.Millisecond, time.Microsecond), spread(20, 12*time.Millisecond, time.Microsecond), Slower},
		"faster":               {spread(20, 10*time.Millisecond, time.Microsecond), spread(20, 5*time.Millisecond, time.Microsecond), Faster},
		"sure, and too slight": {spread(100, 10*time.Millisecond, 1), spread(100, 10*time.Millisecond+200*time.Microsecond, 1), NoDifference},
		"noise is wider":       {spread(20, time.Millisecond, time.Millisecond), spread(20, 2*time.Millisecond, time.Millisecond), NoDifference},
	} {
		if v := Latency(row.was, row.is).Beyond(time.Minute); v.Speed == Slower || v.Speed == Faster {
			t.Errorf("%s: %s, and it is no minute", name, v)
		}
		if v := Latency(row.was, row.is); v.Speed != row.want || v.String() == "" {
			t.Errorf("%s: %s: %+v", name, v, v)
		}
	}
}
