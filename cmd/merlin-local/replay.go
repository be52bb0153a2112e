package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

// replayCommand sends a recording's requests again.
type replayCommand struct {
	*location
	answerRules
	to, model   string
	keepHost    bool
	rate, speed float64
	concurrency int
	loops       int
	limit       int
	duration    time.Duration
	timeout     time.Duration
	noCompare   bool
	output      string
	report      string
}

func newReplay(where *location) *cobra.Command {
	r := &replayCommand{location: where}
	c := &cobra.Command{
		Use:   "replay FILE",
		Short: "Send a recording's requests again, and tell whether the answers are as recorded",
		Long: `Send the requests of a recording again, to this repo's running session or to any URL,
and compare the answers with the recorded ones. FILE is a recording, or another file that
import reads; - is standard input.

Without more flags one request is sent after the other, as they were recorded.
  --concurrency N   N at a time, each as soon as there is room
  --speed 1         at the recorded pace; 2 is twice as fast, 0.5 half as fast
  --rate 2000       2,000 a second
With --speed and --rate the time at which a request is sent does not depend on the answers,
and its latency counts from that time: a slow model cannot hide how long its callers wait.

The exit code is 0 where every answer is as recorded, by status and body and by the compare section
of merlin-local.yaml; of a request without a recorded answer, and with --no-compare, where it is below
500. It is 1 else.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return r.run(c, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&r.to, "to", "", "send to this http or https URL, its path in front, instead of to the session")
	f.BoolVar(&r.keepHost, "keep-host", false, "with --to, send the recorded Host header and not the URL's")
	f.StringVar(&r.model, "model", "", "the model to ask, in host and path; with --to, the name to put into the path")
	f.Float64Var(&r.rate, "rate", 0, "send so many requests a second")
	f.Float64Var(&r.speed, "speed", 0, "send at the recorded pace, so many times as fast")
	f.IntVar(&r.concurrency, "concurrency", 0, "requests under way at most (default 1; 1000 with --rate or --speed, where those beyond wait, which is told)")
	f.IntVar(&r.loops, "loops", 0, "replay the file so many times (default 1, or until --duration is over)")
	f.IntVar(&r.limit, "limit", 0, "replay only the first N requests of the file")
	f.DurationVar(&r.duration, "duration", 0, "send for so long, in loops where --loops does not say how many")
	f.DurationVar(&r.timeout, "timeout", 5*time.Minute, "how long to wait for an answer")
	f.BoolVar(&r.noCompare, "no-compare", false, "compare no answers")
	f.StringVarP(&r.output, "output", "o", outputText, "what to print: text, json or junit")
	f.StringVar(&r.report, "report", "", "write a report to this new file too: .json, or .xml for JUnit")
	r.answerRules.flags(f)
	return c
}

// check finds what makes no sense in the flags.
func (r *replayCommand) check(file string) error {
	switch {
	case !(r.rate >= 0) || !(r.speed >= 0) || r.concurrency < 0 || r.loops < 0 || r.limit < 0 || r.duration < 0 || r.timeout < 0:
		return usageError{errors.New("--rate, --speed, --concurrency, --loops, --limit, --duration and --timeout are numbers from 0 on")}
	case r.rate > 0 && r.speed > 0:
		return usageError{errors.New("--rate and --speed: give one of them")}
	case r.rate > maxRate:
		return usageError{fmt.Errorf("--rate %g: it is at most %d", r.rate, maxRate)}
	case r.keepHost && r.to == "":
		return usageError{errors.New("--keep-host goes with --to: to the session, a recorded host that it knows is kept anyway")}
	case file == "-" && r.loops > 1:
		return usageError{errors.New("--loops: standard input cannot be read again: put it into a file")}
	}
	_, err := reportForm(r.report)
	return errors.Join(err, checkOutput(r.output))
}

// maxRate is far beyond what one machine sends.
const maxRate = 1_000_000

func (r *replayCommand) run(c *cobra.Command, name string) error {
	if err := r.check(name); err != nil {
		return err
	}
	rules, err := r.rules(c, r.location)
	if err != nil {
		return err
	}
	hide, err := r.hiding(c)
	if err != nil {
		return err
	}
	source, err := findRequests(r.named(name), c.InOrStdin())
	if err != nil {
		return err
	}
	defer source.close()
	ctx, _, stop := interruptible(c.Context())
	defer stop()
	defer context.AfterFunc(ctx, source.close)() // a read of standard input would not end
	target, err := r.target(ctx)
	if err != nil {
		return err
	}
	file, err := r.openReport()
	if err != nil {
		return err
	}
	report := r.send(ctx, c.ErrOrStderr(), sending{source, target, rules, hide})
	if err := r.tell(c.OutOrStdout(), file, report); err != nil {
		return err
	}
	return report.err()
}

// hiding is what hides secrets in what is printed of answers: nothing where nothing is.
func (r *replayCommand) hiding(c *cobra.Command) (func(event.Exchange) event.Exchange, error) {
	if r.noCompare {
		return nil, nil
	}
	return hidingOfRepo(c, r.location)
}

// sending is what a replay is made of, besides the flags.
type sending struct {
	source *requestSource
	target *replayTarget
	rules  rulesOfModels
	hide   func(event.Exchange) event.Exchange // what a new answer has of secrets
}

// send replays, with a bar of progress on a terminal.
func (r *replayCommand) send(ctx context.Context, terminal io.Writer, s sending) *replayReport {
	o := r.options(s)
	client := replay.NewClient(s.target.base, o.Concurrency)
	defer client.Close()
	report := r.newReport(s, o)
	bar := r.newBar(terminal, s.source, o)
	o.Send = client.Send
	if o.Concurrency == 1 {
		o.Send = (&replay.Steady{Client: client}).Send
	}
	o.Each = func(outcome replay.Outcome, p replay.Progress) {
		report.note(outcome)
		bar.show(p)
	}
	summary, err := replay.Run(ctx, o)
	bar.clear()
	report.finish(summary, err, s.target.aimer.Decisions())
	return report
}

func (r *replayCommand) options(s sending) replay.Options {
	o := replay.Options{
		Requests: s.source.requests, Stop: s.source.close, Aim: s.target.aim,
		Pace:        replay.Pace{Rate: r.rate, Speed: r.speed},
		Concurrency: r.concurrency, Loops: r.loops, Limit: r.limit, Duration: r.duration, Timeout: r.timeout,
	}
	if s.source.once && o.Loops == 0 {
		o.Loops = 1
	}
	o.Concurrency = o.InFlight()
	if !r.noCompare {
		o.Compare = func(was, is event.Exchange) compare.Result {
			is.Request = event.Message{} // nobody looks at it
			return s.rules.answers(was, s.hide(is))
		}
	}
	return o
}
