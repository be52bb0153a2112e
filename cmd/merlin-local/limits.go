package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// warnOfLimits says before anything runs where limits do not hold, or cannot.
func (s *upSession) warnOfLimits() {
	if s.engine.docker == nil {
		return // the runtime's own warning says so
	}
	if s.noLimits {
		s.warn("--no-limits: containers get no CPU and no memory limit; what is OOMKilled or held back in production runs here")
		return
	}
	if text := overcommitted(s.models, s.engine.docker.Memory()); text != "" {
		s.warn(text)
	}
}

// overcommitted says that all memory limits together are more than the machine has, in
// bytes; it is empty where they are not.
func overcommitted(models []*emulator.Model, has int64) string {
	sum, containers := int64(0), 0
	for _, m := range models {
		resources, err := m.Deployment.Resources()
		if err != nil || resources.Limits.Memory == nil {
			continue
		}
		n := max(m.Replicas, m.MaxReplicas, 1)
		sum += int64(n) * resources.Limits.Memory.Value()
		containers += n
	}
	if has == 0 || sum <= has {
		return ""
	}
	return fmt.Sprintf("the memory limits of %d container(s) are %s together, and the Docker Engine's machine has %s: it may run out of memory before a limit is reached; give Docker more, run fewer replicas, or lower resource_request.memory_request",
		containers, prose.Memory(sum), prose.Memory(has))
}

// printUsage shows what the containers take of the machine against their limits.
func printUsage(w io.Writer, state *session.State) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows, sum := 0, session.Usage{}
	for _, m := range state.Models {
		for _, p := range m.Pods {
			if p.Usage == nil {
				continue
			}
			if rows++; rows == 1 {
				fmt.Fprintln(w)
				fmt.Fprintln(table, "POD\tCPU\tTHROTTLED\tMEMORY\tPEAK\tLIMIT\tPIDS\tOOM KILLS")
			}
			printPodUsage(table, m, p)
		}
		if m.Usage != nil && m.Usage.Memory > 0 {
			sum.CPU += m.Usage.CPU
			sum.Memory += m.Usage.Memory
			sum.MemoryLimit += m.Usage.MemoryLimit
			sum.PIDs += m.Usage.PIDs
		}
	}
	if rows > 1 {
		fmt.Fprintf(table, "all\t%.2f\t\t%s\t\t%s\t%d\t\n", sum.CPU, prose.Memory(sum.Memory), limit(sum.MemoryLimit), sum.PIDs)
	}
	return table.Flush()
}

func printPodUsage(w io.Writer, m *session.Model, p *session.Pod) {
	u := p.Usage
	cpu := fmt.Sprintf("%.2f", u.CPU)
	if m.CPULimit != "" {
		cpu += " of " + m.CPULimit
	}
	throttled := fmt.Sprintf("%.0f%%", 100*u.ThrottledShare)
	if u.Throttled > 0 {
		throttled += ", " + prose.Duration(u.Throttled) + " in all"
	}
	fmt.Fprintf(w, "%s/%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\n",
		m.ID, p.Name, cpu, throttled, prose.Memory(u.Memory), prose.Memory(u.MemoryPeak), limit(u.MemoryLimit), u.PIDs, p.OOMKills)
}

func limit(bytes int64) string {
	if bytes == 0 {
		return "none"
	}
	return prose.Memory(bytes)
}

// printStops tells of bad ends in this session.
func printStops(w io.Writer, m *session.Model) {
	if m.Killed > 0 {
		fmt.Fprintf(w, "\n%s: %d container(s) ignored SIGTERM and were killed\n", m.ID, m.Killed)
	}
	if m.RequestsCut > 0 {
		fmt.Fprintf(w, "\n%s: %d request(s) were cut by a stop\n", m.ID, m.RequestsCut)
	}
}
