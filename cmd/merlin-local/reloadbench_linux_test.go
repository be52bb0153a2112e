package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// BenchmarkReload measures how long it takes from a save to the first answer by the new
// code through the port, for a rebuild (the Go sample) and a sync (the Python sample).
// Turn by turn in the same run it does bare what nobody can do without, on a copy of the
// same repo with an edit of the same kind, and holds one against the other in a table:
//
//	make bench-reload
//
// No duration fails it. It needs a Docker Engine with BuildKit and, for the Python sample,
// that one's base image.
func BenchmarkReload(b *testing.B) {
	var rows strings.Builder
	b.Run("rebuild", func(b *testing.B) { rows.WriteString(benchRebuild(b).row("rebuild")) })
	b.Run("sync", func(b *testing.B) { rows.WriteString(benchSync(b).row("sync")) })
	fmt.Printf("\n| tier | floor | at most | measured | of the floor | | machine busy |\n|---|---|---|---|---|---|---|\n%s\nMedians. %d cores, load average %s.\n\n",
		&rows, runtime.NumCPU(), loadAverage())
}

const (
	// quietTime is what the watch waits for further edits.
	quietTime = 100 * time.Millisecond
	// ofFloor and beyondImport are what a rebuild and a sync may take.
	ofFloor      = 1.15
	beyondImport = 800 * time.Millisecond
	// askEvery is the pause between two requests that look for the new code.
	askEvery = time.Millisecond
	// restful is how long the machine must have been idle before something is measured, and
	// mostRest how long that is waited for.
	restful  = time.Second
	mostRest = time.Minute
	// idle is the share of the processors' time that may be used meanwhile.
	idle = 0.15
)

// benchRebuild saves a Go server whose binary build.run makes and the image has. The floor
// is `go build`, BuildKit, and a container until it answers.
func benchRebuild(b *testing.B) *durations {
	const old, new = "answer(w, http.StatusOK, out)\n", "answer(w, http.StatusOK, map[string]any{\"predictions\": out.Predictions, \"save\": \"%s\"})\n"
	s := newSaver(b, "iris-http-go", "server.go", old, new)
	bare := newSaver(b, "iris-http-go", "server.go", old, new)
	r := newSavedModel(b, s)
	kit := newBuildKit(b, r.lab)
	kit.build(bare.build(b), "bare") // as warm as the session's own
	d := &durations{target: func(floor time.Duration) time.Duration {
		return time.Duration(ofFloor*float64(floor)) + quietTime
	}}
	for b.Loop() {
		d.rest(b)
		bare.save(b, fmt.Sprint("bare", d.turns()))
		begun := time.Now()
		folder := bare.build(b)
		built := time.Now()
		image := kit.build(folder, "bare")
		imaged := time.Now()
		c := r.bare(image)
		d.floor("go build", built.Sub(begun))
		d.floor("image", imaged.Sub(built))
		d.floor("create, start and first answer", c.created+c.started+c.answered)
		c.remove()
		d.rest(b)
		d.reload(r.save(fmt.Sprint("turn", d.turns())))
	}
	d.report(b)
	return d
}

// benchSync saves the handler of a Python server. The floor is what Python itself takes,
// in a container of the same image with the same limits, from the Engine's having started
// it to its first answer: imports, the model, the port.
func benchSync(b *testing.B) *durations {
	s := newSaver(b, "churn-python", "app.py", "return {\"predictions\": [", "return {\"save\": \"%s\", \"predictions\": [")
	r := newSavedModel(b, s, "--build-arg", "BASE_IMAGE="+pythonBase)
	d := &durations{target: func(floor time.Duration) time.Duration { return floor + beyondImport }}
	for b.Loop() {
		d.rest(b)
		c := r.bare(r.status().Models[0].ImageID)
		d.floor("import", c.answered)
		c.remove()
		d.rest(b)
		d.reload(r.save(fmt.Sprint("turn", d.turns())))
	}
	d.report(b)
	return d
}

// durations are what the turns took, by step.
type durations struct {
	target            func(floor time.Duration) time.Duration
	floorSteps, steps []string // in their order
	floors, parts     map[string][]time.Duration
	measured          []time.Duration
	unrest            int // how often the machine was not idle before a measurement
}

// rest waits until nothing of the turn before is at work any more, nor anything else.
func (d *durations) rest(b *testing.B) {
	b.Helper()
	for limit := time.Now().Add(mostRest); time.Now().Before(limit); {
		used, all := processors(b)
		time.Sleep(restful)
		usedNow, allNow := processors(b)
		if float64(usedNow-used) < idle*float64(allNow-all) {
			return
		}
	}
	d.unrest++
}

// processors is the time that all processors together were used and had, in the kernel's
// ticks.
func processors(b *testing.B) (used, all int64) {
	b.Helper()
	text, err := os.ReadFile("/proc/stat")
	check(b, err)
	first, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(first)[1:9] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		check(b, err)
		all += ticks
		if i != 3 && i != 4 { // idle, and waiting for a disk
			used += ticks
		}
	}
	return used, all
}

func (d *durations) turns() int { return len(d.measured) }

func (d *durations) floor(step string, took time.Duration) {
	if d.floors == nil {
		d.floors = map[string][]time.Duration{}
	}
	if d.floors[step] == nil {
		d.floorSteps = append(d.floorSteps, step)
	}
	d.floors[step] = append(d.floors[step], took)
}

// reload takes a turn's measurement and its parts.
func (d *durations) reload(took time.Duration, parts []event.ReloadStep) {
	d.measured = append(d.measured, took)
	if d.parts == nil {
		d.parts = map[string][]time.Duration{}
	}
	for _, p := range parts {
		if d.parts[p.Name] == nil {
			d.steps = append(d.steps, p.Name)
		}
		d.parts[p.Name] = append(d.parts[p.Name], p.Took)
	}
}

