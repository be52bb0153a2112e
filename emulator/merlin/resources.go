package merlin

import (
	"fmt"
	"math"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Quantities are an amount of CPU and of memory; nil is none.
type Quantities struct{ CPU, Memory *resource.Quantity }

// Resources are the container's requests and limits.
type Resources struct{ Requests, Limits Quantities }

// DefaultRequest is what Merlin deploys with where the user asks for nothing.
func DefaultRequest() ResourceRequest {
	return ResourceRequest{CPURequest: "500m", MemoryRequest: "500Mi", MinReplica: 0, MaxReplica: 1}
}

// Request is the resource request in force: the user's, with the default's values
// where one is empty, or the default as a whole.
func (d Deployment) Request() ResourceRequest {
	request := DefaultRequest()
	if d.ResourceRequest == nil {
		return request
	}
	user := *d.ResourceRequest
	if user.CPURequest == "" {
		user.CPURequest = request.CPURequest
	}
	if user.MemoryRequest == "" {
		user.MemoryRequest = request.MemoryRequest
	}
	return user
}

// Resources computes requests and limits as Merlin does. The CPU limit is the
// user's, else the request times the platform's factor, else the platform's default;
// the memory limit is the request times its factor, and none where that is 0.
func (d Deployment) Resources() (Resources, error) {
	request := d.Request()
	cpu, err := quantity("cpu_request", request.CPURequest)
	if err != nil {
		return Resources{}, err
	}
	memory, err := quantity("memory_request", request.MemoryRequest)
	if err != nil {
		return Resources{}, err
	}
	cpuLimit, err := d.cpuLimit(cpu)
	if err != nil {
		return Resources{}, err
	}
	limits := Quantities{CPU: cpuLimit}
	if factor := d.Platform.UserContainerMemoryLimitRequestFactor; factor != 0 {
		limits.Memory = scale(*memory, factor)
	}
	return Resources{Requests: Quantities{cpu, memory}, Limits: limits}, nil
}

func (d Deployment) cpuLimit(request *resource.Quantity) (*resource.Quantity, error) {
	if d.hasCPULimit() {
		return quantity("cpu_limit", d.ResourceRequest.CPULimit)
	}
	if factor := d.Platform.UserContainerCPULimitRequestFactor; factor != 0 {
		return scale(*request, factor), nil
	}
	if d.Platform.UserContainerCPUDefaultLimit == "" {
		return nil, nil
	}
	return quantity("user_container_cpu_default_limit", d.Platform.UserContainerCPUDefaultLimit)
}

// hasCPULimit tells whether the user set a limit; zero counts as none.
func (d Deployment) hasCPULimit() bool {
	if d.ResourceRequest == nil || d.ResourceRequest.CPULimit == "" {
		return false
	}
	q, err := resource.ParseQuantity(d.ResourceRequest.CPULimit)
	return err != nil || !q.IsZero()
}

func quantity(field, text string) (*resource.Quantity, error) {
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %q is no Kubernetes quantity, such as 500m, 2 or 1Gi", field, text)
	}
	return &q, nil
}

// scale multiplies to the thousandth. The result prints in powers of 1024 where it
// can, whatever the request was written in: 700M times 1.25 is 875000000.
func scale(q resource.Quantity, factor float64) *resource.Quantity {
	return resource.NewMilliQuantity(int64(math.Ceil(float64(q.MilliValue())*factor)), resource.BinarySI)
}
