package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// irisServed is a request of the iris model that took so long.
func irisServed(id uint64, status int, took time.Duration) event.Served {
	return event.Served{
		ID: id, Method: "POST", Host: "iris-1.sample.models.localhost", Path: "/v1/models/iris-1:predict", Proto: "HTTP/1.1", Status: status,
		Replica: "172.17.0.2:8080", Sent: took / 10, FirstByte: took * 9 / 10, Took: took, BytesIn: 81, BytesOut: 429,
	}
}

// session are the iris model's events and so many requests, every tenth of which failed.
func requestEvents(n int) []event.Event {
	var facts []event.Fact
	for i := 1; i <= n; i++ {
		f := irisServed(uint64(i), 200, time.Duration(i)*time.Millisecond)
		if i%10 == 0 {
			f.Status, f.Error = 503, "queue full"
		}
		facts = append(facts, f)
	}
	return iris(facts...)
}

// exchangeOfIris is what was captured of a request.
func exchangeOfIris(id uint64, request, answer string) event.Exchange {
	x := event.Exchange{Served: irisServed(id, 200, 12*time.Millisecond), Query: "?trace=1", Model: "iris-1", Revision: 1, Arrived: time.Date(2026, 1, 2, 3, 4, 14, 0, time.UTC)}
	x.Request = event.Message{Header: []event.Field{{Name: "Host", Value: x.Host}, {Name: "Content-Type", Value: "application/json"}, {Name: "Content-Length", Value: fmt.Sprint(len(request))}}, Body: []byte(request), Size: int64(len(request))}
	x.Answer = event.Message{Header: []event.Field{{Name: "Content-Type", Value: "application/json"}}, Body: []byte(answer), Size: int64(len(answer))}
	return x
}

const irisRequest = `{"instances": [[5.1, 3.5, 1.4, 0.2], [5.7, 2.8, 4.1, 1.30]]}`

func irisAnswer(probability string) string {
	return `{"predictions":[{"species":"setosa","probabilities":{"setosa":` + probability + `,"versicolor":0.1}}]}`
}

// rows are the lines of a view that are requests.
func rows(view string) []string {
	var found []string
	for line := range strings.SplitSeq(view, "\n") {
		if strings.Contains(line, " POST ") || strings.Contains(line, " GET ") {
			found = append(found, line)
		}
	}
	return found
}

