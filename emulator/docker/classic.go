package docker

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/pkg/jsonmessage"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// buildClassic builds with the Engine's first builder and returns the image's id.
func (r *Runtime) buildClassic(ctx context.Context, b *emulator.Build, options build.ImageBuildOptions, report func(event.Fact)) (string, error) {
	sources, err := packContext(b)
	if err != nil {
		return "", err
	}
	reader, writer := io.Pipe()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		writer.CloseWithError(sources.write(ctx, writer))
	}()
	defer func() { _ = reader.Close(); <-sent }()

	options.Version = build.BuilderV1
	options.Dockerfile = sources.dockerfile
	options.AuthConfigs = allCredentials(r.cli)
	options.Remove, options.ForceRemove = true, true // else containers without labels stay
	answer, err := r.client.ImageBuild(ctx, reader, options)
	if err != nil {
		return "", fmt.Errorf("build with %s: %w", b.Dockerfile, err)
	}
	defer answer.Body.Close()
	steps := newClassicSteps(report)
	id, err := readBuild(answer.Body, steps)
	if err != nil && ctx.Err() == nil {
		return "", steps.failure(b, err)
	}
	steps.end(event.StepDone, "")
	return id, err
}

// classicSteps reads the classic builder's output, which is text for people:
// "Step 2/3 : RUN make", then " ---> Using cache" or what the step writes.
type classicSteps struct {
	report  func(event.Fact)
	current *buildStep
	begun   time.Time
	heading *regexp.Regexp
}

func newClassicSteps(report func(event.Fact)) *classicSteps {
	return &classicSteps{report: report, heading: regexp.MustCompile(`^Step (\d+/\d+) : (.*)`)}
}

func (c *classicSteps) add(m jsonmessage.JSONMessage) error {
	text := strings.TrimSuffix(m.Stream, "\n")
	switch heading := c.heading.FindStringSubmatch(text); {
	case heading != nil:
		c.end(event.StepDone, "")
		c.begin(heading[1], heading[2])
	case text == " ---> Using cache":
		c.end(event.StepCached, "")
	case c.current != nil && text != "" && !isChatter(text):
		plain, stderr := uncolour(m.Stream)
		c.current.write([]byte(plain), stderr)
	}
	return nil
}

// uncolour takes off the red that marks what was written to stderr.
func uncolour(text string) (plain string, stderr bool) {
	plain, stderr = strings.CutPrefix(text, "\x1b[91m")
	return strings.TrimSuffix(plain, "\x1b[0m"), stderr
}

// isChatter tells the builder's own lines about its layers from what a step wrote.
func isChatter(text string) bool {
	return strings.HasPrefix(text, " ---> ") || strings.HasPrefix(text, "Removing intermediate container ") ||
		strings.HasPrefix(text, "Successfully built ") || strings.HasPrefix(text, "Successfully tagged ")
}

func (c *classicSteps) begin(number, instruction string) {
	c.begun = time.Now()
	c.current = &buildStep{report: c.report, step: event.Step{
		Stage: event.StageBuild, ID: number, Name: "[" + number + "] " + instruction,
	}}
	c.current.enter(event.StepStarted, "")
}

func (c *classicSteps) end(state event.StepState, detail string) {
	if c.current != nil {
		c.current.step.Took = time.Since(c.begun)
		c.current.enter(state, detail)
	}
}

func (c *classicSteps) failure(b *emulator.Build, err error) error {
	c.end(event.StepFailed, err.Error())
	return buildFailure(b, c.current, err)
}
