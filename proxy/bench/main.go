// Bench measures merlin-local's proxy beside others, on loopback, in one go.
//
// One backend process and every subject, each in a process of its own, are started
// once; then rounds of short cells (one workload through one subject) take turns,
// so that whatever else the machine does hits all of them alike. The load is closed
// loop and comes from this process. What is printed are medians over the rounds.
// Everything that was started ends before the program does, after Ctrl-C too.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type options struct {
	rounds     int
	cell       time.Duration
	subjects   string
	workloads  string
	table      string
	release    string
	queueProxy string
	idle       int
	soak       time.Duration
	large      int64
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == serveCommand {
		exit(serve(os.Args[2:]))
	}
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = o.run(ctx)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func parse(args []string, out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.IntVar(&o.rounds, "rounds", 5, "interleaved `rounds`")
	flags.DurationVar(&o.cell, "cell", time.Second, "measured `time` of a cell; a quarter more warms up")
	flags.StringVar(&o.subjects, "subjects", "", "only these, a `list` of "+strings.Join(names(subjects()), ","))
	flags.StringVar(&o.workloads, "workloads", "", "only these, a `list` of "+strings.Join(names(workloads()), ","))
	flags.StringVar(&o.table, "table", "", "also write the table to this `file`, as Markdown")
	flags.StringVar(&o.release, "release", "", "merlin-local's `release`, for the table")
	flags.StringVar(&o.queueProxy, "queueproxy", "queueproxy", "`folder` of the module that pins queue-proxy")
	flags.IntVar(&o.idle, "idle", 0, "instead: memory with this `number` of idle connections (1000)")
	flags.DurationVar(&o.soak, "soak", 0, "instead: memory under load for this `time` (10m)")
	flags.Int64Var(&o.large, "large", 0, "instead: memory with an upload and a download of this many `MiB` (1024)")
	err := flags.Parse(args)
	if err == nil && (o.rounds < 1 || o.cell <= 0) {
		err = errors.New("-rounds and -cell must be above 0")
		fmt.Fprintln(out, err)
	}
	return o, err
}

// run starts all that is measured, measures as the flags say, and ends all.
func (o options) run(ctx context.Context) (err error) {
	chosen, err := choose(workloads(), o.workloads)
	if err != nil {
		return err
	}
	st, err := o.raise(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	switch {
	case o.idle > 0:
		return st.idle(ctx, o.idle)
	case o.large > 0:
		return st.large(ctx, o.large<<20)
	case o.soak > 0:
		return st.soak(ctx, o.soak, chosen)
	}
	return o.measure(ctx, st, chosen)
}

func (o options) measure(ctx context.Context, st *stage, chosen []workload) error {
	r := report{machine: thisMachine(), release: o.release, rounds: o.rounds, cell: o.cell, left: st.left}
	for _, s := range st.subjects {
		r.subjects = append(r.subjects, s.name)
	}
	for range chosen {
		r.samples = append(r.samples, make([][]sample, len(st.subjects)))
	}
	for round := range o.rounds {
		for w, workload := range chosen {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, o.rounds, workload.name)
			for i := range st.subjects {
				s := (i + round) % len(st.subjects) // nobody is always first
				one, err := cell(ctx, st.subjects[s], workload, o.cell)
				if err != nil {
					return st.explain(st.subjects[s], fmt.Errorf("%s through %s: %w", workload.name, st.subjects[s].name, err))
				}
				r.samples[w][s] = append(r.samples[w][s], one)
			}
		}
	}
	r.workloads = chosen
	text := r.markdown()
	fmt.Print(text)
	if o.table == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(o.table), 0o755); err != nil {
		return err
	}
	return os.WriteFile(o.table, []byte(text), 0o644)
}

// named is something that a flag can choose.
type named interface{ key() string }

func names[T named](all []T) []string {
	var keys []string
	for _, n := range all {
		keys = append(keys, n.key())
	}
	return keys
}

// choose returns those of the comma-separated list, in their own order; all where
// it is empty.
func choose[T named](all []T, list string) ([]T, error) {
	if list == "" {
		return all, nil
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(list, ",") {
		wanted[strings.TrimSpace(name)] = true
	}
	var chosen []T
	for _, n := range all {
		if wanted[n.key()] {
			chosen = append(chosen, n)
			delete(wanted, n.key())
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("there is no %q; there are %s", cmp.Or(name, "(empty)"), strings.Join(names(all), ", "))
	}
	return chosen, nil
}
