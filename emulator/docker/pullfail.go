package docker

import (
	"fmt"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator"
)

// pullFailure says what the registry answered, and what to do about it.
func pullFailure(name, host string, err error) *emulator.Failure {
	return &emulator.Failure{
		What: "its image is not here and cannot be pulled",
		Why:  fmt.Sprintf("%s: %v", name, err),
		Next: pullAdvice(host, err),
	}
}

func pullAdvice(host string, err error) string {
	switch answer := strings.ToLower(err.Error()); {
	case refused(answer):
		return fmt.Sprintf("%s, or check the spelling of the image, or build it", loginLine(host))
	case strings.Contains(answer, "no matching manifest"):
		return "build it for the Engine's platform, or docker pull --platform it and allow emulation with --allow-emulation"
	case strings.Contains(answer, "not found") || strings.Contains(answer, "manifest unknown"):
		return "check the spelling and the tag of the image, or build it"
	}
	return fmt.Sprintf("check that %s can be reached from the Engine, or build the image", host)
}

// refused tells an answer of a registry that wants other credentials, or any. One
// that hides private images says "denied" for what does not exist, too.
func refused(answer string) bool {
	for _, sign := range []string{"unauthorized", "denied", "no basic auth credentials", "authorization failed", "authentication required", "401", "403 forbidden"} {
		if strings.Contains(answer, sign) {
			return true
		}
	}
	return false
}

func loginLine(host string) string {
	if server(host) == hubServer {
		return "docker login"
	}
	return "docker login " + host
}
