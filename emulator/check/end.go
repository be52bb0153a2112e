package check

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

const (
	// running are the requests that run at SIGTERM.
	running = 3
	// closes is how long a model may take, after SIGTERM, to take no more connections;
	// the requests that run are held until then.
	closes = time.Second
	// endSlack is what the report of an end may take.
	endSlack = 15 * time.Second
)

// end has the model ended while requests run, and sees what becomes of both.
func (o *observer) end(ctx context.Context) {
	if !o.lives(ctx) {
		return
	}
	o.End = &End{}
	exits := len(o.life.now().exits)
	finishes := o.underway(ctx)
	begun := time.Now()
	o.life.running.Stop()
	o.closed(ctx, exits)
	for _, finish := range finishes {
		o.End.note(finish(ctx))
	}
	known, ended := o.life.await(ctx, o.Grace+endSlack, func(f facts) bool { return len(f.exits) > exits })
	o.End.Took = time.Since(begun)
	if ended || len(known.exits) > exits {
		exit := known.exits[len(known.exits)-1]
		o.End.Exit = &exit
	}
	known, _ = o.life.await(ctx, endSlack, func(f facts) bool { return f.over })
	for _, t := range known.ends {
		o.End.Killed = o.End.Killed || t.Killed
	}
}

// underway begins requests, and holds their ends back.
func (o *observer) underway(ctx context.Context) (finishes []func(context.Context) Answer) {
	if o.Request == nil || !o.answers() {
		o.End.Unasked = "there is no request that it answers"
		if o.Request == nil {
			o.End.Unasked = o.noRequest()
		}
		return nil
	}
	for range o.atOnce(running) {
		finish, err := o.caller.begin(ctx, o.Request)
		if err != nil {
			o.End.Unasked = "no request could be begun: " + err.Error()
			continue
		}
		finishes = append(finishes, finish)
	}
	return finishes
}

// note counts a request that ran at SIGTERM.
func (e *End) note(a Answer) {
	if a.Reply == Accepted {
		e.Finished++
		return
	}
	e.Cut++
	e.Why = a.String()
}

// closed waits until the model has heard of its end: it takes no more connections, or
// has ended. One that goes on taking them is given some time.
func (o *observer) closed(ctx context.Context, exits int) {
	ctx, cancel := context.WithTimeout(ctx, closes)
	defer cancel()
	tick := time.NewTicker(again / 4)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", o.at.String())
		if err != nil || len(o.life.now().exits) > exits {
			return
		}
		_ = conn.Close()
	}
}

// describe tells how a container ended.
func describe(e event.Exited) string {
	text := fmt.Sprintf("exit code %d", e.Code)
	switch {
	case e.OOMKilled:
		text += ", killed for its memory limit"
	case e.Signal != "":
		text += ", " + e.Signal
	case e.Error != "":
		text += ": " + clip(e.Error)
	}
	if n := len(e.LastLogs); n > 0 {
		text += "; its last line: " + clip(e.LastLogs[n-1])
	}
	return text
}
