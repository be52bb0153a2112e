//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// faultyLab is a session of one model in a container, whose readiness is asked for every
// second.
func faultyLab(t *testing.T, flags ...string) *lab {
	t.Helper()
	l, image := prebuilt(t)
	check(t, os.WriteFile(filepath.Join(l.repo, "merlin-local.yaml"), []byte("model: iris\nimage: "+image+`
readiness_probe: { period: 1s, failure_threshold: 1 }
resource_request: { cpu_request: 500m }
platform: { user_container_cpu_limit_request_factor: 1 }
`), 0o644))
	l.up(flags...)
	return l
}

func TestAContainerIsKilledInMidRequestAndStartedAgain(t *testing.T) {
	l := faultyLab(t)
	before := l.status().Models[0].ContainerID
	l.must("fault", "kill")
	out, code := l.run("predict", "-d", "{}")
	if code != exitFailed {
		t.Errorf("the exit code is %d", code)
	}
	contains(t, out, "502 Bad Gateway")
	await(t, "another container serves", func() bool {
		m := l.status().Models[0]
		return m.Phase == event.PhaseReady && m.ContainerID != before
	})
	m := l.status().Models[0]
	if m.LastExit == nil || m.LastExit.Code != 137 || m.LastExit.OOMKilled || m.LastExit.Expected || m.Restarts != 1 {
		t.Errorf("restarts %d, the last exit is %+v", m.Restarts, m.LastExit)
	}
	if len(m.Faults) != 0 {
		t.Errorf("the kill is still on: %+v", m.Faults)
	}
	contains(t, l.must("predict", "-d", "{}"), "iris-1")
	l.must("down")
	l.nothingLeft()
}

func TestACPUSqueezeHoldsWhileTheContainerRunsAndIsRestoredExactly(t *testing.T) {
	l := faultyLab(t, "--fault", "cpu=50m")
	if c := l.inspect(); c.HostConfig.CPUQuota != 5_000 || c.HostConfig.CPUPeriod != 100_000 {
		t.Errorf("from the start it has %d of %d", c.HostConfig.CPUQuota, c.HostConfig.CPUPeriod)
	}
	squeezed := l.inspect().ID
	l.must("fault", "clear")
	if c := l.inspect(); c.HostConfig.CPUQuota != 50_000 || c.ID != squeezed {
		t.Errorf("afterwards container %s, before %s, has %d", c.ID, squeezed, c.HostConfig.CPUQuota)
	}
	l.must("fault", "cpu=100m")
	if quota := l.inspect().HostConfig.CPUQuota; quota != 10_000 {
		t.Errorf("then it has %d", quota)
	}
	l.must("reload")
	if c := l.inspect(); c.HostConfig.CPUQuota != 10_000 || c.ID == squeezed {
		t.Errorf("the next revision's container %s has %d", c.ID, c.HostConfig.CPUQuota)
	}
	contains(t, l.must("status", "--parity"), "cpu=100m on request")
	l.must("fault", "clear", "cpu")
	if quota := l.inspect().HostConfig.CPUQuota; quota != 50_000 {
		t.Errorf("at last it has %d", quota)
	}
	l.must("down")
	l.nothingLeft()
}

func TestAContainerWithoutALimitHasNoneAfterASqueeze(t *testing.T) {
	l := faultyLab(t, "--no-limits")
	l.must("fault", "cpu=100m")
	if quota := l.inspect().HostConfig.CPUQuota; quota != 10_000 {
		t.Errorf("it has %d", quota)
	}
	l.must("fault", "clear")
	if quota := l.inspect().HostConfig.CPUQuota; quota > 0 {
		t.Errorf("afterwards it has %d", quota)
	}
	l.must("down")
	l.nothingLeft()
}

func TestProbesThatFailOnRequestTakeTheModelOffItsRoute(t *testing.T) {
	l := faultyLab(t)
	l.must("fault", "probes=readiness")
	await(t, "the model is not ready", func() bool { return l.status().Models[0].Phase == event.PhaseWaiting })
	if p := l.status().Models[0].LastProbe; p == nil || p.OK || !strings.Contains(p.Outcome, "on request") {
		t.Errorf("the last probe is %+v", p)
	}
	l.must("fault", "clear")
	await(t, "the model is ready again", func() bool { return l.status().Models[0].Phase == event.PhaseReady })
	contains(t, l.must("predict", "-d", "{}"), "iris-1")
	l.must("down")
	l.nothingLeft()
}
