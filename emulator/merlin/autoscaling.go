package merlin

// The metrics that a model may scale by.
const (
	MetricConcurrency = "concurrency"
	MetricRPS         = "rps"
	MetricCPU         = "cpu_utilization"
	MetricMemory      = "memory_utilization"
)

// Policy is the autoscaling policy in force: the user's, else what Merlin's API gives a
// deployment without one.
func (d Deployment) Policy() AutoscalingPolicy {
	switch {
	case d.AutoscalingPolicy != nil:
		return *d.AutoscalingPolicy
	case d.Raw():
		return AutoscalingPolicy{MetricsType: MetricCPU, TargetValue: 50}
	default:
		return AutoscalingPolicy{MetricsType: MetricConcurrency, TargetValue: 1}
	}
}
