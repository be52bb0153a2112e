package config

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// Portable is one model as the text of a file of its own, which says all that a run of its
// image depends on. What only the repo has is not in it: how the image is built, what is
// watched, a debugger, a command that serves it without Docker. Nor is the value of any
// secret. modelDir is written as it is given; empty is none.
func Portable(m emulator.Model, modelDir string) []byte {
	tree := newTree()
	for _, f := range modelTree(&m).fields {
		switch {
		case f.key == "platform", f.key == "artifact_uri" && modelDir == "":
			continue // a file that names where an artifact is has to have it
		case f.key == "resource_request" && !m.ScaleToZero && m.Deployment.ResourceRequest.MinReplica == 0:
			f.value.remove("min_replica") // a 0 that is written asks for none to run
		}
		f.comment = nil
		tree.fields = append(tree.fields, f)
		if f.key == "image" {
			tree.text("model_dir", modelDir)
		}
	}
	if m.Deployment.Image == "" {
		tree.text("model_dir", modelDir)
	}
	tree.local(&m)
	tree.wholePlatform(m.Deployment.Platform)
	var out strings.Builder
	tree.write(&out, "")
	return []byte(out.String())
}

// local has what only a run here reads.
func (t *draftTree) local(m *emulator.Model) {
	t.span("response_start_timeout", m.ResponseStartTimeout)
	t.span("idle_timeout", m.IdleTimeout)
	if m.Weight != 0 {
		t.count("weight", m.Weight)
	}
	t.text("fidelity", string(m.Fidelity))
	t.probe("readiness_probe", m.Readiness)
	t.probe("liveness_probe", m.Liveness)
	if m.Metrics.Push != "" {
		of := newTree()
		of.text("push", m.Metrics.Push)
		t.add("metrics", &of.node)
	}
}

func (t *draftTree) span(key string, d time.Duration) {
	if d != 0 {
		t.text(key, d.String())
	}
}

func (t *draftTree) probe(key string, p emulator.ProbeSettings) {
	of := newTree()
	of.text("kind", string(p.Kind))
	of.text("path", p.Path)
	of.span("initial_delay", p.InitialDelay)
	of.span("period", p.Period)
	of.span("timeout", p.Timeout)
	for _, n := range []struct {
		key   string
		count int
	}{{"success_threshold", p.SuccessThreshold}, {"failure_threshold", p.FailureThreshold}} {
		if n.count != 0 {
			of.count(n.key, n.count)
		}
	}
	if len(of.fields) > 0 {
		t.add(key, &of.node)
	}
}

// wholePlatform has all of it, since the defaults may be others where the file is read.
func (t *draftTree) wholePlatform(p merlin.Platform) {
	of := newTree()
	of.text("domain", p.Domain)
	vars := newTree()
	for _, v := range p.DefaultEnvVarsWithoutCPULimits {
		vars.add(v.Name, &node{text: v.Value})
	}
	if len(vars.fields) > 0 {
		of.add("default_env_vars_without_cpu_limits", &vars.node)
	}
	of.text("queue_resource_percentage", p.QueueResourcePercentage)
	of.text("user_container_cpu_default_limit", p.UserContainerCPUDefaultLimit)
	of.number("user_container_cpu_limit_request_factor", p.UserContainerCPULimitRequestFactor)
	of.number("user_container_memory_limit_request_factor", p.UserContainerMemoryLimitRequestFactor)
	of.text("max_cpu", p.MaxCPU)
	of.text("max_memory", p.MaxMemory)
	if p.MaxAllowedReplica != 0 {
		of.add("max_allowed_replica", &node{text: strconv.Itoa(p.MaxAllowedReplica), plain: true})
	}
	of.text("scale_to_zero_pod_retention", p.ScaleToZeroPodRetention.String())
	t.add("platform", &of.node)
}

func (n *node) remove(key string) {
	n.fields = slices.DeleteFunc(n.fields, func(f field) bool { return f.key == key })
}
