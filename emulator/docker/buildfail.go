package docker

import (
	"fmt"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator"
)

// buildFailure names the step that failed, what it wrote last, and what to do.
func buildFailure(b *emulator.Build, step *buildStep, err error) *emulator.Failure {
	why := err.Error()
	if step != nil {
		why = fmt.Sprintf("step %s: %s", step.step.Name, why)
		if len(step.last) > 0 {
			why += "\nits last lines:\n  " + strings.Join(step.last, "\n  ")
		}
	}
	return &emulator.Failure{What: "its image cannot be built", Why: why, Next: buildAdvice(b, why)}
}

func buildAdvice(b *emulator.Build, why string) string {
	answer := strings.ToLower(why)
	switch {
	case strings.Contains(answer, "resolve image config") && strings.Contains(answer, "docker/dockerfile"):
		return "the line # syntax= of " + b.Dockerfile + " needs an image from a registry: make it reachable, or remove the line"
	case refused(answer):
		return "log in to the registry of the base image with docker login, or check the FROM lines of " + b.Dockerfile
	case strings.Contains(answer, "target stage"):
		return "check build.target: it is the name of a stage in " + b.Dockerfile
	}
	return "mend " + b.Dockerfile + " or what it copies, then up again"
}
