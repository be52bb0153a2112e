package check

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// Run checks one subject by the rules. What was found until ctx ended is judged all the
// same; its error is ctx's.
func Run(ctx context.Context, s Subject, launcher Launcher, rules []Rule) (Report, error) {
	begun := time.Now()
	o := &observer{Seen: &Seen{Subject: s}, launcher: launcher}
	for _, r := range rules {
		o.needs |= r.needs
	}
	o.observe(ctx)
	report := Report{Subject: s.ID, Protocol: s.Deployment.Protocol, Took: time.Since(begun)}
	if s.Image != nil {
		report.Image = s.Image.Reference
	}
	for _, r := range rules {
		result := r.result(o.Seen)
		result.Evidence, result.Fix = s.hide(result.Evidence), s.hide(result.Fix)
		report.Results = append(report.Results, result)
	}
	return report, ctx.Err()
}

// observer fills in what is seen, as far as the rules need it.
type observer struct {
	*Seen
	launcher Launcher
	needs    need

	life   *life
	caller caller
	at     netip.AddrPort // whom the caller asks
}

func (o *observer) wants(n need) bool { return o.needs&n != 0 }

// observe runs the model and asks it. What is measured comes first and alone; the other
// variations run beside what does not mind.
func (o *observer) observe(ctx context.Context) {
	if o.needs == 0 {
		return
	}
	switch {
	case o.Image != nil && o.Image.Unfit != "":
		o.Missing = "its image cannot run here: " + o.Image.Unfit
		return
	case o.hasNoCommand():
		o.Missing = "there is nothing to start: see image-command"
		return
	}
	ctx, done := context.WithCancel(ctx)
	o.life = follow(ctx, o.launcher.Launch(ctx, Variation{}))
	defer func() { done(); <-o.life.done }()
	o.Main = o.life.start(ctx, o.Deadline)
	if !o.Main.Ready {
		o.Missing = "it never became ready"
		return
	}
	if !o.asks() {
		return
	}
	defer func() { o.caller.close() }()
	o.first(ctx)
	if o.wants(needsIdle) {
		o.idle(ctx)
	}
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(func() { o.others(ctx) })
	o.requests(ctx)
	if o.wants(needsEnd) {
		o.end(ctx)
	}
}

// requests are all that a model must bear, the harmless first.
func (o *observer) requests(ctx context.Context) {
	if o.wants(needsContract) && o.lives(ctx) {
		o.Contract = o.caller.contract(ctx, &o.Subject, o.First.last())
	}
	if o.wants(needsLoad) && o.answers() && o.lives(ctx) {
		o.load(ctx)
	}
	if o.wants(needsBad) {
		o.bad(ctx)
	}
}

// asks makes a caller for the container that runs now; false where there can be none.
func (o *observer) asks() bool {
	at := o.life.now().address
	if at == o.at {
		return true
	}
	if o.caller != nil {
		o.caller.close()
	}
	asking, err := newCaller(&o.Subject, o.Deployment.FullName(), at)
	if err != nil {
		o.Missing = "it cannot be asked: " + err.Error()
		return false
	}
	o.caller, o.at = asking, at
	return true
}

// The variation of ports and name: numbers that nobody would write down.
const (
	otherHTTP, otherGRPC = 18231, 19231
	otherRevision        = 7
	otherUser            = "64321:64321"
)

// others runs the model in its variations, beside each other.
func (o *observer) others(ctx context.Context) {
	o.Other = Variation{HTTPPort: otherHTTP, GRPCPort: otherGRPC, Revision: otherRevision}
	if o.OnHost {
		o.Other = Variation{Revision: otherRevision} // its ports are other ones anyway
	}
	var all sync.WaitGroup
	if o.wants(needsRenamed) {
		all.Go(func() { o.Renamed = o.brief(ctx, o.Other) })
	}
	if o.wants(needsOtherUser) && !o.OnHost {
		all.Go(func() {
			o.User = otherUser
			o.OtherUser = o.brief(ctx, Variation{User: otherUser})
		})
	}
	all.Wait()
}

// briefSlack is what a variation may take beyond a few times of what the model itself took.
const briefSlack = 15 * time.Second

// brief runs a variation until it is ready, or will not be.
func (o *observer) brief(ctx context.Context, v Variation) *Start {
	ctx, cancel := context.WithCancel(ctx)
	l := follow(ctx, o.launcher.Launch(ctx, v))
	start := l.start(ctx, min(o.Deadline, 4*o.Main.Took+briefSlack))
	interrupted := ctx.Err() != nil
	cancel()
	<-l.done
	if interrupted {
		return nil
	}
	return start
}

// renamed is the full name in the other variation.
func (s *Seen) renamed() string {
	d := s.Deployment
	d.Revision = otherRevision
	return d.FullName()
}

// productionPorts are production's, as a variation that changes nothing.
func productionPorts() Variation {
	p := merlin.Production()
	return Variation{HTTPPort: p.HTTPPort, GRPCPort: p.GRPCPort}
}
