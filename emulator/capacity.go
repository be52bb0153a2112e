package emulator

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Machine is what the host of the containers has; 0 is not known.
type Machine struct {
	CPUs   float64
	Memory int64 // bytes
}

// capacity warns where all replicas together may take more than the machine has. It is
// no reason to refuse: limits are seldom reached, and never by all.
func (s *supervisor) capacity() {
	most := s.model.bounds().Max
	resources, err := s.model.Deployment.Resources()
	if most < 2 || err != nil {
		return
	}
	var over []string
	if limit := resources.Limits.Memory; limit != nil && s.Machine.Memory > 0 && int64(most)*limit.Value() > s.Machine.Memory {
		over = append(over, fmt.Sprintf("memory %d x %s of %s", most, limit, mebibytes(s.Machine.Memory)))
	}
	if limit := resources.Limits.CPU; limit != nil && s.Machine.CPUs > 0 && float64(most)*limit.AsApproximateFloat64() > s.Machine.CPUs {
		over = append(over, fmt.Sprintf("CPU %d x %s of %g", most, limit, s.Machine.CPUs))
	}
	if len(over) > 0 {
		s.publish(event.Notice{Level: event.NoticeInfo, Text: fmt.Sprintf(
			"%s: its %d replicas may take more than this machine has (%s): what they get then is less than in production", s.id, most, strings.Join(over, ", "))})
	}
}

func mebibytes(bytes int64) string {
	return resource.NewQuantity(bytes/mebi*mebi, resource.BinarySI).String()
}
