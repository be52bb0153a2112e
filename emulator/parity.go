package emulator

import (
	"fmt"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// Circumstances are what of a run decides how near it is to production.
type Circumstances struct {
	Containers      bool    // else processes of this host
	CPUs            float64 // what the machine has; 0 is not known
	NoLimits        bool
	Foreign         bool // images of another CPU architecture may run, emulated
	ProductionGrace bool
	TimeScale       float64 // of the autoscalers; 0 is 1
}

// Parity says point by point how a model runs here and in production.
func (m *Model) Parity(c Circumstances) event.Parity {
	p := &parity{Model: m, Circumstances: c}
	p.variables()
	p.files()
	p.limits()
	p.probes()
	p.traffic()
	p.life()
	p.surroundings()
	p.debugger()
	return event.Parity{Points: p.points}
}

type parity struct {
	*Model
	Circumstances
	points []event.ParityPoint
}

func (p *parity) same(area, text string, args ...any) {
	p.points = append(p.points, event.ParityPoint{Area: area, Verdict: event.Same, Text: fmt.Sprintf(text, args...)})
}

func (p *parity) near(area, text string, args ...any) {
	p.points = append(p.points, event.ParityPoint{Area: area, Verdict: event.Approximated, Text: fmt.Sprintf(text, args...)})
}

func (p *parity) lacks(area, text string, args ...any) {
	p.points = append(p.points, event.ParityPoint{Area: area, Verdict: event.NotEmulated, Text: fmt.Sprintf(text, args...)})
}

func (p *parity) variables() {
	p.same("variables", "Merlin's, KServe's and Knative's, in production's order, expanded as the kubelet does")
	switch {
	case p.Fidelity == Deployed:
		p.same("variables", "STORAGE_URI is the mount's path, as KServe's webhook sets it")
	default:
		p.near("variables", "STORAGE_URI is the remote URI, as documented; the cluster shows /mnt/models (fidelity: deployed)")
	}
	if len(p.Deployment.Secrets) > 0 {
		p.near("variables", "secrets have the values of this host or of env_file, not MLP's")
	}
	words := p.Deployment.Command + p.Deployment.Args
	if words != "" {
		p.same("command", "command and args are cut at every space and expanded as there")
	}
}

func (p *parity) files() {
	port := merlin.Production().ServingPort(p.Deployment.Protocol)
	if !p.Containers {
		p.near("mount", "the artifact is in a folder of its own, which CARAML_ARTIFACT_LOCATION names; it can be written to")
		p.near("port", "a free port of this host, which the variables name, not %d", port)
		p.lacks("image", "no image: the host's programs and files are there")
		return
	}
	p.same("mount", "the content of model_dir with model.properties, read-only at /mnt/models")
	p.same("port", "%d, and no other", port)
	p.same("image", "its own user, entrypoint and files; no health check of its own")
	if p.Foreign {
		p.near("image", "an image of another CPU architecture is emulated, where production refuses it (--allow-emulation)")
	}
	p.lacks("mount", "no storage initializer runs: archives are not unpacked, and its errors are not played")
}

func (p *parity) limits() {
	resources, err := p.Deployment.Resources()
	switch {
	case !p.Containers:
		p.lacks("limits", "a process of this host has no limits")
	case p.NoLimits:
		p.lacks("limits", "turned off by --no-limits")
	case err == nil:
		p.memory(resources.Limits)
		p.cpu(resources.Limits)
		p.same("limits", "no limit of processes and threads: Merlin sets none (a cluster's kubelet may, as podPidsLimit)")
	}
	p.lacks("requests", "no CPU or memory is set aside: what else this machine does can slow the model down")
}

func (p *parity) memory(l merlin.Quantities) {
	if l.Memory == nil {
		p.same("limits", "no memory limit")
		return
	}
	p.same("limits", "memory %s without swap, OOM kill included", l.Memory.String())
}

func (p *parity) cpu(l merlin.Quantities) {
	switch {
	case l.CPU == nil:
		p.near("limits", "no CPU limit, as there; this machine has %g where a node has its own", p.CPUs)
	case p.CPUs > 0 && l.CPU.AsApproximateFloat64() > p.CPUs:
		p.near("limits", "CPU %s, of which this machine has %g", l.CPU.String(), p.CPUs)
	default:
		p.same("limits", "CPU %s", l.CPU.String())
	}
}

func (p *parity) probes() {
	if p.Readiness != (ProbeSettings{}) || p.Liveness != (ProbeSettings{}) {
		p.near("probes", "changed by readiness_probe or liveness_probe, which Merlin does not know")
		return
	}
	if p.Fidelity == Deployed {
		p.same("probes", "ready once the port takes a connection; no liveness probe")
		return
	}
	p.near("probes", "as documented; the cluster only connects to the port and has no liveness probe (fidelity: deployed)")
}

func (p *parity) traffic() {
	p.same("timeouts", "%s for the whole request, and queue-proxy's exact answers", p.timeout())
	if p.ContainerConcurrency > 0 {
		p.same("concurrency", "%d a replica, ten times as many wait, then 503", p.ContainerConcurrency)
	} else {
		p.same("concurrency", "no limit")
	}
	p.near("routes", "Merlin's routes and rewrites, at hosts of this machine, without TLS")
	if p.Fidelity == Deployed {
		p.same("headers", "queue-proxy's and the activator's hop, Host of the predictor")
	} else {
		p.near("headers", "queue-proxy's; Host, Content-Type and the activator's hop as documented (fidelity: deployed)")
	}
	p.lacks("headers", "what Envoy adds: x-request-id, x-envoy-*, X-Forwarded-Proto, 60 KiB of headers, path normalisation")
	p.near("metrics", "queue-proxy's names and buckets; the pod's name is made up")
	if p.Metrics.Push != "" {
		p.near("metrics", "%s leads to this session's Pushgateway-compatible endpoint, which forgets at the end; production has one of the platform's own", p.Metrics.Push)
	}
}

func (p *parity) life() {
	p.same("restarts", "the kubelet's back-off, 10 s doubling to 5 min")
	if p.ProductionGrace {
		p.same("termination", "30 s without a request, then SIGTERM, then %s until SIGKILL", p.timeout())
	} else {
		p.near("termination", "running requests finish, SIGTERM, then a shorter grace period than production's %s (--grace production)", p.timeout())
	}
	p.replicas()
	if p.Deployment.Raw() {
		p.lacks("mode", "raw_deployment is played without Knative's variables, but behind queue-proxy, which it does not have")
	}
}

func (p *parity) surroundings() {
	if p.Containers {
		p.near("identity", "the hostname is named like a pod")
		p.near("network", "a container's own address on this host's Docker network; the internet as this host has it")
	} else {
		p.lacks("network", "the model shares this host's network")
	}
	p.lacks("network", "no cluster DNS, no services, no network policies, no mesh")
	p.lacks("identity", "no service account, no workload identity, no cloud credentials")
	p.lacks("logger", "no request logger and no sidecar of Merlin's")
}
