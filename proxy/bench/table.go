package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// report is everything that was measured.
type report struct {
	machine   string
	release   string
	rounds    int
	cell      time.Duration
	subjects  []string
	workloads []workload
	samples   [][][]sample // by workload, subject and round
	left      []string     // who is not there, and why
}

// markdown is the report as a person reads it, in a terminal too.
func (r report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s", time.Now().Format(time.DateOnly), r.machine)
	if r.release != "" {
		fmt.Fprintf(&b, ", merlin-local %s", r.release)
	}
	fmt.Fprintf(&b, ".\nMedians of %d interleaved rounds of %v; load, subject and backend share the machine.\n", r.rounds, r.cell)
	for _, why := range r.left {
		fmt.Fprintln(&b, why+".")
	}
	for w := range r.workloads {
		fmt.Fprintf(&b, "\n**%s**\n\n%s", r.workloads[w].name, r.table(w))
	}
	if targets := r.targets(); targets != nil {
		fmt.Fprintf(&b, "\n**Targets of merlin-local**\n\n%s", align(targets))
	}
	return b.String()
}

// Names in a report that ratios are to.
const (
	direct      = "direct"
	queueProxy  = "queue-proxy"
	merlinLocal = "merlin-local"
)

// table is one workload's.
func (r report) table(w int) string {
	paced := r.workloads[w].paced
	header := []string{"", "requests/s", "lowest-highest", "x direct", "x queue-proxy"}
	if paced {
		header = header[:1]
	}
	rows := [][]string{append(header, "p50", "p50 added", "p99", "CPU/request", "peak memory")}
	for s, name := range r.subjects {
		m := medians(r.samples[w][s])
		row := []string{name}
		if !paced {
			rates := each(r.samples[w][s], func(s sample) float64 { return s.rate })
			row = append(row, rate(m.rate), rate(slices.Min(rates))+"-"+rate(slices.Max(rates)),
				r.ratio(w, m.rate, direct), r.ratio(w, m.rate, queueProxy))
		}
		rows = append(rows, append(row, duration(m.p50), r.added(w, name), duration(m.p99), duration(m.cpu), mebibytes(m.peak)))
	}
	return align(rows)
}

// of returns a subject's medians, and whether it was there.
func (r report) of(w int, name string) (sample, bool) {
	s := slices.Index(r.subjects, name)
	if w < 0 || s < 0 {
		return sample{}, false
	}
	return medians(r.samples[w][s]), true
}

func (r report) ratio(w int, value float64, to string) string {
	base, ok := r.of(w, to)
	if !ok || base.rate == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", value/base.rate)
}

// added is what a subject's p50 has over the direct one's.
func (r report) added(w int, name string) string {
	base, ok := r.of(w, direct)
	own, _ := r.of(w, name)
	if !ok || name == direct {
		return "-"
	}
	return duration(own.p50 - base.p50)
}

// targets are the numbers that merlin-local promises; nil where one cannot be told.
func (r report) targets() [][]string {
	at := func(name string) int {
		return slices.IndexFunc(r.workloads, func(w workload) bool { return w.name == name })
	}
	rows := [][]string{{"", "measured", "must be", ""}}
	for _, t := range []struct {
		workload string
		least    float64
	}{{httpMany, 2}, {grpcMany, 3}} {
		own, ok := r.of(at(t.workload), merlinLocal)
		theirs, ok2 := r.of(at(t.workload), queueProxy)
		if !ok || !ok2 {
			return nil
		}
		rows = append(rows, target(t.workload+": rate to queue-proxy's", own.rate/theirs.rate, "at least", t.least))
	}
	own, ok := r.of(at(httpOne), merlinLocal)
	theirs, _ := r.of(at(httpOne), queueProxy)
	base, ok2 := r.of(at(httpOne), direct)
	if !ok || !ok2 {
		return nil
	}
	added := float64(own.p50-base.p50) / float64(theirs.p50-base.p50)
	return append(rows, target(httpOne+": added p50 to queue-proxy's", added, "at most", 0.5))
}

func target(what string, measured float64, bound string, value float64) []string {
	verdict := "missed"
	if (bound == "at least") == (measured >= value) || measured == value {
		verdict = "reached"
	}
	return []string{what, fmt.Sprintf("%.2f", measured), fmt.Sprintf("%s %.1f", bound, value), verdict}
}

func rate(perSecond float64) string {
	if perSecond < 100 {
		return fmt.Sprintf("%.1f", perSecond)
	}
	digits := fmt.Sprintf("%.0f", perSecond)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func duration(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d.Abs() < time.Millisecond:
		return fmt.Sprintf("%d us", d.Round(time.Microsecond).Microseconds())
	default:
		return fmt.Sprintf("%.2f ms", d.Seconds()*1000)
	}
}

func mebibytes(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// align renders rows, the first of them the header, as a Markdown table whose
// source reads well too. All columns but the first are numbers, to the right.
func align(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text), 3)
		}
	}
	var b strings.Builder
	for n, row := range rows {
		for i, text := range row {
			if i == 0 {
				fmt.Fprintf(&b, "| %-*s |", widths[i], text)
			} else {
				fmt.Fprintf(&b, " %*s |", widths[i], text)
			}
		}
		b.WriteString("\n")
		if n == 0 {
			b.WriteString(rule(widths))
		}
	}
	return b.String()
}

func rule(widths []int) string {
	var b strings.Builder
	for i, width := range widths {
		if i == 0 {
			b.WriteString("|" + strings.Repeat("-", width+2) + "|")
		} else {
			b.WriteString(strings.Repeat("-", width+1) + ":|")
		}
	}
	return b.String() + "\n"
}

// thisMachine says what a reader needs to compare.
func thisMachine() string {
	cpu := "unknown CPU"
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			cpu = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%d cores (%s), %s/%s, %s", runtime.NumCPU(), cpu, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
