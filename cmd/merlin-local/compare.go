package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

// compareCommand compares answers: with recorded ones, of two recordings, or side by side.
type compareCommand struct {
	*location
	answerRules
	engineOptions
	against  string
	model    string
	limit    int
	timeout  time.Duration
	deadline time.Duration
	output   string
}

func newCompare(where *location) *cobra.Command {
	p := &compareCommand{location: where}
	c := &cobra.Command{
		Use:   "compare FILE [FILE]",
		Short: "Tell how answers differ: from recorded ones, of two recordings, or of two images side by side",
		Long: `Tell how answers to the same requests differ, the worst first, by the compare section of
merlin-local.yaml.

  compare FILE                    replays FILE on the running model: the recorded answers against those of now
  compare FILE1 FILE2             two recordings: the answers to the requests that both have
  compare FILE --against IMAGE    sends each request to another image too, and to the running model, or
                                  where none runs to this repo's own
  compare FILE --against r3       the same with the image of local revision 3
  compare FILE --against URL      the same with what answers there

The exit code is 0 where nothing differs, and 1 where something does.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error { return p.run(c, args) },
	}
	f := c.Flags()
	f.StringVar(&p.against, "against", "", "an image, a local revision as r3, or a URL, to be asked side by side")
	f.StringVar(&p.model, "model", "", "the model to ask, whatever host and path say")
	f.IntVar(&p.limit, "limit", 0, "compare only the first N requests of the file")
	f.DurationVar(&p.timeout, "timeout", 5*time.Minute, "how long to wait for an answer")
	f.DurationVar(&p.deadline, "deployment-timeout", deploymentTimeout, "with --against, how long the other has to become ready")
	f.StringVarP(&p.output, "output", "o", outputText, "text or json")
	f.StringVar(&p.runtime, "runtime", "auto", "with --against, where the other runs: auto, docker or process")
	f.StringVar(&p.reach, "reach", "auto", "with --against, how its container is reached: auto, address, or published")
	p.answerRules.flags(f)
	return c
}

func (p *compareCommand) check(args []string) error {
	switch {
	case p.output != outputText && p.output != outputJSON:
		return usageError{fmt.Errorf("--output %s: it is text or json", p.output)}
	case p.limit < 0 || p.timeout < 0:
		return usageError{errors.New("--limit and --timeout are above 0")}
	case p.against != "" && len(args) == 2:
		return usageError{errors.New("--against goes with one file of requests")}
	case p.deadline <= 0:
		return usageError{fmt.Errorf("--deployment-timeout %s: it must be above 0", p.deadline)}
	}
	return nil
}

func (p *compareCommand) run(c *cobra.Command, args []string) error {
	if err := p.check(args); err != nil {
		return err
	}
	rules, err := p.rules(c, p.location)
	if err != nil {
		return err
	}
	source, err := findRequests(p.named(args[0]), c.InOrStdin())
	if err != nil {
		return err
	}
	defer source.close()
	ctx, _, stop := interruptible(c.Context())
	defer stop()
	defer context.AfterFunc(ctx, source.close)() // a read of standard input would not end
	q := &comparing{compareCommand: p, c: c, rules: rules, source: source, report: newComparison()}
	switch {
	case len(args) == 2:
		err = q.recordings(ctx, args[1])
	case p.against != "":
		err = q.sideBySide(ctx)
	default:
		err = q.withRecorded(ctx)
	}
	if err != nil && q.report.Requests == 0 {
		return err
	}
	q.report.finish(ctx, err)
	if err := q.report.write(c.OutOrStdout(), p.output); err != nil {
		return err
	}
	return q.report.err()
}

// comparing is one comparison.
type comparing struct {
	*compareCommand
	c      *cobra.Command
	rules  rulesOfModels
	source *requestSource
	report *comparison
	hide   func(event.Exchange) event.Exchange
}

// withRecorded replays the file on the running model.
func (q *comparing) withRecorded(ctx context.Context) (err error) {
	if q.hide, err = hidingOfRepo(q.c, q.location); err != nil {
		return err
	}
	target, err := (&replayCommand{location: q.location, model: q.model}).target(ctx)
	if err != nil {
		return err
	}
	client := replay.NewSteady(target.base)
	defer client.Close()
	q.report.Was, q.report.Is, q.report.finest = "as recorded in "+q.source.name, "of "+target.base.String(), finestRecorded
	summary, err := replay.Run(ctx, replay.Options{
		Requests: q.source.requests, Aim: target.aim, Send: client.Send, Concurrency: 1, Loops: 1, Limit: q.limit, Timeout: q.timeout,
		Compare: func(was, is event.Exchange) compare.Result { return q.rules.answers(was, q.hide(is)) },
		Each:    q.recorded,
	})
	for _, u := range summary.Unsent {
		q.report.skip(u.Kind, u.Count)
	}
	return err
}

// finestRecorded is how finely recorded times, which the port took, and those that this client
// takes are told apart.
const finestRecorded = 2 * time.Millisecond

// recorded takes what came of one request of the file.
func (q *comparing) recorded(o replay.Outcome, _ replay.Progress) {
	switch o.Kind {
	case replay.Interrupted:
		return
	case replay.Answered:
		q.report.skip("no recorded answer", 1)
		return
	case replay.Failed:
		o.Is.Error = o.Failure
		o.Result = q.rules.answers(o.Was, q.hide(o.Is))
	}
	q.report.took(o.Was.Took, o.Took)
	q.report.add(compared{o.Nth, o.Was, o.Result})
}
