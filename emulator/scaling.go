package emulator

import (
	"math"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
	"github.com/caraml-dev/merlin-local/emulator/scale"
)

// ScalesByRequests tells whether Knative's autoscaler has the model, which alone can go
// to zero; else Kubernetes' has it.
func (m *Model) ScalesByRequests() bool {
	return scale.Metric(m.Deployment.Policy().MetricsType).Requests()
}

// bounds are how many replicas there may be. Merlin's own minimum is 0; here that holds
// only where the user's file says it.
func (m *Model) bounds() scale.Bounds {
	if m.Debug.On { // a debugger is of one replica
		return scale.Bounds{Min: 1, Max: 1}
	}
	b := scale.Bounds{Min: max(m.Replicas, 1)}
	b.Max = max(m.MaxReplicas, b.Min)
	if m.ScaleToZero && m.ScalesByRequests() {
		b.Min = 0
	}
	return b
}

// scales tells whether there is anything to decide.
func (m *Model) scales() bool {
	b := m.bounds()
	return b.Min != b.Max
}

// kpa are the settings that Merlin's deployment gives Knative's autoscaler: targets are
// rounded as its annotations are printed.
func (m *Model) kpa() scale.KPASettings {
	policy := m.Deployment.Policy()
	total := math.Round(policy.TargetValue*100) / 100
	if policy.MetricsType == merlin.MetricRPS {
		total = math.RoundToEven(policy.TargetValue)
	}
	s := scale.DefaultKPA(scale.Metric(policy.MetricsType), total, m.ContainerConcurrency, m.bounds())
	s.Retention = m.Deployment.Platform.ScaleToZeroPodRetention
	return s
}

// hpa are the settings that Merlin's deployment gives Kubernetes' autoscaler.
func (m *Model) hpa() (scale.HPASettings, error) {
	policy := m.Deployment.Policy()
	target := math.RoundToEven(policy.TargetValue)
	if policy.MetricsType == merlin.MetricMemory {
		resources, err := m.Deployment.Resources()
		if err != nil {
			return scale.HPASettings{}, err
		}
		target = math.RoundToEven(float64(resources.Requests.Memory.Value()) / mebi * policy.TargetValue / 100)
	}
	return scale.DefaultHPA(scale.Metric(policy.MetricsType), target, m.bounds()), nil
}

const mebi = 1 << 20
