package check

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	clients      = 8
	loadRequests = 200
	loadLimit    = 6 * time.Second
	sampleLimit  = 5 * time.Second // an Engine samples once a second
	mostTold     = 3               // of what went wrong
	slow         = 2 * time.Second // for a prediction: then one request has to do
)

// load sends good requests at once, after each has been answered alone.
func (o *observer) load(ctx context.Context) {
	o.Load = &Load{AtOnce: o.atOnce(clients), Compared: true}
	all := variants(o.Request, lists(&o.Subject))
	var alone []Answer
	var asked [][]byte
	for i, request := range all {
		once := o.caller.predict(ctx, request)
		if once.Took > slow {
			alone, asked = append(alone, once), append(asked, request)
			break
		}
		twice := o.caller.predict(ctx, request)
		if i > 0 && once.Reply != Accepted { // not every model takes a single one
			continue
		}
		o.Load.Compared = o.Load.Compared && same(once, twice)
		alone, asked = append(alone, once), append(asked, request)
	}
	o.Load.Variants = len(asked)
	exits := len(o.life.now().exits)
	o.rush(ctx, asked, alone)
	known := o.life.now()
	if len(o.Load.Failed) > 0 {
		o.Load.Ended = o.mourn(ctx, exits)
	}
	o.life.await(ctx, sampleLimit, func(f facts) bool { return f.samples > known.samples || len(f.exits) > 0 || o.OnHost })
	known = o.life.now()
	o.Load.Peak, o.Load.Limit, o.Load.OOMKills = known.peak, known.limit, known.oomKills
}

// rush sends the requests in turn from several clients and compares the answers.
func (o *observer) rush(ctx context.Context, asked [][]byte, alone []Answer) {
	begun := time.Now()
	var mu sync.Mutex
	next := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		n := o.Load.Requests
		if n >= loadRequests || ctx.Err() != nil || n >= o.Load.AtOnce && time.Since(begun) > loadLimit {
			return 0, false
		}
		o.Load.Requests++
		return n % len(asked), true
	}
	var all sync.WaitGroup
	for range o.Load.AtOnce {
		all.Go(func() {
			for {
				i, more := next()
				if !more {
					return
				}
				answer := o.caller.predict(ctx, asked[i])
				mu.Lock()
				o.Load.note(answer, alone[i])
				mu.Unlock()
			}
		})
	}
	all.Wait()
	o.Load.Took = time.Since(begun)
}

// note takes an answer in, beside that of the same request alone.
func (l *Load) note(answer, alone Answer) {
	var list *[]string
	var text string
	switch {
	case answer.Reply != Accepted:
		list, text = &l.Failed, answer.String()
	case l.Compared && !same(answer, alone):
		list, text = &l.Wrong, fmt.Sprintf("%s instead of %s", clip(string(answer.Body)), clip(string(alone.Body)))
	default:
		return
	}
	l.Bad++
	if len(*list) < mostTold {
		*list = append(*list, text)
	}
}
