package tui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// replay is a driver of a screen on a recording of these events.
func replay(t *testing.T, events []event.Event, more string) *driver {
	t.Helper()
	var text bytes.Buffer
	for _, e := range events {
		if err := json.NewEncoder(&text).Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	text.WriteString(more)
	r, err := session.OpenRecording(bytes.NewReader(text.Bytes()), int64(text.Len()), func(e event.Event) bool { return prose.Happening(e) != "" })
	if err != nil {
		t.Fatal(err)
	}
	d := driveScreen(t, newScreen(Options{Recording: r, Profile: termenv.Ascii, Now: time.Now}), 120, 40)
	return d
}

// settled waits until the screen shows the place that the keys led to.
func (d *driver) settled() string {
	d.Helper()
	return d.until("the place that the keys led to", func(string) bool { return d.screen.player.place == d.screen.player.target })
}

func TestARecordingOpensAtItsEndAndIsSteppedThrough(t *testing.T) {
	events := crashed()
	d := replay(t, events, "")
	n := len(events)
	d.await(fmt.Sprintf("RECORDING 03:04:46 +41s %d/%d", n, n))
	d.keys("3", "z")
	d.golden("recording-end")
	d.await("ticked")
	d.keys(",") // the second container's start
	d.await("03:04:36 +31s")
	view := d.until("the first container's log alone", func(view string) bool { return !strings.Contains(view, "cache is cold") })
	if !strings.Contains(view, "ba9876543210 of revision 1 begins") || strings.Contains(view, "ticked") {
		t.Errorf("the logs are not those of then:\n%s", view)
	}
	d.keys(",")
	d.until("before the second container", func(view string) bool { return !strings.Contains(view, "ba9876543210") })
	d.await("abcde exited with code 3")
	d.keys(".")
	d.await("ba9876543210 of revision 1 begins")
	d.keys("<")
	d.await("03:04:26 +21s")
	d.keys(">")
	d.await("03:04:36 +31s")
	d.keys("home")
	d.await("+0s 0/")
	d.await("nothing has happened yet")
	d.keys("<")
	d.await("+0s 0/")
	d.keys("end")
	d.await("ticked")
	d.keys(">", ".")
	d.await(fmt.Sprintf("+41s %d/%d", n, n))
	d.keys("R", "B", "S") // nothing can be done to what is over
	d.keys("?")
	d.await("happening before")
	d.keys("esc", ":", `"10 seconds back`, "enter")
	d.await("03:04:36 +31s")
	d.keys("q")
	d.until("quit", func(string) bool { return d.quit })
}

func TestKeysOnARecordingAreTextWhileSomethingIsTyped(t *testing.T) {
	d := replay(t, crashed(), "")
	d.keys("3", "s", `"a,b.c <`)
	d.await("search a,b.c <")
	d.await("+41s")
}

func TestARecordingPlaysAtItsPace(t *testing.T) {
	d := replay(t, crashed(), "")
	d.keys("home", "3")
	d.settled()
	d.keys(" ")
	d.await("PLAYING")
	p := d.screen.player
	begun := time.Now()
	d.send(played{p.playing, begun})
	d.send(played{p.playing, begun.Add(10 * time.Second)}) // as if so long had passed
	if view := d.settled(); !strings.Contains(view, "Collecting scikit-learn") || strings.Contains(view, "model loaded") {
		t.Errorf("it did not play 10 seconds:\n%s", view)
	}
	d.send(played{p.playing - 1, begun.Add(time.Hour)}) // of a playing that was stopped
	d.keys(" ")
	d.await("RECORDING")
	d.keys(" ")
	d.send(played{p.playing, begun})
	d.send(played{p.playing, begun.Add(time.Hour)})
	d.await("RECORDING 03:04:46")
}

func TestWhatOfARecordingCannotBeReadIsSaid(t *testing.T) {
	d := replay(t, crashed(), `{"seq":99,"ti`)
	d.await(fmt.Sprintf("line %d cannot be read", len(crashed())+1))
	d.keys("3")
	d.await("exit status 2")
}

func TestKeysThatComeFastLeadToTheLast(t *testing.T) {
	d := replay(t, crashed(), "")
	d.keys(",", ",", ",", "<", ">", "home", ".", ".", ".", ".", "end", ",", ",")
	d.await("03:04:35 +30s")
	d.settled()
	d.keys("3")
	if view := d.view(); !strings.Contains(view, "exited with code 3") || strings.Contains(view, "ba98") {
		t.Errorf("it shows another place:\n%s", view)
	}
}

func TestEveryPanelFollowsARecordingThatIsWoundBack(t *testing.T) {
	var facts []event.Fact
	for i := range 60 {
		facts = append(
			facts,
			event.Served{ID: uint64(i + 1), Method: "POST", Path: fmt.Sprintf("/v1/%d", i), Status: 200, Took: time.Millisecond},
			event.Exchange{Served: event.Served{ID: uint64(i + 1), Method: "POST", Path: fmt.Sprintf("/v1/%d", i), Status: 200}, Answer: event.Message{Body: []byte(fmt.Sprintf("answer number %d", i)), Size: 16}},
			event.Traffic{Requests: uint64(i + 1), Rate: 1},
			written(firstContainer, fmt.Sprintf("line %d", i)),
			event.Scraped{Pod: "abcde", Source: event.MetricsScraped, At: time.Unix(int64(i), 0), Series: 1, Families: []event.Family{{Name: "n_total", Type: event.Counter, Series: []event.Series{{Value: event.Number(i)}}}}},
			event.Notice{Level: event.NoticeInfo, Text: fmt.Sprintf("notice %d", i)},
		)
	}
	d := replay(t, iris(facts...), "")
	d.keys("2", "z")
	d.await("/v1/59")
	d.keys("enter")
	d.await("answer number 59")
	d.keys("esc", "/", `"~b 'number 41'`, "enter")
	d.await("1/60")
	d.keys("enter")
	d.await("answer number 41")
	d.keys("esc", "esc", "k", "k")
	for _, key := range []string{"<", ",", "home", ".", ".", ">", ">", ">", "<", "end", "<", "<", "<", ","} {
		d.keys(key)
		d.settled()
		for _, panel := range []string{"1", "2", "k", "3", "k", "4", "5", "6", "2", "enter", "esc"} {
			d.keys(panel)
			d.view()
		}
	}
	n := d.screen.player.place
	d.keys("3", "G")
	want := 0
	for _, e := range iris(facts...)[:n] {
		if _, is := e.Fact.(event.Log); is {
			want++
		}
	}
	if want == 0 || want == 60 {
		t.Fatalf("the place is no place in between: %d", n)
	}
	d.await(fmt.Sprintf("line %d ", want-1))
	if view := d.view(); strings.Contains(view, fmt.Sprintf("line %d ", want)) {
		t.Errorf("a line of later is shown:\n%s", view)
	}
	d.keys("2", "G", "enter")
	d.await("answer number")
}