// least is the median of the sums of the floor's steps.
func (d *durations) least() time.Duration {
	sums := make([]time.Duration, d.turns())
	for _, step := range d.floorSteps {
		for i, took := range d.floors[step] {
			sums[i] += took
		}
	}
	return middle(sums)
}

// middle is the median, with the turns left in their order.
func middle[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// row is the tier's line of the table.
func (d *durations) row(tier string) string {
	least, measured := d.least(), middle(d.measured)
	target, verdict := d.target(least), "reached"
	if measured > target {
		verdict = "MISSED"
	}
	return fmt.Sprintf("| %s | %s: %s | %s | %s: %s | %.2f | %s | %d of %d |\n", tier, ms(least), list(d.floorSteps, d.floors),
		ms(target), ms(measured), list(d.steps, d.parts), float64(measured)/float64(least), verdict, d.unrest, 2*d.turns())
}

func list(steps []string, took map[string][]time.Duration) string {
	parts := make([]string, 0, len(steps))
	for _, step := range steps {
		parts = append(parts, step+" "+ms(middle(took[step])))
	}
	return strings.Join(parts, ", ")
}

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

func (d *durations) report(b *testing.B) {
	b.Helper()
	for step, took := range d.floors {
		b.Log("floor", step, took)
	}
	for step, took := range d.parts {
		b.Log("reload", step, took)
	}
	b.Log("reload", d.measured)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(d.least().Milliseconds()), "floor-ms")
	b.ReportMetric(float64(middle(d.measured).Milliseconds()), "reload-ms")
	b.ReportMetric(float64(d.target(d.least()).Milliseconds()), "target-ms")
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

// saver saves one file of a model repo again and again, each time with another answer.
type saver struct {
	repo, path string
	source     string // with a %s for what predict is to answer as "save"
}

// newSaver copies a sample's repo, in which new replaces old in one file.
func newSaver(b *testing.B, sample, file, old, new string) saver {
	b.Helper()
	repo := filepath.Join(b.TempDir(), sample)
	check(b, os.CopyFS(repo, os.DirFS(filepath.Join("..", "..", "sample-models", sample))))
	check(b, os.RemoveAll(filepath.Join(repo, "bin")))
	s := saver{repo: repo, path: filepath.Join(repo, file)}
	source, err := os.ReadFile(s.path)
	check(b, err)
	before, after, found := strings.Cut(string(source), old)
	if !found {
		b.Fatalf("%s of %s has no %q", file, sample, old)
	}
	escaped := strings.NewReplacer("%", "%%")
	s.source = escaped.Replace(before) + new + escaped.Replace(after)
	s.save(b, "nothing yet")
	return s
}

// save returns when the file was written.
func (s saver) save(b *testing.B, says string) time.Time {
	b.Helper()
	check(b, os.WriteFile(s.path, fmt.Appendf(nil, s.source, says), 0o644))
	return time.Now()
}

// benchedModel is a session whose model is saved again and again.
type benchedModel struct {
	*lab
	b       *testing.B
	saver   saver
	address string // the port
	path    string // of the model
	request string // a prediction's body
}

func newSavedModel(b *testing.B, s saver, args ...string) *benchedModel {
	b.Helper()
	r := &benchedModel{lab: newLab(b, s.repo, nil), b: b, saver: s}
	if strings.Contains(strings.Join(args, " "), pythonBase) {
		skipWithoutPythonBase(b, r.lab)
	}
	r.up(args...)
	state := r.status()
	r.address, r.path = state.Address, "/v1/models/"+state.Models[0].FullName
	body, err := os.ReadFile(filepath.Join(s.repo, "request.json"))
	check(b, err)
	r.request = string(body)
	return r
}

// save returns how long it took from a save to the first answer by the new code, and what
// of that was what. It asks once the new revision is announced: to ask all the time would
// take the processors from what is measured. It returns once the old revision is gone.
func (r *benchedModel) save(says string) (time.Duration, []event.ReloadStep) {
	r.b.Helper()
	saved := r.saver.save(r.b, says)
	parts := r.announced(saved)
	untilSays(r.b, askEvery, `"save":"`+says+`"`, func() (*http.Response, error) {
		return http.Post("http://"+r.address+r.path+":predict", "application/json", strings.NewReader(r.request))
	})
	answered := time.Now()
	await(r.b, "the old revision is gone", func() bool {
		containers, _, err := r.made(r.session.ID)
		return err == nil && len(containers) == 1
	})
	return answered.Sub(saved), parts
}

// announced waits until a new revision serves, and returns what happened until then.
func (r *benchedModel) announced(saved time.Time) (parts []event.ReloadStep) {
	r.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for e, err := range r.session.Events(ctx, control.Query{Skip: []string{"log", "served", "step", "probed"}, Follow: true}) {
		check(r.b, err)
		if e.Time.Before(saved) {
			continue
		}
		switch f := e.Fact.(type) {
		case event.Reloading:
			parts = append(parts, event.ReloadStep{Name: "seen", Took: e.Time.Sub(saved)})
		case event.ReloadEnded:
			r.b.Fatalf("the reload failed: %+v", f)
		case event.Serving:
			return append(parts, f.Steps...)
		}
	}
	r.b.Fatal("the session ended")
	return nil
}

// untilSays asks until an answer is a 200 that says something.
func untilSays(b *testing.B, again time.Duration, says string, ask func() (*http.Response, error)) {
	b.Helper()
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(again) {
		answer, err := ask()
		if err != nil {
			continue
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err == nil && answer.StatusCode == http.StatusOK && strings.Contains(string(body), says) {
			return
		}
	}
	b.Fatalf("there was never an answer that says %s", says)
}
