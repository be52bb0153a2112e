package tui

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

func TestTheLevelOfALine(t *testing.T) {
	for text, want := range map[string]level{
		"INFO:     127.0.0.1:41234 - \"POST /v1 HTTP/1.1\" 200 OK": infoLevel, // uvicorn
		"WARNING:root:careful":                                                 warnLevel, // Python logging
		"2026-01-02 03:04:05,678 - my.logger - ERROR - bad":                    errorLevel,
		"2026-01-02 03:04:05,678 CRITICAL [main] bad":                          fatalLevel,
		"[2026-01-02 03:04:05 +0000] [7] [INFO] Booting":                       infoLevel, // gunicorn
		"2026-01-02 03:04:05.678 | DEBUG    | app:f:3 - x":                     debugLevel,
		"2026-01-02 03:04:05.678901: W tensorflow/core.cc:1] x":                warnLevel,
		"I0102 03:04:05.678901       7 main.go:8] text":                        infoLevel, // klog
		"E20260102 03:04:05.678901 7 main.cc:8] text":                          errorLevel,
		"2026/01/02 03:04:05 WARN slow took=3s":                                warnLevel, // slog's default
		"time=2026-01-02T03:04:05Z level=ERROR msg=\"x y\"":                    errorLevel,
		"2026-01-02T03:04:05.000Z\tINFO\tmain/main.go:10\tstarted\t{\"a\": 1}": infoLevel, // zap's console
		"\x1b[34mINFO\x1b[0m[0001] text":                                       infoLevel,
		"12:00:00.123 [http-nio-8080] WARN  c.e.App - text":                    warnLevel,
		"[error] 7#7: *1 connect() failed":                                     errorLevel,
		"error: no such file":                                                  errorLevel,
		"/app/x.py:3: UserWarning: careful":                                    warnLevel,
		"ValueError: bad":                                                      errorLevel,
		"":                                                                     noLevel,
		"the ERROR is in the middle":                                           noLevel,
		"Information about things":                                             noLevel,
		"no error":                                                             noLevel,
		"2026/01/02 03:04:05 listening on :8080":                               noLevel,
		"Errors: 3":                                                            noLevel,
		"WARNED":                                                               noLevel,
		"I am a sentence":                                                      noLevel,
		"level=":                                                               noLevel,
		"127.0.0.1 - - [02/Jan/2026:03:04:05 +0000] \"GET /ERROR HTTP/1.1\" 200 1234": noLevel,
	} {
		if got := lineLevel(text); got != want {
			t.Errorf("%q has level %s, not %s", text, levelNames[got], levelNames[want])
		}
	}
}

func TestALineOfJSONInParts(t *testing.T) {
	arrived := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]string{
		`{"ts":1767323045.25,"level":"warn","logger":"a.b","msg":"hello","n":1.50,"ok":true,"none":null}`:  `W a.b: hello n=1.50 ok=true none=null`,
		`{"@timestamp":"2026-01-02T03:04:05Z","log.level":"ERROR","message":"x"}`:                          `E x`,
		`{"time":"2020-01-01T00:00:00Z","severity":"INFO","message":"old"}`:                                `I old time=2020-01-01T00:00:00Z`,
		`{"asctime":"2026-01-02 03:04:05,123","levelname":"INFO","name":"svc","message":"naive"}`:          `I svc: naive asctime="2026-01-02 03:04:05,123"`,
		`{"level":30,"time":1767323045000,"pid":7,"msg":"pino"}`:                                           `I pino pid=7`,
		`{"event":"structlog","level":"debug","k":"a b"}`:                                                  `D structlog k="a b"`,
		`{"level":"error","msg":"a","exc_info":"Traceback (most recent call last):\n  File\nKeyError: 1"}`: `E a  KeyError: 1`,
		`{"level":"error","msg":"a","stacktrace":"main.main\n\t/x.go:1"}`:                                  `E a  main.main`,
		`{"level":"error","msg":"a","stack":"one line"}`:                                                   `E a stack="one line"`,
		`{"msg":{"deep":1},"level":"info"}`:                                                                `I  msg={"deep":1}`,
		`{"msg":"one\ntwo","name":"iris"}`:                                                                 `  one name=iris`,
		`{"level":"info","level":"error","msg":"twice"}`:                                                   `I twice level=error`,
	} {
		line, ok := parseJSON(text)
		if !ok {
			t.Errorf("%s is not taken apart", text)
			continue
		}
		if got := line.level.letter() + " " + plainText(line.spans(arrived, &logInks{})); got != want {
			t.Errorf("%s is\n%s not\n%s", text, got, want)
		}
		if l, _ := jsonLevel(text); l != line.level {
			t.Errorf("%s has level %d, in parts %d", text, l, line.level)
		}
	}
	for _, text := range []string{`{}`, `{"a":1}`, `{"msg":"x"`, `[{"msg":"x"}]`, `{"msg":"x"} and more`, `{msg:x}`, `{"time":"2026-01-02T03:04:05Z"}`} {
		if line, ok := parseJSON(text); ok {
			t.Errorf("%s is taken apart: %+v", text, line)
		}
	}
}

