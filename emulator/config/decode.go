package config

import (
	"path/filepath"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// The defaults of Merlin, where it has one, else what a local run needs.
const (
	defaultProject    = "local"
	defaultVersion    = "1"
	defaultCPU        = "500m"
	defaultMemory     = "500Mi"
	defaultMinReplica = 0
	defaultMaxReplica = 1
	defaultTimeout    = 300 * time.Second

	dockerfile = "Dockerfile"
)

// decoder gives a model's tree its meaning.
type decoder struct {
	dir    string
	name   string // of a model without one
	path   string // of the model in the file, with a dot at the end
	report *report
}

func (d decoder) model(n *node) emulator.Model {
	m := emulator.Model{
		Deployment:           d.deployment(n),
		Dir:                  d.dir,
		ModelDir:             d.modelDir(n),
		Build:                d.build(n),
		Exec:                 n.string("exec", ""),
		ContainerConcurrency: n.integer("container_concurrency", 0),
		Timeout:              timeout(n, "timeout", defaultTimeout),
		ResponseStartTimeout: timeout(n, "response_start_timeout", 0),
		IdleTimeout:          timeout(n, "idle_timeout", 0),
		Weight:               n.integer("weight", 0),
		Readiness:            probeSettings(n.get("readiness_probe")),
		Liveness:             probeSettings(n.get("liveness_probe")),
		Watch:                watch(n.get("watch")),
		Debug:                d.debug(n.get("debug")),
		Metrics:              emulator.Metrics{Push: n.get("metrics").string("push", "")},
		Reload:               emulator.Reload(n.string("reload", string(emulator.ReloadAuto))),
		Fidelity:             emulator.Fidelity(n.string("fidelity", string(emulator.Documented))),
	}
	if r := m.Deployment.ResourceRequest; r != nil {
		m.Replicas, m.MaxReplicas = r.MinReplica, r.MaxReplica
		m.ScaleToZero = n.get("resource_request").get("min_replica") != nil && r.MinReplica == 0 && m.ScalesByRequests()
	}
	d.checkModel(n, &m)
	return m
}

func probeSettings(n *node) emulator.ProbeSettings {
	return emulator.ProbeSettings{
		Kind:             emulator.CheckKind(n.string("kind", "")),
		Path:             n.string("path", ""),
		InitialDelay:     timeout(n, "initial_delay", 0),
		Period:           timeout(n, "period", 0),
		Timeout:          timeout(n, "timeout", 0),
		SuccessThreshold: n.integer("success_threshold", 0),
		FailureThreshold: n.integer("failure_threshold", 0),
	}
}

func (d decoder) debug(n *node) emulator.Debug {
	debug := emulator.Debug{
		Kind: emulator.DebuggerKind(n.string("kind", "")), Command: n.string("command", ""),
		Port: n.integer("port", 0), Binary: n.string("binary", ""), Run: n.string("run", ""),
	}
	if debug.Binary != "" && !filepath.IsAbs(debug.Binary) {
		debug.Binary = filepath.Join(d.dir, debug.Binary)
	}
	return debug
}

func watch(n *node) emulator.Watch {
	w := emulator.Watch{Ignore: texts(n.elements("ignore")), Rebuild: texts(n.elements("rebuild"))}
	for _, s := range n.elements("sync") {
		w.Sync = append(w.Sync, emulator.Copy{From: s.string("from", ""), To: s.string("to", "")})
	}
	return w
}

func texts(nodes []*node) []string {
	var all []string
	for _, n := range nodes {
		all = append(all, n.text)
	}
	return all
}

func (d decoder) deployment(n *node) merlin.Deployment {
	return merlin.Deployment{
		Project:           n.string("project", defaultProject),
		Model:             n.string("model", d.name),
		Version:           n.string("version", defaultVersion),
		Revision:          n.integer("revision", 0),
		Protocol:          merlin.Protocol(n.string("protocol", string(merlin.HTTPJSON))),
		Image:             n.string("image", ""),
		ArtifactURI:       n.string("artifact_uri", ""),
		Command:           n.string("command", ""),
		Args:              n.string("args", ""),
		EnvVars:           envVars(n.get("env_vars")),
		Secrets:           secrets(n),
		ResourceRequest:   resourceRequest(n.get("resource_request")),
		DeploymentMode:    merlin.DeploymentMode(n.string("deployment_mode", string(merlin.Serverless))),
		AutoscalingPolicy: autoscaling(n.get("autoscaling_policy")),
		Team:              n.string("team", ""),
		Stream:            n.string("stream", ""),
		Environment:       n.string("environment", ""),
		Labels:            labels(n),
		Platform:          platform(n.get("platform")),
	}
}

func envVars(n *node) []merlin.EnvVar {
	var vars []merlin.EnvVar
	for _, p := range n.pairs("name") {
		vars = append(vars, merlin.EnvVar{Name: p.key, Value: p.value.text})
	}
	return vars
}

func labels(n *node) []merlin.Label {
	var all []merlin.Label
	for _, p := range n.get("labels").pairs("key") {
		all = append(all, merlin.Label{Key: p.key, Value: p.value.text})
	}
	return all
}

func secrets(n *node) []merlin.Secret {
	var all []merlin.Secret
	for _, s := range n.elements("secrets") {
		all = append(all, merlin.Secret{
			MLPSecretName: s.string("mlp_secret_name", ""),
			EnvVarName:    s.string("env_var_name", ""),
		})
	}
	return all
}

// resourceRequest is nil where the user asks for nothing, which Merlin answers with
// its default as a whole; a field that is left out takes its own default.
func resourceRequest(n *node) *merlin.ResourceRequest {
	if n == nil || empty(n.get("cpu_request")) && empty(n.get("memory_request")) {
		return nil
	}
	return &merlin.ResourceRequest{
		CPURequest:    n.nonEmpty("cpu_request", defaultCPU),
		CPULimit:      n.string("cpu_limit", ""),
		MemoryRequest: n.nonEmpty("memory_request", defaultMemory),
		MinReplica:    n.integer("min_replica", defaultMinReplica),
		MaxReplica:    n.integer("max_replica", defaultMaxReplica),
	}
}

func empty(n *node) bool { return n != nil && n.text == "" }

func autoscaling(n *node) *merlin.AutoscalingPolicy {
	if n == nil {
		return nil
	}
	return &merlin.AutoscalingPolicy{
		MetricsType: n.string("metrics_type", ""),
		TargetValue: n.number("target_value", 0),
	}
}

func platform(n *node) merlin.Platform {
	p := merlin.DefaultPlatform()
	p.Domain = n.string("domain", p.Domain)
	if vars := n.get("default_env_vars_without_cpu_limits"); vars != nil {
		p.DefaultEnvVarsWithoutCPULimits = envVars(vars)
	}
	p.QueueResourcePercentage = n.string("queue_resource_percentage", p.QueueResourcePercentage)
	p.UserContainerCPUDefaultLimit = n.string("user_container_cpu_default_limit", p.UserContainerCPUDefaultLimit)
	p.UserContainerCPULimitRequestFactor = n.number("user_container_cpu_limit_request_factor", p.UserContainerCPULimitRequestFactor)
	p.UserContainerMemoryLimitRequestFactor = n.number("user_container_memory_limit_request_factor", p.UserContainerMemoryLimitRequestFactor)
	p.MaxCPU = n.string("max_cpu", p.MaxCPU)
	p.MaxMemory = n.string("max_memory", p.MaxMemory)
	p.MaxAllowedReplica = n.integer("max_allowed_replica", p.MaxAllowedReplica)
	p.ScaleToZeroPodRetention = timeout(n, "scale_to_zero_pod_retention", p.ScaleToZeroPodRetention)
	return p
}

func timeout(n *node, key string, def time.Duration) time.Duration {
	v := n.get(key)
	if v == nil {
		return def
	}
	d, _ := seconds(v.text, v.plain)
	return d
}

// build is the one that is written, else the Dockerfile beside the file where no
// image is named.
func (d decoder) build(n *node) *emulator.Build {
	b := n.get("build")
	if b == nil && (n.gives("build") || n.gives("image") || !isFile(filepath.Join(d.dir, dockerfile))) {
		return nil
	}
	context := absolute(d.dir, b.string("context", "."))
	build := &emulator.Build{
		Context:    context,
		Dockerfile: absolute(context, b.string("dockerfile", dockerfile)),
		Args:       envVars(b.get("args")),
		Target:     b.string("target", ""),
		Run:        b.string("run", ""),
		Secrets:    d.buildSecrets(b),
		SSH:        texts(b.elements("ssh")),
	}
	return build
}

func (d decoder) buildSecrets(b *node) []emulator.BuildSecret {
	var all []emulator.BuildSecret
	for _, s := range b.elements("secrets") {
		secret := emulator.BuildSecret{ID: s.string("id", ""), Env: s.string("env", "")}
		if src := s.string("src", ""); src != "" {
			secret.File = absolute(d.dir, src)
		}
		all = append(all, secret)
	}
	return all
}

func (d decoder) modelDir(n *node) string {
	if dir := n.string("model_dir", ""); dir != "" {
		return absolute(d.dir, dir)
	}
	return ""
}
