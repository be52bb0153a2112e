package emulator

import (
	"net/netip"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
	"github.com/caraml-dev/merlin-local/emulator/scale"
)

func TestTargetsAreRoundedAsMerlinPrintsThem(t *testing.T) {
	model := func(metric string, value float64) *Model {
		m := &Model{MaxReplicas: 3}
		m.Deployment.Platform = merlin.DefaultPlatform()
		m.Deployment.AutoscalingPolicy = &merlin.AutoscalingPolicy{MetricsType: metric, TargetValue: value}
		return m
	}
	if s := model(merlin.MetricConcurrency, 1.504).kpa(); s.Total != 1.5 { // %.2f
		t.Errorf("concurrency: %v", s.Total)
	}
	if s := model(merlin.MetricRPS, 20.4).kpa(); s.Total != 20 { // %.0f
		t.Errorf("rps: %v", s.Total)
	}
	limited := model(merlin.MetricConcurrency, 10)
	limited.ContainerConcurrency = 2
	if s := limited.kpa(); s.Total != 2 {
		t.Errorf("limited: %v", s.Total)
	}
	if s, err := model(merlin.MetricCPU, 60.4).hpa(); err != nil || s.Target != 60 {
		t.Errorf("CPU: %v, %v", s.Target, err)
	}
	// 1Gi times 70 % is 716.8Mi.
	memory := model(merlin.MetricMemory, 70)
	memory.Deployment.ResourceRequest = &merlin.ResourceRequest{MemoryRequest: "1Gi", MaxReplica: 3}
	if s, err := memory.hpa(); err != nil || s.Target != 717 || s.Bounds != (scale.Bounds{Min: 1, Max: 3}) {
		t.Errorf("memory: %+v, %v", s, err)
	}
}

func TestTheOneThatLeavesFirst(t *testing.T) {
	named := func(name string, ready bool) *pod {
		p := &pod{name: name}
		if ready {
			p.state.address = netip.MustParseAddrPort("127.0.0.1:1")
		}
		return p
	}
	for want, pods := range map[string][]*pod{
		"youngest":  {named("a", true), named("youngest", true)},
		"unready":   {named("a", true), named("unready", false), named("b", true)},
		"the later": {named("a", false), named("the later", false), named("b", true)},
		"alone":     {named("alone", true)},
		"first":     {named("first", false), named("b", true)},
	} {
		if got := first(pods).name; got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}