// records feeds lines of one stream to a logbook, and gives each record's lines.
func records(lines ...string) (book *logbook, all []string) {
	state := &session.State{Models: []*session.Model{{ID: "m"}}}
	state.Remember()
	for i, line := range lines {
		state.Apply(event.Event{Seq: uint64(i + 1), Model: "m", Fact: written("r", line)})
	}
	book = &logbook{}
	book.read(state.History, "m", nobody{})
	for number := book.gone; number < book.end(); number++ {
		r := book.at(number)
		text := book.text(r, 0)
		for _, offset := range r.more {
			text += "\n" + book.text(r, offset)
		}
		all = append(all, text)
	}
	return book, all
}

type nobody struct{}

func (nobody) added(int) {}
func (nobody) grew(int)  {}
func (nobody) went(int)  {}

func TestWhatBelongsTogetherIsOneRecord(t *testing.T) {
	for name, blocks := range map[string][]string{
		"Python":                        {"before", traceback, "INFO:     after"},
		"two of Python":                 {"Traceback (most recent call last):\n  File \"a\"\nKeyError: 1", "Traceback (most recent call last):\n  File \"b\"\nKeyError: 2"},
		"Python, interrupted":           {"Traceback (most recent call last):\n  File \"a\"", "INFO:     something else"},
		"below an error":                {"ERROR:root:it failed\n" + traceback, "after"},
		"not below a plain line":        {"it goes on", traceback},
		"an exception of several lines": {"Traceback (most recent call last):\n  File \"a\"\npydantic.ValidationError: 1 error\n  x is missing", "after"},
		"an exception group":            {"  + Exception Group Traceback (most recent call last):\n  |   File \"a\"\n  | ExceptionGroup: many (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    | ValueError: x\n    +------------------------------------", "after"},
		"faulthandler":                  {"Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f0000 (most recent call first):\n  File \"a\", line 3 in f\n\nExtension modules: numpy (total: 1)", "after"},
		"Go":                            {"before", goPanic[:strings.LastIndexByte(goPanic, '\n')], "exit status 2"},
		"Go, a signal":                  {"panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:1 +0x1", "after"},
		"Go, recovered":                 {"2026/01/02 03:04:05 http: panic serving 127.0.0.1:1: boom\ngoroutine 9 [running]:\nnet/http.(*conn).serve.func1()\n\t/s.go:1 +0x1\npanic({0x1?, 0x2?})\n\t/p.go:1 +0x1\ncreated by net/http.(*Server).Serve in goroutine 1\n\t/s.go:2 +0x2", "after it"},
		"Go, a dump":                    {"SIGQUIT: quit\nPC=0x47 m=0 sigcode=0\n\ngoroutine 1 [select, 3 minutes]:\nmain.main()\n\t/x.go:1 +0x1\n\ngoroutine 7 [chan receive]:\nmain.(*T).f(0xc0, {0x1, 0x2})\n\t/x.go:2 +0x1\n\nrax    0x0\nrflags 0x246", "after"},
		"Go, said only":                 {"panic: recovered, and going on", "listening"},
		"zap":                           {"2026-01-02T03:04:05.000Z\tERROR\tmain/main.go:10\tfailed\nmain.main\n\t/app/main.go:10\nruntime.main\n\t/go/proc.go:250", "after"},
		"a name after another error":    {"ERROR: cannot read", "model.pkl"},
		"signals by name":               {"SIGTERM: shutting down", "done"},
		"JSON between":                  {"Traceback (most recent call last):\n  File \"a\"", `{"level":"info","msg":"x"}`, "  indented"},
	} {
		var lines []string
		for _, b := range blocks {
			lines = append(lines, strings.Split(b, "\n")...)
		}
		_, got := records(lines...)
		if len(got) != len(blocks) {
			t.Errorf("%s: %d records, not %d:\n%q", name, len(got), len(blocks), got)
			continue
		}
		for i := range got {
			if strings.TrimRight(got[i], "\n") != blocks[i] {
				t.Errorf("%s: record %d is %q, not %q", name, i, got[i], blocks[i])
			}
		}
	}
}