func TestTheListFollowsTheNewestUntilTheCursorMovesUp(t *testing.T) {
	d := drive(t, &hands{}, 100, 24, requestEvents(100))
	d.keys("2")
	view := d.view()
	if list := rows(view); len(list) != 18 || !strings.HasPrefix(list[17], "›") || !strings.Contains(list[17], "100ms") {
		t.Fatalf("the newest is not the last row, under the cursor:\n%s", view)
	}
	d.keys("up", "up")
	before := rows(d.view())
	more := requestEvents(120)[109:]
	d.send(arrived(more))
	d.await("20 new")
	after := rows(d.view())
	if strings.Join(before, "\n") != strings.Join(after, "\n") {
		t.Errorf("the list moved while it stands still:\n%s\nwas\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	d.keys("G")
	if view := d.view(); strings.Contains(view, " new") || !strings.Contains(rows(view)[17], "120ms") {
		t.Errorf("G does not follow again:\n%s", view)
	}
	d.keys("g")
	if list := rows(d.view()); !strings.HasPrefix(list[0], "›") || !strings.Contains(list[0], "1.00ms") {
		t.Errorf("g does not go to the oldest:\n%s", strings.Join(list, "\n"))
	}
}

func TestAFilterIsAppliedToWhatIsThereAndToWhatComes(t *testing.T) {
	d := drive(t, &hands{}, 100, 24, requestEvents(100))
	d.keys("2", "/", `"~c 5xx & ~d >35ms`, "enter")
	if list := rows(d.view()); len(list) != 7 {
		t.Fatalf("%d rows are chosen, not 7:\n%s", len(list), d.view())
	}
	d.await("7/100")
	d.keys("up")
	d.send(arrived(requestEvents(130)[109:]))
	d.await("3 new  10/130")
	d.keys("/", `" & ~q`)
	d.await("column 21: there is no ~q")
	d.keys("esc")
	d.await("3 new  10/130")
	d.keys("esc")
	d.await("30 new")
	if view := d.view(); strings.Contains(view, "~c") || len(rows(view)) != 18 {
		t.Errorf("esc does not show all again:\n%s", view)
	}
}

func TestWhatTheHistoryLetGoGoesFromTheListToo(t *testing.T) {
	d := drive(t, &hands{}, 100, 24, requestEvents(10))
	d.keys("2", "g")
	d.view()
	batch := requestEvents(25_000)[19:]
	for len(batch) > 0 {
		n := min(len(batch), 5000)
		d.send(arrived(batch[:n]))
		batch = batch[n:]
		d.view()
	}
	d.send(arrived{{Model: "iris-1", Time: time.Now(), Fact: event.Traffic{Requests: 1_200_000}}})
	view := d.view()
	if !regexp.MustCompile(`kept \d[\d.]*k of 1.2M`).MatchString(view) {
		t.Errorf("it is not told how many are kept:\n%s", view)
	}
	list := d.screen.panels[requestsPanel].(*requests).list
	ring := &d.screen.state.History.Requests
	if list.places[0] != ring.First() || list.cursor != ring.First() || len(list.places) != ring.Len() {
		t.Errorf("the list has %d places from %d, the cursor is at %d; the history has %d from %d", len(list.places), list.places[0], list.cursor, ring.Len(), ring.First())
	}
}

func TestOnlyRequestsOfTheModelAndOfNoneAreShown(t *testing.T) {
	events := requestEvents(1)
	other := events[len(events)-1]
	other.Model = "other-1"
	none := other
	f := irisServed(3, 404, time.Millisecond)
	none.Model, f.Path = "", "/nobody"
	none.Fact = f
	d := drive(t, &hands{}, 100, 24, append(events, other, none))
	d.keys("2")
	if list := rows(d.view()); len(list) != 2 || !strings.Contains(list[1], "/nobody") {
		t.Errorf("it shows\n%s", strings.Join(list, "\n"))
	}
}

func TestWaitAndModelAreToldApart(t *testing.T) {
	f := irisServed(1, 200, 500*time.Millisecond)
	f.Held, f.Queued, f.Sent = 100*time.Millisecond, 150*time.Millisecond, 255*time.Millisecond
	refused := event.Served{ID: 2, Method: "POST", Path: "/v1/models/iris-1:predict", Status: 503, Queued: time.Second, Took: time.Second, Error: "queue full"}
	d := drive(t, &hands{}, 120, 24, iris(f, refused))
	d.keys("2")
	list := rows(d.view())
	if !regexp.MustCompile(`250ms +250ms +500ms`).MatchString(list[0]) || !regexp.MustCompile(`queue full.* 1\.00s +- +1\.00s`).MatchString(list[1]) {
		t.Errorf("the rows are\n%s", strings.Join(list, "\n"))
	}
}

// inDetail opens the last of the requests in a screen of that size.
func inDetail(t *testing.T, h *hands, width, height int) *driver {
	d := drive(t, h, width, height, requestEvents(3))
	d.keys("2", "enter")
	return d
}

func captured() *hands {
	return &hands{exchanges: map[uint64]event.Exchange{
		1: exchangeOfIris(1, irisRequest, irisAnswer("0.90")),
		2: exchangeOfIris(2, irisRequest, irisAnswer("0.9")),
		3: exchangeOfIris(3, strings.Replace(irisRequest, "5.1", "6.7", 1), irisAnswer("0.25")),
	}}
}

func TestARequestInDetail(t *testing.T) {
	d := inDetail(t, captured(), 120, 40)
	d.await(`"versicolor": 0.1`)
	view := d.view()
	for _, text := range []string{"POST /v1/models/iris-1:predict?trace=1", "200 OK", "replica abcde 172.17.0.2:8080", "REQUEST", "│ ANSWER", "[5.7, 2.8, 4.1, 1.30]", "first byte 2.40ms", "Content-Type: application/json"} {
		if !strings.Contains(view, text) {
			t.Errorf("it does not show %q:\n%s", text, view)
		}
	}
	d.keys("left")
	d.await("[5.1, 3.5, 1.4, 0.2]")
	d.keys("esc")
	if view := d.view(); !strings.Contains(view, "STATUS") || !strings.Contains(view, "1 new") && !strings.Contains(view, "paused") {
		t.Errorf("esc does not go back:\n%s", view)
	}
}

func TestInDetailATextIsFound(t *testing.T) {
	d := inDetail(t, captured(), 120, 30)
	d.await("ANSWER")
	d.await("versicolor")
	d.keys("/", `"qqq`)
	d.await("nothing has it")
	d.keys("backspace", "backspace", "backspace", `"IRIS`)
	d.await("nothing has it") // a large letter: the case counts
	d.keys("esc", "/", `"iris`)
	d.await("1 of 3")
	d.keys("enter", "n", "n")
	d.await("3 of 3")
	d.keys("n")
	d.await("1 of 3")
	d.keys("N")
	d.await("3 of 3")
	d.keys("q", "y")
	d.await("stopping") // letters are keys again
}

func TestWhatIsNotCapturedSaysWhyAndShowsTheRest(t *testing.T) {
	d := inDetail(t, &hands{}, 80, 24)
	view := d.await("request 3 is not kept any more")
	if !strings.Contains(view, "200 OK") || !strings.Contains(view, "connected") {
		t.Errorf("what is known is not shown:\n%s", view)
	}
	d = drive(t, nil, 80, 24, requestEvents(3))
	d.keys("2", "enter")
	d.await("a recording of events holds no headers and bodies")
}

func TestTheLinesThatWereWrittenDuringARequestAreShown(t *testing.T) {
	h := captured()
	events := requestEvents(3)
	line := func(at time.Time, replica, text string) event.Event {
		return event.Event{Time: at, Model: "iris-1", Revision: 1, Fact: event.Log{Source: event.LogModel, Replica: replica, Text: text}}
	}
	from := h.exchanges[3].Arrived
	d := drive(t, h, 100, 40, nil)
	d.send(arrived(events[:9]))
	d.send(arrived{
		line(from.Add(-time.Millisecond), "0123456789ab", "too early"), line(from.Add(time.Millisecond), "0123456789ab", "predicting \x1b[31m1 row"),
		line(from.Add(time.Millisecond), "ffffffffffff", "another replica"), line(from.Add(time.Second), "0123456789ab", "too late"),
	})
	d.send(arrived(events[9:]))
	d.keys("2", "enter")
	view := d.await("predicting 1 row")
	for _, other := range []string{"too early", "another replica", "too late"} {
		if strings.Contains(view, other) {
			t.Errorf("%q is shown:\n%s", other, view)
		}
	}
}

func TestARequestIsComparedWithThePinnedOne(t *testing.T) {
	d := drive(t, captured(), 120, 40, requestEvents(3))
	d.keys("2", "c")
	d.await("there is no other to compare with")
	d.keys("up", "up", "p")
	d.await("request 1 is pinned as ")
	d.keys("G", "c")
	d.await("REQUEST body, at 1 place")
	view := d.view()
	for _, text := range []string{"instances.0.0", "- 5.1", "+ 6.7", "predictions.0.probabilities.setosa", "- 0.90", "+ 0.25"} {
		if !strings.Contains(view, text) {
			t.Errorf("it does not show %q:\n%s", text, view)
		}
	}
	d.keys("esc")
	if view := d.view(); !strings.Contains(view, "STATUS") || strings.Count(view, " P ") != 2 { // on top, and in its place
		t.Errorf("the pinned one is not kept in sight:\n%s", view)
	}
}

func TestARequestIsComparedWithTheOneMarkedLast(t *testing.T) {
	d := drive(t, captured(), 120, 40, requestEvents(3))
	d.keys("2", "up", "up", "m", "down", "m")
	if view := d.view(); strings.Count(view, "m 0") != 2 {
		t.Errorf("the marks are not shown:\n%s", view)
	}
	d.keys("c")
	d.await("- marked  request 1")
	d.await("- 0.90") // not the same as 0.9: numbers are compared as they are written
}

func TestARequestIsSentAgain(t *testing.T) {
	h := captured()
	d := drive(t, h, 120, 40, requestEvents(3))
	d.keys("2", "r")
	d.await("request 3 was sent again")
	if len(h.sent) != 1 || h.sent[0].ID != 3 || string(h.sent[0].Request.Body) != string(h.exchanges[3].Request.Body) {
		t.Errorf("what was sent is %+v", h.sent)
	}
	h.fails = errors.New("connection refused")
	d.keys("r")
	d.await("connection refused")
}

// inEditor has `e` run a script instead of an editor, without lending it a terminal.
func inEditor(t *testing.T, d *driver, script string) {
	if runtime.GOOS == "windows" {
		t.Skip("the editor of this test is a script for sh")
	}
	path := filepath.Join(t.TempDir(), "editor")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	p := d.screen.panels[requestsPanel].(*requests)
	p.getenv = func(name string) string {
		if name == "EDITOR" {
			return path + " --wait"
		}
		return ""
	}
	p.exec = func(c *exec.Cmd, done tea.ExecCallback) tea.Cmd {
		return func() tea.Msg { return done(c.Run()) }
	}
}

func TestABodyIsEditedAndSent(t *testing.T) {
	h := captured()
	d := drive(t, h, 120, 40, requestEvents(3))
	seen := filepath.Join(t.TempDir(), "seen")
	inEditor(t, d, `test "$1" = --wait && echo "$2" > '`+seen+`' && sed -i.bak s/6.7/7.7/ "$2" && rm "$2.bak"`)
	d.keys("2", "e")
	d.await("request 3 was sent with the new body")
	if len(h.sent) != 1 || string(h.sent[0].Request.Body) != strings.Replace(irisRequest, "5.1", "7.7", 1) {
		t.Fatalf("what was sent is %+v", h.sent)
	}
	for _, f := range h.sent[0].Request.Header {
		if f.Name == "Content-Length" {
			t.Errorf("the length of the old body is sent: %v", f)
		}
	}
	path, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(strings.TrimSpace(string(path))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", path, err)
	}
}

func TestABodyThatIsLeftAsItWasIsNotSent(t *testing.T) {
	h := captured()
	d := drive(t, h, 120, 40, requestEvents(3))
	inEditor(t, d, `echo >> "$2"`) // as editors end the last line
	d.keys("2", "e")
	d.await("nothing was changed")
	inEditor(t, d, "exit 3")
	d.keys("e")
	d.await("the editor: exit status 3")
	if len(h.sent) > 0 {
		t.Errorf("%v was sent", h.sent)
	}
}

func TestWhatCouldNotBeSentIsThereAtTheNextTry(t *testing.T) {
	h := captured()
	h.fails = errors.New("connection refused")
	d := drive(t, h, 120, 40, requestEvents(3))
	inEditor(t, d, `sed -i.bak s/6.7/7.7/ "$2" && rm "$2.bak"`)
	d.keys("2", "e")
	d.await("not sent: connection refused")
	d.until("the draft", func(string) bool { return d.screen.panels[requestsPanel].(*requests).draft.id == 3 })
	h.mu.Lock()
	h.fails, h.sent = nil, nil
	h.mu.Unlock()
	inEditor(t, d, `sed -i.bak s/7.7/8.8/ "$2" && rm "$2.bak"`)
	d.keys("e")
	d.await("was sent with the new body")
	if got := string(h.sent[0].Request.Body); !strings.Contains(got, "8.8") {
		t.Errorf("it began with the old text: %s", got)
	}
}

func TestAnExportNeverOverwrites(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("request-3.json", []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := drive(t, captured(), 120, 40, requestEvents(3))
	d.keys("2", "x")
	d.await("export to request-3.json")
	d.keys("enter")
	d.await("is already there")
	d.keys("q", "backspace", "home", `"my-`, "enter") // q is a letter of the name
	d.await("exported to ")
	if kept, err := os.ReadFile("request-3.json"); err != nil || string(kept) != "mine" {
		t.Errorf("the file that was there is %q, %v", kept, err)
	}
	data, err := os.ReadFile("my-request-3.json")
	if err != nil || !strings.Contains(string(data), `"path": "/v1/models/iris-1:predict"`) {
		t.Errorf("the export is %s, %v", data, err)
	}
}

func TestBodiesAreSearchedByTheSession(t *testing.T) {
	d := drive(t, captured(), 120, 40, requestEvents(3))
	d.keys("2", "/", `"~b 6.7`, "enter")
	d.await("1/3")
	if list := rows(d.view()); len(list) != 1 || !strings.Contains(list[0], "3.00ms") {
		t.Errorf("it shows\n%s", strings.Join(list, "\n"))
	}
	d.keys("/", "backspace", "backspace", "backspace", `"zzz`, "enter")
	d.await("None of the 3 requests")
}

func TestABodySearchThatFailsSaysSo(t *testing.T) {
	d := drive(t, &hands{fails: errors.New("this session captures no exchanges")}, 120, 40, requestEvents(3))
	d.keys("2", "/", `"~b 6.7`, "enter")
	d.await("~b finds nothing: bodies cannot be")
}

// Rows that come while a search runs are looked at by the next one.
func TestRequestsThatComeAfterASearchAreSearchedByTheNext(t *testing.T) {
	h := captured()
	h.exchanges[4] = exchangeOfIris(4, `{"instances": [[6.7]]}`, irisAnswer("0.5"))
	d := drive(t, h, 120, 40, requestEvents(3))
	d.keys("2", "/", `"~b 6.7`, "enter")
	d.await("1/3")
	d.send(arrived(requestEvents(4)[12:]))
	d.await("2/4")
}

func TestScreensOfRequests(t *testing.T) {
	f := irisServed(4, 503, 1500*time.Millisecond)
	f.Held, f.Sent, f.FirstByte, f.Error = 1200*time.Millisecond, 0, 0, "queue full"
	grpc, code := irisServed(5, 200, 7*time.Millisecond), 14
	grpc.Path, grpc.GRPCStatus, grpc.BytesIn = "/caraml.upi.v1.UniversalPredictionService/PredictValues", &code, 5<<20
	events := append(requestEvents(3), iris(f, grpc)[9:]...)
	// A cell of a grid, and alone in a terminal of 80, 120 and 200 columns.
	for _, size := range []struct{ width, height int }{{58, 16}, {80, 19}, {120, 35}, {200, 55}} {
		t.Run(dimensions(size.width, size.height), func(t *testing.T) {
			d := drive(t, captured(), 80, 24, events)
			p := d.screen.panels[requestsPanel].(*requests)
			drawn := func() string {
				s := d.screen.scene()
				s.focused = true
				return strings.Join(s.block(p.draw(s, size.width, size.height), size.width, size.height), "\n")
			}
			drawn() // the statuses' width is known from here on
			golden(t, "requests-list-"+dimensions(size.width, size.height), drawn())
			d.keys("2", "up", "up", "enter")
			d.until("the answer", func(string) bool { return p.view.exchange != nil })
			golden(t, "requests-detail-"+dimensions(size.width, size.height), drawn())
		})
	}
}

func TestAHostileExchangeIsDrawnAndNotObeyed(t *testing.T) {
	nasty := "\x1b]52;c;AAAA\x07\x1b[2J\u202egnp\x9b31m\xff\x00\r\nX: " + strings.Repeat("界", 300)
	f := irisServed(1, 500, time.Millisecond)
	f.Path, f.Error = "/"+nasty, nasty
	x := event.Exchange{Served: f, Query: "?" + nasty}
	for _, kind := range []string{"application/json", "text/plain", "application/grpc", "application/octet-stream"} {
		x.Request = event.Message{Header: []event.Field{{Name: nasty, Value: nasty}, {Name: "content-type", Value: kind}}, Body: []byte(`{"` + nasty + `": "` + nasty), Size: 1 << 40, Cut: nasty}
		x.Answer = x.Request
		for _, width := range []int{60, 80, 120, 200} {
			d := drive(t, &hands{exchanges: map[uint64]event.Exchange{1: x}}, width, 40, iris(f))
			d.keys("2")
			raw := d.screen.View()
			d.keys("enter")
			p := d.screen.panels[requestsPanel].(*requests)
			d.until("the exchange", func(string) bool { return p.view.exchange != nil })
			for range 8 {
				raw += d.screen.View()
				d.view()
				d.keys(" ")
			}
			obeyed := func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || r == 0x202e) }
			if at := strings.IndexFunc(raw, obeyed); at >= 0 || !utf8.ValidString(raw) {
				at = max(at, 0)
				t.Errorf("%s at %d: the terminal is given %q", kind, width, raw[at:min(at+40, len(raw))])
			}
		}
	}
}

func TestTheControllerIsAskedOutsideOfUpdate(t *testing.T) {
	h := &slow{hands: captured(), free: make(chan struct{})}
	d := drive(t, h, 120, 40, requestEvents(3))
	d.keys("2", "enter")
	d.await("asking for what was captured")
	close(h.free)
	d.await("REQUEST")
}

// slow answers when it is let.
type slow struct {
	*hands
	free chan struct{}
}

func (s *slow) Exchange(ctx context.Context, id uint64) (event.Exchange, error) {
	select {
	case <-s.free:
	case <-ctx.Done():
	}
	return s.hands.Exchange(ctx, id)
}

// BenchmarkFrameOfRequestsUnderLoad is a frame at 5,000 requests a second and 15 frames: so
// many new requests, and the screen. Fifteen times that is what the screen costs of a core
// each second.
func BenchmarkFrameOfRequestsUnderLoad(b *testing.B) {
	for _, size := range []struct{ width, height int }{{80, 24}, {120, 40}, {200, 60}} {
		b.Run(dimensions(size.width, size.height), func(b *testing.B) {
			d := drive(&testing.T{}, &hands{}, size.width, size.height, requestEvents(20_000))
			d.screen.theme = newTheme(termenv.ANSI, false)
			d.screen.Update(keyMsg("2"))
			batch := requestEvents(333)[9:]
			for b.Loop() {
				d.screen.Update(arrived(batch))
				d.screen.View()
			}
		})
	}
}
