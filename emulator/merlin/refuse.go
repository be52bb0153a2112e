package merlin

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Refusal is why Merlin would refuse a deployment. Field is the key in the user's
// file that causes it.
type Refusal struct{ Field, Message string }

func (r Refusal) Error() string { return r.Message }

// Refusals are all reasons for which Merlin would refuse the deployment, with its
// own words; none where it would accept. Quantities that cannot be read are not
// among them: Resources tells those.
func (d Deployment) Refusals() []Refusal {
	var all []Refusal
	add := func(field, message string) {
		if message != "" {
			all = append(all, Refusal{field, message})
		}
	}
	request := d.Request()
	if exceeds(request.CPURequest, d.Platform.MaxCPU) {
		add("resource_request.cpu_request", "CPU request is too large")
	}
	if exceeds(request.MemoryRequest, d.Platform.MaxMemory) {
		add("resource_request.memory_request", "memory request too large")
	}
	if limit := d.Platform.MaxAllowedReplica; limit > 0 && request.MaxReplica > limit {
		add("resource_request.max_replica", "requested max replicas is more than max permissible")
	}
	add("autoscaling_policy", d.refuseAutoscaling())
	return all
}

func exceeds(request, limit string) bool {
	if limit == "" {
		return false
	}
	r, err := resource.ParseQuantity(request)
	if err != nil {
		return false
	}
	l, err := resource.ParseQuantity(limit)
	return err == nil && r.Cmp(l) > 0
}

func (d Deployment) refuseAutoscaling() string {
	policy := d.AutoscalingPolicy
	if policy == nil {
		return ""
	}
	const prefix = "unable to create inference service spec: "
	switch {
	case d.Raw() && policy.MetricsType != "cpu_utilization":
		return prefix + "unsupported autoscaler metrics on raw deployment: " + policy.MetricsType
	case policy.MetricsType == "concurrency" && policy.TargetValue < 0.01:
		return prefix + fmt.Sprintf("concurrency target %v should be at least 0.01", policy.TargetValue)
	}
	return ""
}
