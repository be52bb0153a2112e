package docker

import (
	"errors"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"

	"github.com/caraml-dev/merlin-local/emulator"
)

func TestAForeignArchitectureIsRefusedUnlessAllowed(t *testing.T) {
	r := &Runtime{engine: engine{architecture: "amd64"}}
	err := r.checkArchitecture("shop/apple:1", image.InspectResponse{Architecture: "arm64"})
	var failure *emulator.Failure
	if !errors.As(err, &failure) {
		t.Fatalf("the error is %v", err)
	}
	if !strings.Contains(failure.Why, "shop/apple:1 is for arm64, and the Engine runs amd64") || !strings.Contains(failure.Next, "--platform linux/amd64") {
		t.Errorf("it says %q, then %q", failure.Why, failure.Next)
	}
	r.options.AllowForeign = true
	if err := r.checkArchitecture("shop/apple:1", image.InspectResponse{Architecture: "arm64"}); err != nil {
		t.Errorf("allowed, and still: %v", err)
	}
}
