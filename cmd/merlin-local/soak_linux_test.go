package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// soakVariable says for how long: `make soak` sets it to half an hour.
const soakVariable = "MERLIN_LOCAL_SOAK"

// TestScreenSoak presses random keys and resizes the terminal at random, under load, and
// then looks at the program: it lives, no frame was garbage, and its memory is flat.
func TestScreenSoak(t *testing.T) {
	lasts, err := time.ParseDuration(os.Getenv(soakVariable))
	if err != nil {
		t.Skipf("SKIPPED: it takes half an hour: `make soak`, or %s=5m", soakVariable)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	l := sample(t, "iris-http-go")
	term := newTmux(l, 120, 40)
	term.shell("merlin-local up --runtime process --port 0")
	term.await("iris-1 READY")
	pid := l.session.Owner().PID
	url := "http://" + l.status().Address + "/v1/models/iris-1:predict"
	body, err := os.ReadFile(l.repo + "/" + exampleName)
	check(t, err)
	ctx, stop := context.WithTimeout(t.Context(), lasts)
	defer stop()
	loaded := make(chan struct{})
	go func() { // 200 a second, each hundredth one refused
		defer close(loaded)
		for n := 0; ctx.Err() == nil; n++ {
			loadFor(ctx, url, string(body), 200, 5*time.Second)
			loadFor(ctx, url, "{", 2, time.Second)
		}
	}()

	// Not q, nor ctrl+c: they end it. x and e ask, or open an editor.
	letters := strings.Split("1234561234561234zzZjkhlgGnNrpmcywfstJRSB[]/:?,. ", "")
	names := []string{"Enter", "Enter", "Escape", "Escape", "Escape", "Up", "Down", "Left", "Right", "PageUp", "PageDown", "Home", "End", "Tab", "BTab"}
	var memory []float64
	began, sampled := time.Now(), time.Now()
	for ctx.Err() == nil {
		switch random.IntN(20) {
		case 0:
			term.resize(20+random.IntN(220), 5+random.IntN(70))
		case 1, 2, 3, 4, 5, 6, 7, 8:
			name := names[random.IntN(len(names))]
			term.keys(name)
			if name == "Enter" { // in the palette it may have chosen the end, which asks
				time.Sleep(300 * time.Millisecond)
				if strings.Contains(term.screen(), "and its containers?") {
					term.keys("Escape")
				}
			}
		default:
			key := letters[random.IntN(len(letters))]
			term.keys("text:" + key)
		}
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		if time.Since(sampled) > 5*time.Second {
			sampled = time.Now()
			memory = append(memory, memoryOf(t, pid))
			sane(t, term)
			if len(memory)%24 == 0 {
				t.Logf("after %s: %.1f MiB", time.Since(began).Round(time.Second), memory[len(memory)-1])
			}
		}
	}
	<-loaded
	term.resize(120, 40)
	term.keys("Escape", "Escape", "Escape", "Escape", "1")
	term.await("iris-1 READY")
	n := len(memory)
	if n < 8 {
		t.Fatalf("only %d samples of memory", n)
	}
	second, last := most(memory[n/4:n/2]), most(memory[3*n/4:])
	t.Logf("memory: at most %.1f MiB in the second quarter, %.1f MiB in the last", second, last)
	if last > 1.25*second+8 {
		t.Errorf("memory grows: from %.1f MiB in the second quarter to %.1f MiB in the last", second, last)
	}
	term.keys("q", "y")
	term.await("iris-1  revision", "requests")
	term.prompt()
}

// sane fails where the terminal shows what no frame has: a panic's words, or bytes of a
// sequence that was torn.
func sane(t *testing.T, term *tmux) {
	t.Helper()
	screen := term.screen()
	for _, garbage := range []string{"panic:", "goroutine ", "[?25", "[38;5", "\ufffd", "runtime error"} {
		if strings.Contains(screen, garbage) {
			t.Errorf("the terminal shows %q:\n%s", garbage, screen)
		}
	}
}

func most(values []float64) (high float64) {
	for _, v := range values {
		high = max(high, v)
	}
	return high
}

// memoryOf is a process's resident memory in MiB.
func memoryOf(t testing.TB, pid int) float64 {
	t.Helper()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	check(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	check(t, err)
	return float64(pages*os.Getpagesize()) / (1 << 20)
}
