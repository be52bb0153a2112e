package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

// text writes the report for a person.
func (r *replayReport) text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s to %s, %s\n", prose.Clean(r.File), r.Target, r.manner())
	for _, d := range r.Changed {
		fmt.Fprintf(&b, "  %s\n", prose.Clean(changed(d)))
	}
	r.outcomes(&b)
	r.speed(&b)
	r.times(&b)
	r.bars(&b)
	r.wrong(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// manner is how requests were sent.
func (r *replayReport) manner() string {
	under := fmt.Sprintf(", at most %d under way", r.Concurrency)
	switch {
	case r.Pace == "rate":
		return fmt.Sprintf("%g a second%s", r.AskedRate, under)
	case r.Pace == "recorded" && r.Speed != 1:
		return fmt.Sprintf("%g times as fast as recorded%s", r.Speed, under)
	case r.Pace == "recorded":
		return "at the recorded pace" + under
	case r.Concurrency > 1:
		return fmt.Sprintf("%d at a time", r.Concurrency)
	}
	return "one by one"
}

func changed(d replay.Decision) string {
	text := fmt.Sprintf("%d for host %s are sent", d.Count, cmp.Or(d.Host, "(none)"))
	if d.ToHost != d.Host {
		text += " to " + d.ToHost
	}
	if d.ToName != d.PathName {
		text += fmt.Sprintf(", with %s for %s in the path", d.ToName, d.PathName)
	}
	return text
}

func (r *replayReport) outcomes(b *strings.Builder) {
	fmt.Fprintf(b, "  sent %d", r.Sent)
	if r.Loops > 1 {
		fmt.Fprintf(b, " in %d loops", r.Loops)
	}
	for _, o := range []struct {
		n    int
		text string
	}{{r.Same, "as recorded"}, {r.Differs, "differ"}, {r.Answered, "answered and not compared"}, {r.Failed, "without a whole answer"}, {r.Interrupted, "given up, as it was interrupted"}} {
		if o.n > 0 {
			fmt.Fprintf(b, ", %d %s", o.n, o.text)
		}
	}
	fmt.Fprintln(b)
	if r.Masked > 0 {
		fmt.Fprintf(b, "  %d were sent without what the capture hid of them, such as Authorization: their answers may differ for that\n", r.Masked)
	}
	for _, u := range r.Unsent {
		fmt.Fprintf(b, "  not sent %d: %s, %s: %s\n", u.Count, u.Kind, requestName(u.Nth, u.ID), prose.Clean(u.Text))
	}
	if len(r.Statuses) > 0 {
		fmt.Fprintf(b, "  statuses: %s", counts(r.Statuses))
		if len(r.GRPCStatuses) > 0 {
			named := map[string]int{}
			for code, n := range r.GRPCStatuses {
				named[prose.GRPCCode(code)] = n
			}
			fmt.Fprintf(b, "; gRPC: %s", counts(named))
		}
		fmt.Fprintln(b)
	}
	if len(r.Failures) > 0 {
		fmt.Fprintf(b, "  failures: %s\n", counts(r.Failures))
	}
}

func counts(all map[string]int) string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		texts = append(texts, fmt.Sprintf("%s %d", name, all[name]))
	}
	return strings.Join(texts, ", ")
}

// speed is how fast they were sent, and whether that was as it should be.
func (r *replayReport) speed(b *strings.Builder) {
	if r.Sent == 0 {
		return
	}
	fmt.Fprintf(b, "  %.5g a second for %s\n", r.Rate, prose.Duration(r.Took))
	s := r.Schedule
	if s == nil {
		return
	}
	verdict := "the schedule was held"
	if !s.Held {
		verdict = "the schedule could NOT be held by this machine (a lower rate, or nothing else that runs, helps)"
	}
	fmt.Fprintf(b, "  %s: 99 of 100 were sent at most %s late, all at most %s\n", verdict, prose.Duration(s.Lag.P99), prose.Duration(s.Lag.Max))
	if s.Missed > 0 {
		fmt.Fprintf(b, "  %d that were due before the end were not sent by then\n", s.Missed)
	}
	if s.Waited > 0 {
		fmt.Fprintf(b, "  %d waited because %d were under way, the longest %s (--concurrency allows more): requests were up to %s late, and that is in their latency\n",
			s.Waited, r.Concurrency, prose.Duration(s.Longest), prose.Duration(s.Late.Max))
	}
}