func TestStreamsThatMixKeepTheirTracebacks(t *testing.T) {
	state := &session.State{Models: []*session.Model{{ID: "m"}}}
	state.Remember()
	seq := uint64(0)
	add := func(f event.Fact) { seq++; state.Apply(event.Event{Seq: seq, Model: "m", Fact: f}) }
	for line := range strings.SplitSeq(traceback, "\n") {
		add(cried("a", line))
		add(written("a", "200 OK"))
		add(cried("b", line))
	}
	book := &logbook{}
	book.read(state.History, "m", nobody{})
	n := strings.Count(traceback, "\n") + 1
	if book.end() != n+2 {
		t.Fatalf("there are %d records, not %d", book.end(), n+2)
	}
	for _, number := range []int{0, 2} {
		if r := book.at(number); len(r.more) != n-1 || book.text(r, r.sum) != "ValueError: no column sepal" {
			t.Errorf("record %d has %d lines more, summed up by %q", number, len(r.more), book.text(r, r.sum))
		}
	}
}

func FuzzALogLine(f *testing.F) {
	for _, seed := range []string{
		traceback, goPanic, `{"ts":1e300,"level":"error","msg":"a\nb","exc_info":["x","y\n"],"n":{"a":[1]}}`, "I0102 03:04:05.6 7 x.go:1] y",
		"\x1b[31mERROR\x1b[0m: x", "goroutine ]:", "()", "\tx", "世界\u202e\x00", "level=\"", ": ", "(", "{\"level\":}", "{\"\":\"\",\"msg\":\"\"}",
	} {
		f.Add(seed, 40)
	}
	f.Fuzz(func(t *testing.T, text string, width int) {
		width = min(max(width, 1), 300)
		text = strings.ToValidUTF8(text, "\uFFFD") // as the emulator publishes it
		book, _ := records(strings.Split(text, "\n")...)
		p := newLogs()
		s := &scene{theme: newTheme(0, false), state: &session.State{History: book.history}, model: &session.Model{ID: "m"}}
		p.read(s)
		p.width = width
		for _, mode := range []struct{ wrap, raw, unfolded bool }{{}, {wrap: true}, {raw: true}, {wrap: true, raw: true, unfolded: true}, {unfolded: true}} {
			p.wrap, p.raw, p.unfolded = mode.wrap, mode.raw, mode.unfolded
			p.redraw()
			for number := p.book.gone; number < p.book.end(); number++ {
				for _, row := range p.recordRows(s, number) {
					text := ansi.Strip(row.text)
					if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x202e }) || !utf8.ValidString(text) {
						t.Errorf("a row would be interpreted: %q", text)
					}
				}
			}
		}
		_, _ = newLogFilter(text)
		if q, err := newPattern(text); err == nil {
			for _, m := range q.all(text) {
				_ = text[m[0]:m[1]]
			}
		}
	})
}
