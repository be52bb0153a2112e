package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// input is a case of Merlin's real output; in a file of ours, its resource keys
// are grouped.
type input struct {
	Case          string `json:"case"`
	Project       string `json:"project"`
	Model         string `json:"model"`
	Version       string `json:"version"`
	Revision      int    `json:"revision"`
	Protocol      string `json:"protocol"`
	Image         string `json:"image"`
	ArtifactURI   string `json:"artifact_uri"`
	Command       string `json:"command"`
	Args          string `json:"args"`
	CPURequest    string `json:"cpu_request"`
	CPULimit      string `json:"cpu_limit"`
	MemoryRequest string `json:"memory_request"`
	MinReplica    int    `json:"min_replica"`
	MaxReplica    int    `json:"max_replica"`
	Mode          string `json:"deployment_mode"`
	EnvVars       []pair `json:"env_vars"`
	Secrets       []struct {
		MLPSecretName string `json:"mlp_secret_name"`
		EnvVarName    string `json:"env_var_name"`
	} `json:"secrets"`
	Autoscaling *struct {
		MetricsType string  `json:"metrics_type"`
		TargetValue float64 `json:"target_value"`
	} `json:"autoscaling_policy"`
	Platform struct {
		EnvVars         []pair  `json:"default_env_vars_without_cpu_limits"`
		QueuePercentage string  `json:"queue_resource_percentage"`
		CPUDefaultLimit string  `json:"user_container_cpu_default_limit"`
		CPUFactor       float64 `json:"user_container_cpu_limit_request_factor"`
		MemoryFactor    float64 `json:"user_container_memory_limit_request_factor"`
	} `json:"platform"`
}

type pair struct{ Name, Value string }

func (in input) deployment() merlin.Deployment {
	vars := func(pairs []pair) (all []merlin.EnvVar) {
		for _, p := range pairs {
			all = append(all, merlin.EnvVar(p))
		}
		return all
	}
	d := merlin.Deployment{
		Project: in.Project, Model: in.Model, Version: in.Version, Revision: in.Revision,
		Protocol: merlin.Protocol(in.Protocol), Image: in.Image, ArtifactURI: in.ArtifactURI,
		Command: in.Command, Args: in.Args, EnvVars: vars(in.EnvVars),
		DeploymentMode: merlin.DeploymentMode(in.Mode), Team: "dsp", Stream: "dsp",
		Platform: merlin.Platform{
			Domain:                                "models.example.com",
			DefaultEnvVarsWithoutCPULimits:        vars(in.Platform.EnvVars),
			QueueResourcePercentage:               in.Platform.QueuePercentage,
			UserContainerCPUDefaultLimit:          in.Platform.CPUDefaultLimit,
			UserContainerCPULimitRequestFactor:    in.Platform.CPUFactor,
			UserContainerMemoryLimitRequestFactor: in.Platform.MemoryFactor,
			ScaleToZeroPodRetention:               merlin.DefaultPlatform().ScaleToZeroPodRetention,
		},
	}
	for _, s := range in.Secrets {
		d.Secrets = append(d.Secrets, merlin.Secret(s))
	}
	if in.CPURequest != "" || in.MemoryRequest != "" {
		d.ResourceRequest = &merlin.ResourceRequest{
			CPURequest: in.CPURequest, CPULimit: in.CPULimit, MemoryRequest: in.MemoryRequest,
			MinReplica: in.MinReplica, MaxReplica: in.MaxReplica,
		}
	}
	if a := in.Autoscaling; a != nil {
		d.AutoscalingPolicy = &merlin.AutoscalingPolicy{MetricsType: a.MetricsType, TargetValue: a.TargetValue}
	}
	return d
}

// document is a case as JSON, with its resource keys where our file has them.
func document(t *testing.T, raw json.RawMessage) []byte {
	t.Helper()
	var keys map[string]json.RawMessage
	must(t, json.Unmarshal(raw, &keys))
	resources := map[string]json.RawMessage{}
	for _, name := range resourcesSpec().keys {
		if v, ok := keys[name.name]; ok {
			resources[name.name] = v
			delete(keys, name.name)
		}
	}
	delete(keys, "case")
	grouped, err := json.Marshal(resources)
	must(t, err)
	keys["resource_request"] = grouped
	keys["team"], keys["stream"] = json.RawMessage(`"dsp"`), json.RawMessage(`"dsp"`)
	doc, err := json.Marshal(keys)
	must(t, err)
	return doc
}

func TestEveryDeploymentOfMerlinCanBeWritten(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("..", "merlin", "testdata", "deployments.json"))
	must(t, err)
	var cases []struct {
		Input json.RawMessage `json:"input"`
	}
	must(t, json.Unmarshal(src, &cases))
	for _, c := range cases {
		var in input
		must(t, json.Unmarshal(c.Input, &in))
		t.Run(in.Case, func(t *testing.T) {
			asJSON := document(t, c.Input)
			asYAML, err := yaml.JSONToYAML(asJSON)
			must(t, err)
			equal(t, model(t, string(asYAML)).Deployment, in.deployment())
			equal(t, model(t, string(asJSON)).Deployment, in.deployment())
		})
	}
	if len(cases) != 28 {
		t.Errorf("%d cases, want 28", len(cases))
	}
}