func (r *replayReport) times(b *strings.Builder) {
	if r.Latency.Count == 0 {
		return
	}
	fmt.Fprintln(b)
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "latency\tmin\tp50\tp75\tp90\tp95\tp99\tp99.9\tmax\t")
	if r.Schedule != nil {
		row(table, "from its time in the schedule", r.Latency)
	}
	row(table, "from when it was sent", r.Service)
	if r.Then.Count > 0 {
		row(table, "as recorded", r.Then)
	}
	_ = table.Flush() // a Builder takes all
}

func row(w io.Writer, name string, t replay.Times) {
	fmt.Fprint(w, name)
	for _, d := range []time.Duration{t.Min, t.P50, t.P75, t.P90, t.P95, t.P99, t.P999, t.Max} {
		fmt.Fprintf(w, "\t%s", prose.Duration(d))
	}
	fmt.Fprintln(w, "\t")
}

// barWidth is how long the longest bar is.
const barWidth = 40

// bars is the histogram of the latencies.
func (r *replayReport) bars(b *strings.Builder) {
	var most int64
	for _, bar := range r.Histogram {
		most = max(most, bar.Count)
	}
	if most == 0 {
		return
	}
	fmt.Fprintln(b)
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, bar := range r.Histogram {
		length := int(bar.Count * barWidth / most)
		if bar.Count > 0 {
			length = max(length, 1)
		}
		fmt.Fprintf(table, "up to %s\t%d\t  %s\n", bar.To, bar.Count, strings.Repeat("#", length))
	}
	_ = table.Flush()
}

// shownWorst is how many of the requests that went wrong are printed, and shownDifferences
// how many differences of each.
const (
	shownWorst       = 10
	shownDifferences = 5
)

// wrong tells what went wrong, the worst first.
func (r *replayReport) wrong(b *strings.Builder) {
	for i, x := range r.Worst {
		if i == shownWorst {
			fmt.Fprintf(b, "\nand others: --output json has the worst %d\n", len(r.Worst))
			return
		}
		fmt.Fprintf(b, "\n%s %s %s", requestName(x.Nth, x.ID), prose.Clean(x.Method), prose.Clean(x.Path))
		if x.Times > 1 {
			fmt.Fprintf(b, ", in %d loops", x.Times)
		}
		fmt.Fprintln(b)
		if x.Kind == replay.Failed {
			fmt.Fprintf(b, "  %s: %s\n", x.Failure, prose.Clean(x.Error))
			continue
		}
		n := min(len(x.Differences), shownDifferences)
		for _, line := range differenceLines(x.Differences[:n], x.More+len(x.Differences)-n) {
			fmt.Fprintf(b, "  %s\n", prose.Clean(line))
		}
	}
}

// differenceLines tell differences, one a line, and how many there are besides.
func differenceLines(all []compare.Difference, more int) []string {
	var lines []string
	for _, d := range all {
		text := fmt.Sprintf("%s: was %s, is %s", d.Path, cmp.Or(d.Was, "not there"), cmp.Or(d.Is, "not there"))
		if d.Was == "" && d.Is == "" {
			text = d.Path + ": " + string(d.Kind)
		}
		if d.Note != "" {
			text += " (" + d.Note + ")"
		}
		lines = append(lines, text)
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more differences", more))
	}
	return lines
}

// requestName is a request by its place in the recording, and the number that it had there
// where that is another.
func requestName(nth int, id uint64) string {
	if id == 0 || id == uint64(nth) {
		return fmt.Sprintf("request %d", nth)
	}
	return fmt.Sprintf("request %d (number %d)", nth, id)
}
