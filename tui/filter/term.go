package filter

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// term reads a term's argument and makes its test.
func (p *parser) term(t token) (test, error) {
	if t.text == "f" {
		return func(r *Request) bool { return r.Fault != "" }, nil
	}
	if t.text == "e" {
		return func(r *Request) bool { return Failed(r.Served) }, nil
	}
	read, known := terms[t.text]
	if !known {
		return nil, &Error{t.column, fmt.Sprintf("there is no ~%s: %s", t.text, Help)}
	}
	arg := p.next()
	if arg.kind != tokenWord {
		return nil, &Error{t.column, fmt.Sprintf("~%s needs %s", t.text, read.needs)}
	}
	operator, rest := cutOperator(arg.text)
	if read.compares && operator != "" && rest == "" { // ~d > 200ms
		if p.tokens[p.at].kind != tokenWord {
			return nil, &Error{arg.column, fmt.Sprintf("%s of what? ~%s needs %s", operator, t.text, read.needs)}
		}
		arg.text += p.next().text
	}
	made, err := read.make(arg.text)
	if err != nil {
		return nil, &Error{arg.column, err.Error()}
	}
	if t.text == "b" {
		p.texts = append(p.texts, arg.text)
	}
	return made, nil
}

// terms are those with an argument, by their letter.
var terms = map[string]struct {
	needs    string // for a person
	compares bool   // its argument may begin with >, >=, <, <= or =
	make     func(arg string) (test, error)
}{
	"c": {"a status: 503, 5xx, >=400, UNAVAILABLE", true, code},
	"m": {"a method: POST", false, method},
	"u": {"a part of the path, or a regular expression", false, path},
	"d": {"a duration: >200ms", true, duration},
	"s": {"a size: >1Ki", true, size},
	"b": {"a text that a body holds", false, body},
	"r": {"a revision: 3", true, revision},
	"p": {"a replica: a part of its name or address", false, replica},
}

// Failed tells whether a request ended in an error that is not the client's, as the port
// counts errors: a status of 500 or above, an answer that was broken off, or one of gRPC's
// statuses that are the server's.
func Failed(s *event.Served) bool {
	return s.ServersError() || BrokenOff(s)
}

// BrokenOff tells whether an answer had begun and did not end as it should.
func BrokenOff(s *event.Served) bool {
	return s.Error != "" && s.Status < 400 && s.Error != event.LeftByClient
}

func word(text string) test {
	text = strings.ToLower(text)
	return func(r *Request) bool {
		return strings.Contains(strings.ToLower(r.Path), text) || strings.Contains(strings.ToLower(r.Method), text)
	}
}

func method(arg string) (test, error) {
	return func(r *Request) bool { return strings.EqualFold(r.Method, arg) }, nil
}

