package emulator_test

import (
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestParityFollowsTheRun(t *testing.T) {
	docker := emulator.Circumstances{Containers: true, CPUs: 2}
	for name, row := range map[string]struct {
		change func(m *emulator.Model)
		here   emulator.Circumstances
		want   event.ParityPoint // by the beginning of its text
	}{
		"a CPU limit above the machine's": {nil, docker, event.ParityPoint{Area: "limits", Verdict: event.Approximated, Text: "CPU 8, of which this machine has 2"}},
		"a CPU limit within": {func(m *emulator.Model) {
			m.Deployment.ResourceRequest = &merlin.ResourceRequest{CPULimit: "1500m", MaxReplica: 1}
		}, docker, event.ParityPoint{Area: "limits", Verdict: event.Same, Text: "CPU 1500m"}},
		"memory":                 {nil, docker, event.ParityPoint{Area: "limits", Verdict: event.Same, Text: "memory 1000Mi without swap"}},
		"processes":              {nil, docker, event.ParityPoint{Area: "limits", Verdict: event.Same, Text: "no limit of processes"}},
		"limits turned off":      {nil, emulator.Circumstances{Containers: true, NoLimits: true}, event.ParityPoint{Area: "limits", Verdict: event.NotEmulated, Text: "turned off"}},
		"no Docker":              {nil, emulator.Circumstances{}, event.ParityPoint{Area: "image", Verdict: event.NotEmulated, Text: "no image"}},
		"documented probes":      {nil, docker, event.ParityPoint{Area: "probes", Verdict: event.Approximated, Text: "as documented"}},
		"deployed probes":        {func(m *emulator.Model) { m.Fidelity = emulator.Deployed }, docker, event.ParityPoint{Area: "probes", Verdict: event.Same, Text: "ready once"}},
		"a user's probe":         {func(m *emulator.Model) { m.Liveness.Kind = emulator.CheckNone }, docker, event.ParityPoint{Area: "probes", Verdict: event.Approximated, Text: "changed by"}},
		"the local grace period": {nil, docker, event.ParityPoint{Area: "termination", Verdict: event.Approximated, Text: "running requests finish"}},
		"production's grace": {nil, emulator.Circumstances{Containers: true, ProductionGrace: true}, event.ParityPoint{
			Area: "termination", Verdict: event.Same, Text: "30 s without a request",
		}},
		"metrics that are pushed": {func(m *emulator.Model) { m.Metrics.Push = "GATEWAY" }, docker, event.ParityPoint{Area: "metrics", Verdict: event.Approximated, Text: "GATEWAY leads to this session's"}},
		"a concurrency limit":     {func(m *emulator.Model) { m.ContainerConcurrency = 3 }, docker, event.ParityPoint{Area: "concurrency", Verdict: event.Same, Text: "3 a replica"}},
		"raw":                     {func(m *emulator.Model) { m.Deployment.DeploymentMode = merlin.RawDeployment }, docker, event.ParityPoint{Area: "mode", Verdict: event.NotEmulated, Text: "raw_deployment"}},
		"a fixed number":          {nil, docker, event.ParityPoint{Area: "replicas", Verdict: event.Same, Text: "1, and no autoscaler"}},
		"Merlin's minimum":        {nil, docker, event.ParityPoint{Area: "replicas", Verdict: event.Approximated, Text: "at least 1 is kept"}},
		"scale to zero": {func(m *emulator.Model) { m.MaxReplicas, m.ScaleToZero = 2, true }, docker, event.ParityPoint{
			Area: "autoscaling", Verdict: event.Approximated, Text: "to zero after 1m0s",
		}},
		"no policy": {func(m *emulator.Model) { m.MaxReplicas = 2 }, docker, event.ParityPoint{
			Area: "autoscaling", Verdict: event.Same, Text: "no policy is given: concurrency with a target of 1",
		}},
		"faster": {func(m *emulator.Model) { m.MaxReplicas = 2 }, emulator.Circumstances{Containers: true, TimeScale: 10}, event.ParityPoint{
			Area: "autoscaling", Verdict: event.Approximated, Text: "windows, grace, retention and delays pass 10 times faster",
		}},
		"CPU of processes": {func(m *emulator.Model) {
			m.MaxReplicas, m.Deployment.DeploymentMode = 2, merlin.RawDeployment
		}, emulator.Circumstances{}, event.ParityPoint{Area: "autoscaling", Verdict: event.NotEmulated, Text: "a process's CPU"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := iris()
			if row.change != nil {
				row.change(m)
			}
			parity := m.Parity(row.here)
			found := false
			for _, p := range parity.Points {
				found = found || p.Area == row.want.Area && p.Verdict == row.want.Verdict && strings.HasPrefix(p.Text, row.want.Text)
			}
			if !found {
				t.Errorf("no %+v in %+v", row.want, parity.Points)
			}
			same, approximated, notEmulated := parity.Count()
			if same+approximated+notEmulated != len(parity.Points) {
				t.Errorf("%d points, counted %d, %d and %d", len(parity.Points), same, approximated, notEmulated)
			}
		})
	}
}
