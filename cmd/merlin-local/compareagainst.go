package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

// rival is one of two that are asked side by side.
type rival struct {
	client *replay.Steady
	aim    func(event.Exchange) (event.Exchange, error)
}

// sideBySide asks what --against names, and the running model or this repo's own.
func (q *comparing) sideBySide(ctx context.Context) error {
	file, err := (&modelFlags{}).load(q.c, q.location)
	if err != nil {
		return err
	}
	if q.hide, err = hidingOf(file); err != nil { // secrets have their values then
		return err
	}
	return q.withOther(ctx, file, func(ctx context.Context, other *rival) error {
		return q.withOwn(ctx, file, func(ctx context.Context, own *rival) error { return q.ask(ctx, other, own) })
	})
}

// withOther has what --against names be asked.
func (q *comparing) withOther(ctx context.Context, file *config.File, do func(context.Context, *rival) error) error {
	q.report.Was = "of " + q.against
	if strings.HasPrefix(q.against, "http://") || strings.HasPrefix(q.against, "https://") {
		target, err := (&replayCommand{location: q.location, to: q.against, model: q.model}).target(ctx)
		if err != nil {
			return err
		}
		return do(ctx, q.rivalAt(target))
	}
	model, err := pick(models(file), modelNamed(q.model))
	if err != nil {
		return err
	}
	image, err := q.image(ctx, model)
	if err != nil {
		return err
	}
	return q.aside(ctx, &aside{file: file, models: []*emulator.Model{withImage(model, image)}}, do)
}

func modelNamed(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

// withOwn has the running model be asked, or where none runs this repo's own.
func (q *comparing) withOwn(ctx context.Context, file *config.File, do func(context.Context, *rival) error) error {
	target, err := (&replayCommand{location: q.location, model: q.model}).target(ctx)
	if err == nil {
		q.report.Is = "of " + target.base.String()
		return do(ctx, q.rivalAt(target))
	}
	if !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	model, err := pick(models(file), modelNamed(q.model))
	if err != nil {
		return err
	}
	q.report.Is = "of this repo's own image, as nothing runs here"
	return q.aside(ctx, &aside{file: file, models: []*emulator.Model{model}, second: true}, do)
}

func (q *comparing) rivalAt(t *replayTarget) *rival {
	return &rival{replay.NewSteady(t.base), t.aim}
}

// aside runs a model beside whatever runs.
func (q *comparing) aside(ctx context.Context, a *aside, do func(context.Context, *rival) error) error {
	a.engineOptions, a.progress, a.deadline = q.engineOptions, q.c.ErrOrStderr(), q.deadline
	return a.use(ctx, func(ctx context.Context, state *session.State) error {
		return do(ctx, q.rivalAt(&replayTarget{base: &url.URL{Scheme: "http", Host: state.Address}, aim: aimerAt(state).Aim}))
	})
}

var localRevision = regexp.MustCompile(`^r([1-9][0-9]{0,8})$`)

// image is the one that --against names. A revision's is named by its id: its tag may move.
func (q *comparing) image(ctx context.Context, m *emulator.Model) (string, error) {
	found := localRevision.FindStringSubmatch(q.against)
	if found == nil {
		return q.against, nil
	}
	runtime, err := docker.Connect(ctx, docker.Options{Session: "compare", Reach: docker.Reach(q.reach)})
	if err != nil {
		return "", err
	}
	defer runtime.Close()
	have, err := runtime.Revisions(ctx, m)
	if err != nil {
		return "", err
	}
	number, _ := strconv.Atoi(found[1]) // they are digits, and few
	if id, there := have[number]; there {
		return id, nil
	}
	if len(have) == 0 {
		return "", usageError{fmt.Errorf("--against %s: there is no image of a revision of %s: `merlin-local up` makes them, and the last two stay", q.against, m.ID())}
	}
	return "", usageError{fmt.Errorf("--against %s: its image is not there, as older ones are removed: there is %s", q.against, docker.RevisionNames(have))}
}

// ask sends each request to both, now to the one and now to the other first, so that whatever else
// happens on this machine slows both.
func (q *comparing) ask(ctx context.Context, other, own *rival) error {
	defer other.client.Close()
	defer own.client.Close()
	nth := 0
	for x, err := range q.source.requests() {
		if err != nil {
			return fmt.Errorf("%s: %w", q.source.name, err)
		}
		if nth++; ctx.Err() != nil || q.limit > 0 && nth > q.limit {
			return context.Cause(ctx)
		}
		q.both(ctx, nth, x, [2]*rival{other, own})
	}
	return nil
}

// both compares the answers to one request.
func (q *comparing) both(ctx context.Context, nth int, x event.Exchange, rivals [2]*rival) {
	var answers [2]event.Exchange
	for turn := range rivals {
		i := (turn + nth) % 2
		var err error
		if answers[i], err = q.send(ctx, rivals[i], x); err != nil {
			var unsendable replay.Unsendable
			errors.As(err, &unsendable)
			q.report.skip(unsendable.Kind, 1)
			return
		}
	}
	was, is := q.hide(answers[0]), q.hide(answers[1])
	was.Model = is.Model // whose rules count
	switch {
	case ctx.Err() != nil:
		return
	case was.Error != "" && is.Error != "":
		q.report.skip("no answer of either: "+is.Error, 1)
		return
	case nth > 1: // the first of each waits for its connection, and warms up
		q.report.took(was.Took, is.Took)
	}
	q.report.add(compared{nth, was, q.rules.answers(was, is)})
}

// send asks one of the two. It is an error only where nothing could be sent.
func (q *comparing) send(ctx context.Context, r *rival, x event.Exchange) (event.Exchange, error) {
	aimed, err := r.aim(x)
	if err != nil {
		return x, err
	}
	if q.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, q.timeout)
		defer cancel()
	}
	is, err := r.client.Send(ctx, aimed)
	var unsendable replay.Unsendable
	if errors.As(err, &unsendable) {
		return is, err
	}
	is.ID, is.Model = x.ID, aimed.Model
	return is, nil
}