// path is a text that the path holds; where it has signs of a regular expression, one.
// Letters' case makes no difference.
func path(arg string) (test, error) {
	if !strings.ContainsAny(arg, `\*+?^$[]{}()|`) {
		arg = strings.ToLower(arg)
		return func(r *Request) bool { return strings.Contains(strings.ToLower(r.Path), arg) }, nil
	}
	expression, err := regexp.Compile("(?i)" + arg)
	if err != nil {
		return nil, fmt.Errorf("this is no regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return func(r *Request) bool { return expression.MatchString(r.Path) }, nil
}

func body(arg string) (test, error) {
	if arg == "" {
		return nil, fmt.Errorf("this text is empty")
	}
	return func(r *Request) bool { return r.InBody != nil && r.InBody(arg, r.ID) }, nil
}

func replica(arg string) (test, error) {
	arg = strings.ToLower(arg)
	return func(r *Request) bool {
		return strings.Contains(strings.ToLower(r.Pod), arg) || strings.Contains(strings.ToLower(r.Replica), arg)
	}, nil
}

func revision(arg string) (test, error) {
	operator, rest := cutOperator(arg)
	n, err := strconv.Atoi(rest)
	if err != nil {
		return nil, fmt.Errorf("%q is no revision: it is a number", rest)
	}
	holds := comparison(cmp.Or(operator, "="), n)
	return func(r *Request) bool { return holds(r.Revision) }, nil
}

// duration is of all the request took; without an operator, at least.
func duration(arg string) (test, error) {
	operator, rest := cutOperator(arg)
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
		return nil, fmt.Errorf("%q is no duration: it has a unit, as 200ms or 1.5s", rest)
	}
	holds := comparison(cmp.Or(operator, ">="), d)
	return func(r *Request) bool { return holds(r.Took) }, nil
}

// size is of both bodies together; without an operator, at least.
func size(arg string) (test, error) {
	operator, rest := cutOperator(arg)
	n, err := bytes(rest)
	if err != nil {
		return nil, err
	}
	holds := comparison(cmp.Or(operator, ">="), n)
	return func(r *Request) bool { return holds(r.BytesIn + r.BytesOut) }, nil
}

// units are those of sizes, in lower case; the longest that fits is meant.
var units = []struct {
	name  string
	bytes float64
}{
	{"kib", 1 << 10},
	{"mib", 1 << 20},
	{"gib", 1 << 30},
	{"ki", 1 << 10},
	{"mi", 1 << 20},
	{"gi", 1 << 30},
	{"kb", 1e3},
	{"mb", 1e6},
	{"gb", 1e9},
	{"k", 1e3},
	{"m", 1e6},
	{"g", 1e9},
	{"b", 1},
	{"", 1},
}

func bytes(text string) (int64, error) {
	lower := strings.ToLower(text)
	for _, unit := range units {
		number, is := strings.CutSuffix(lower, unit.name)
		if !is {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if n *= unit.bytes; err != nil || n < 0 || math.IsNaN(n) || n > 1<<60 {
			break
		}
		return int64(n), nil
	}
	return 0, fmt.Errorf("%q is no size: it is bytes, or has a unit, as 512, 1Ki or 1.5M", text)
}

// code is a status: of HTTP from 100 on, a class of it, or of gRPC, by number or name.
func code(arg string) (test, error) {
	operator, rest := cutOperator(arg)
	if class, is := strings.CutSuffix(strings.ToLower(rest), "xx"); is && len(class) == 1 && '1' <= class[0] && class[0] <= '5' {
		n := int(class[0] - '0')
		holds := comparison(cmp.Or(operator, "="), n)
		return func(r *Request) bool { return holds(r.Status / 100) }, nil
	}
	n, err := strconv.Atoi(rest)
	switch {
	case err == nil && 100 <= n && n <= 999:
		holds := comparison(cmp.Or(operator, "="), n)
		return func(r *Request) bool { return holds(r.Status) }, nil
	case err != nil:
		if n, err = grpcCode(rest); err != nil {
			return nil, err
		}
	case prose.GRPCCode(n) == strconv.Itoa(n):
		return nil, fmt.Errorf("%d is no status: HTTP's are from 100, gRPC's 0 to 16", n)
	}
	holds := comparison(cmp.Or(operator, "="), n)
	return func(r *Request) bool { return r.GRPCStatus != nil && holds(*r.GRPCStatus) }, nil
}

// grpcCode is the number of a gRPC status, by its name with _ or without.
func grpcCode(name string) (int, error) {
	plain := func(name string) string { return strings.ReplaceAll(strings.ToUpper(name), "_", "") }
	for n := 0; prose.GRPCCode(n) != strconv.Itoa(n); n++ {
		if wanted := plain(prose.GRPCCode(n)); wanted == plain(name) || wanted == "CANCELLED" && plain(name) == "CANCELED" {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%q is no status: it is as 503, 5xx, >=400, or gRPC's, as UNAVAILABLE or 14", name)
}

// cutOperator takes >, >=, <, <= or = from the beginning of an argument.
func cutOperator(arg string) (operator, rest string) {
	for _, operator := range []string{">=", "<=", ">", "<", "="} {
		if rest, is := strings.CutPrefix(arg, operator); is {
			return operator, rest
		}
	}
	return "", arg
}

func comparison[T cmp.Ordered](operator string, with T) func(T) bool {
	switch operator {
	case ">":
		return func(v T) bool { return v > with }
	case ">=":
		return func(v T) bool { return v >= with }
	case "<":
		return func(v T) bool { return v < with }
	case "<=":
		return func(v T) bool { return v <= with }
	}
	return func(v T) bool { return v == with }
}
