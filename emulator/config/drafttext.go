package config

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// headText says where a draft is from, and what it does not carry.
func headText(name string, lost Errors) []byte {
	lines := []string{"Made of " + printable(name) + " by merlin-local init."}
	if len(lost) > 0 {
		lines = append(lines, "What of it is not here, or not the same:")
	}
	for _, l := range lost {
		lines = append(lines, "  "+printable(l.Path+": "+l.Message))
	}
	return []byte("# " + strings.Join(lines, "\n# ") + "\n")
}

// printable leaves no line break in a comment.
func printable(text string) string {
	if q := quoted(text); q != `"`+text+`"` && strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return q
	}
	return text
}

// modelsText is a file of one model, or of several under models.
func modelsText(models []emulator.Model) []byte {
	root := modelTree(&models[0])
	if len(models) > 1 {
		list := &node{shape: sequence}
		for i := range models {
			list.items = append(list.items, modelTree(&models[i]))
		}
		root = &node{shape: mapping, fields: []field{{key: "models", value: list}}}
	}
	var out strings.Builder
	root.write(&out, "")
	return []byte(out.String())
}

// draftTree is a mapping in the making: what is empty is left out.
type draftTree struct{ node }

func (t *draftTree) add(key string, value *node, comment ...string) {
	t.fields = append(t.fields, field{key: key, value: value, comment: comment})
}

func (t *draftTree) text(key, text string, comment ...string) {
	if text != "" {
		t.add(key, &node{text: text}, comment...)
	}
}

func (t *draftTree) number(key string, value float64) {
	t.add(key, &node{text: strconv.FormatFloat(value, 'f', -1, 64), plain: true})
}

func (t *draftTree) count(key string, n int) {
	t.add(key, &node{text: strconv.Itoa(n), plain: true})
}

func newTree() *draftTree { return &draftTree{node{shape: mapping}} }

func modelTree(m *emulator.Model) *node {
	d := m.Deployment
	t := newTree()
	t.text("project", d.Project)
	t.text("model", d.Model)
	t.text("version", d.Version)
	if d.Revision > 0 {
		t.count("revision", d.Revision)
	}
	t.text("protocol", string(d.Protocol))
	t.text("image", d.Image)
	t.text("command", d.Command)
	t.text("args", d.Args)
	t.text("artifact_uri", d.ArtifactURI, "Not fetched: download what is in /model there, and name that folder as model_dir.")
	t.variables(d)
	t.secrets(d.Secrets)
	t.resources(d.ResourceRequest)
	t.autoscaling(d)
	if m.ContainerConcurrency != 0 {
		t.count("container_concurrency", m.ContainerConcurrency)
	}
	if m.Timeout != 0 {
		t.count("timeout", int(m.Timeout/time.Second))
	}
	t.text("team", d.Team)
	t.text("stream", d.Stream)
	t.text("environment", d.Environment)
	t.labels(d.Labels)
	t.platform(d.Platform)
	return &t.node
}

// longestKey is what YAML allows for the key of a mapping that has no ? before it.
const longestKey = 1000

// variables are a mapping where they can be, and a list where a name comes twice.
func (t *draftTree) variables(d merlin.Deployment) {
	if len(d.EnvVars) == 0 {
		return
	}
	var comment []string
	if r := d.ResourceRequest; r == nil || r.CPULimit == "" {
		comment = append(comment, "If the platform adds variables where there is no CPU limit, these are among them.")
	}
	if slices.ContainsFunc(d.Secrets, func(s merlin.Secret) bool { return names(d.EnvVars, s.EnvVarName) > 0 }) {
		comment = append(comment, "One that has a secret's name only holds its place: the secret's value counts.")
	}
	vars := newTree()
	list := &node{shape: sequence}
	asList := false
	for _, v := range d.EnvVars {
		vars.add(v.Name, &node{text: v.Value})
		item := newTree()
		item.add("name", &node{text: v.Name})
		item.add("value", &node{text: v.Value})
		list.items = append(list.items, &item.node)
		asList = asList || names(d.EnvVars, v.Name) > 1 || len(v.Name) > longestKey
	}
	if asList {
		t.add("env_vars", list, comment...)
		return
	}
	t.add("env_vars", &vars.node, comment...)
}

func names(vars []merlin.EnvVar, name string) int {
	count := 0
	for _, v := range vars {
		if v.Name == name {
			count++
		}
	}
	return count
}

func (t *draftTree) secrets(secrets []merlin.Secret) {
	if len(secrets) == 0 {
		return
	}
	list := &node{shape: sequence}
	for _, s := range secrets {
		item := newTree()
		item.add("mlp_secret_name", &node{text: s.MLPSecretName})
		item.add("env_var_name", &node{text: s.EnvVarName})
		list.items = append(list.items, &item.node)
	}
	t.add("secrets", list, "No value is here: export the variables, or write them to .env, which git should ignore.")
}

func (t *draftTree) resources(r *merlin.ResourceRequest) {
	if r == nil {
		return
	}
	of := newTree()
	of.text("cpu_request", r.CPURequest)
	of.text("cpu_limit", r.CPULimit)
	of.text("memory_request", r.MemoryRequest)
	of.count("min_replica", r.MinReplica)
	of.count("max_replica", r.MaxReplica)
	t.add("resource_request", &of.node)
}

func (t *draftTree) autoscaling(d merlin.Deployment) {
	if d.Raw() {
		t.text("deployment_mode", string(d.DeploymentMode))
	}
	if p := d.AutoscalingPolicy; p != nil {
		of := newTree()
		of.text("metrics_type", p.MetricsType)
		of.number("target_value", p.TargetValue)
		t.add("autoscaling_policy", &of.node)
	}
}

func (t *draftTree) labels(labels []merlin.Label) {
	of := newTree()
	for _, l := range labels {
		of.add(l.Key, &node{text: l.Value})
	}
	if len(labels) > 0 {
		t.add("labels", &of.node)
	}
}

// platform has what differs from Merlin's shipped configuration.
func (t *draftTree) platform(p merlin.Platform) {
	usual := merlin.DefaultPlatform()
	of := newTree()
	if p.Domain != usual.Domain {
		of.add("domain", &node{text: p.Domain})
	}
	if p.QueueResourcePercentage != usual.QueueResourcePercentage {
		of.text("queue_resource_percentage", p.QueueResourcePercentage)
	}
	if p.UserContainerMemoryLimitRequestFactor != usual.UserContainerMemoryLimitRequestFactor {
		of.number("user_container_memory_limit_request_factor", p.UserContainerMemoryLimitRequestFactor)
	}
	if len(of.fields) > 0 {
		t.add("platform", &of.node)
	}
}
