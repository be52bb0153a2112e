package merlin_test

import (
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestAPolicyIsTheUsersOrMerlinsOwn(t *testing.T) {
	users := merlin.AutoscalingPolicy{MetricsType: merlin.MetricRPS, TargetValue: 20}
	for name, row := range map[string]struct {
		d    merlin.Deployment
		want merlin.AutoscalingPolicy
	}{
		"serverless": {merlin.Deployment{}, merlin.AutoscalingPolicy{MetricsType: merlin.MetricConcurrency, TargetValue: 1}},
		"raw":        {merlin.Deployment{DeploymentMode: merlin.RawDeployment}, merlin.AutoscalingPolicy{MetricsType: merlin.MetricCPU, TargetValue: 50}},
		"the user's": {merlin.Deployment{AutoscalingPolicy: &users}, users},
	} {
		if got := row.d.Policy(); got != row.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
