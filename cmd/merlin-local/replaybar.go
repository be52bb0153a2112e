package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/schollz/progressbar/v3"

	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

// replayBar is the progress of a replay, on a terminal.
type replayBar struct {
	bar   *progressbar.ProgressBar // nil where there is no terminal
	begun time.Time
	shown time.Time
	most  int64 // -1 where it is not known
	done  func(replay.Progress) int64
}

// barPause is how often the bar is drawn at most.
const barPause = 100 * time.Millisecond

// newBar makes a bar of what is known to end: the time, the number, or the file.
func (r *replayCommand) newBar(w io.Writer, source *requestSource, o replay.Options) *replayBar {
	b := &replayBar{begun: time.Now()}
	file, is := w.(*os.File)
	if !is || !term.IsTerminal(file.Fd()) || os.Getenv("TERM") == "dumb" {
		return b
	}
	b.most = -1
	loops := int64(max(o.Loops, 1))
	switch {
	case o.Duration > 0:
		b.most, b.done = o.Duration.Milliseconds(), func(replay.Progress) int64 { return time.Since(b.begun).Milliseconds() }
	case o.Limit > 0:
		b.most, b.done = int64(o.Limit)*loops, func(p replay.Progress) int64 { return int64(p.Ended) }
	case source.size > 0:
		b.most = source.size * loops
		b.done = func(p replay.Progress) int64 {
			if p.PerLoop > 0 {
				return b.most / loops * int64(p.Ended) / int64(p.PerLoop)
			}
			return source.read.Load()
		}
	default:
		b.done = func(p replay.Progress) int64 { return int64(p.Ended) }
	}
	b.bar = progressbar.NewOptions64(b.most, progressbar.OptionSetWriter(file), progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(true),
		progressbar.OptionSpinnerType(14))
	return b
}

// show tells how far it is.
func (b *replayBar) show(p replay.Progress) {
	if b.bar == nil || time.Since(b.shown) < barPause {
		return
	}
	b.shown = time.Now()
	text := fmt.Sprintf("%d sent, %d answered", p.Sent, p.Ended-p.Failed)
	if p.Failed > 0 {
		text += fmt.Sprintf(", %d failed", p.Failed)
	}
	if p.Differs > 0 {
		text += fmt.Sprintf(", %d differ", p.Differs)
	}
	b.bar.Describe(text)
	done := b.done(p)
	if b.most > 0 {
		done = min(done, b.most-1) // its end is the replay's
	}
	_ = b.bar.Set64(done)
}

// clear takes the bar away.
func (b *replayBar) clear() {
	if b.bar != nil {
		_ = b.bar.Finish()
		_ = b.bar.Clear()
	}
}
