package docker

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"github.com/caraml-dev/merlin-local/emulator"
)

// cpuPeriod is the kernel's scheduling period in microseconds. Period and quota may
// stand above the host's cores; the Engine's own NanoCPUs may not.
const cpuPeriod = 100_000

// blueprint is what a container is created from.
type blueprint struct {
	name   string
	config *container.Config
	host   *container.HostConfig
}

// draw turns a replica's spec into a container that sees what a pod's would.
func (r *Runtime) draw(spec emulator.ContainerSpec, reach Reach, artifact []mount.Mount) blueprint {
	image := spec.Image.ID
	if image == "" {
		image = spec.Image.Reference
	}
	b := blueprint{
		name: containerName(spec),
		config: &container.Config{
			Image:      image,
			Env:        spec.Env,
			Entrypoint: spec.Command, // the Engine then drops the image's CMD, as Kubernetes does
			Cmd:        spec.Args,
			User:       spec.User,
			Hostname:   spec.Hostname,
			Labels:     r.labelsFor(roleModel, spec),
			// Kubernetes does not run the image's own health check.
			Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
		},
		host: &container.HostConfig{
			Mounts:        artifact,
			ExtraHosts:    []string{"host.docker.internal:host-gateway"},
			Init:          new(bool), // the model's process is PID 1, as in a pod
			RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled},
			LogConfig: container.LogConfig{
				Type:   "json-file", // the Engine's default may not be readable
				Config: map[string]string{"max-size": "10m", "max-file": "3"},
			},
			Resources: resources(spec),
		},
	}
	if reach == ReachPublished {
		ports := []int{spec.Port}
		if spec.DebugPort > 0 {
			ports = append(ports, spec.DebugPort)
		}
		publish(b.config, b.host, ports...)
	}
	if spec.Ptrace {
		b.host.CapAdd = []string{"SYS_PTRACE"}
	}
	return b
}

func resources(spec emulator.ContainerSpec) container.Resources {
	limits := container.Resources{
		Memory:     spec.MemoryBytes,
		MemorySwap: spec.MemoryBytes, // with the memory: a pod has no swap
	}
	if spec.CPUMillis > 0 {
		limits.CPUPeriod = cpuPeriod
		limits.CPUQuota = spec.CPUMillis * cpuPeriod / 1000
	}
	return limits
}

// effectiveCPUs is what the Engine's host can give of the limit.
func (r *Runtime) effectiveCPUs(spec emulator.ContainerSpec) float64 {
	if spec.CPUMillis == 0 {
		return float64(r.engine.cpus)
	}
	return min(float64(spec.CPUMillis)/1000, float64(r.engine.cpus))
}

// containerName says whose a container is, and is new each time: a name could still be
// taken by one that is being removed.
func containerName(spec emulator.ContainerSpec) string {
	return fmt.Sprintf("merlin-local-%s-%s-r%d-%s", spec.Model.Deployment.Project, spec.Model.ID(), spec.Revision, randomSuffix())
}

func randomSuffix() string {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}
