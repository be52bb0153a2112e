package merlin_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// golden is one deployment with what Merlin itself made of it.
type golden struct {
	Input struct {
		Case, Project, Model, Version, Protocol, Image, Command, Args string
		Revision                                                      int
		ArtifactURI                                                   string          `json:"artifact_uri"`
		EnvVars                                                       []merlin.EnvVar `json:"env_vars"`
		Secrets                                                       []struct {
			MLPSecretName string `json:"mlp_secret_name"`
			EnvVarName    string `json:"env_var_name"`
		}
		CPURequest        string `json:"cpu_request"`
		CPULimit          string `json:"cpu_limit"`
		MemoryRequest     string `json:"memory_request"`
		MinReplica        int    `json:"min_replica"`
		MaxReplica        int    `json:"max_replica"`
		DeploymentMode    string `json:"deployment_mode"`
		AutoscalingPolicy *struct {
			MetricsType string  `json:"metrics_type"`
			TargetValue float64 `json:"target_value"`
		} `json:"autoscaling_policy"`
		Platform struct {
			Defaults     []merlin.EnvVar `json:"default_env_vars_without_cpu_limits"`
			Queue        string          `json:"queue_resource_percentage"`
			CPULimit     string          `json:"user_container_cpu_default_limit"`
			CPUFactor    float64         `json:"user_container_cpu_limit_request_factor"`
			MemoryFactor float64         `json:"user_container_memory_limit_request_factor"`
		}
	}
	Error            string
	InferenceService struct {
		Metadata struct{ Name, Namespace string }
		Spec     struct {
			Predictor struct {
				MinReplicas, MaxReplicas int
				Containers               []struct {
					Image         string
					Command, Args []string
					Ports         []struct {
						Name          string
						ContainerPort int
					}
					Env []struct {
						Name, Value string
						ValueFrom   *struct {
							SecretKeyRef struct{ Name, Key string }
						}
					}
					Resources struct{ Limits, Requests map[string]string }
				}
			}
		}
	} `json:"inference_service"`
	VirtualService struct {
		Spec struct{ Hosts []string }
	} `json:"virtual_service"`
}

func goldens(t *testing.T) []golden {
	t.Helper()
	data, err := os.ReadFile("testdata/deployments.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []golden
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 28 {
		t.Fatalf("testdata holds %d deployments, want 28", len(all))
	}
	return all
}

// deployment is the case's input as a Deployment. An empty request is none.
func (g golden) deployment() merlin.Deployment {
	in := g.Input
	d := merlin.Deployment{
		Project: in.Project, Model: in.Model, Version: in.Version, Revision: in.Revision,
		Protocol: merlin.Protocol(in.Protocol), Image: in.Image, ArtifactURI: in.ArtifactURI,
		Command: in.Command, Args: in.Args, EnvVars: in.EnvVars,
		DeploymentMode: merlin.DeploymentMode(in.DeploymentMode), Team: "dsp", Stream: "dsp",
		Platform: merlin.Platform{
			Domain:                                "models.example.com",
			QueueResourcePercentage:               in.Platform.Queue,
			DefaultEnvVarsWithoutCPULimits:        in.Platform.Defaults,
			UserContainerCPUDefaultLimit:          in.Platform.CPULimit,
			UserContainerCPULimitRequestFactor:    in.Platform.CPUFactor,
			UserContainerMemoryLimitRequestFactor: in.Platform.MemoryFactor,
		},
	}
	for _, s := range in.Secrets {
		d.Secrets = append(d.Secrets, merlin.Secret{MLPSecretName: s.MLPSecretName, EnvVarName: s.EnvVarName})
	}
	if in.CPURequest != "" || in.MemoryRequest != "" {
		d.ResourceRequest = &merlin.ResourceRequest{
			CPURequest: in.CPURequest, CPULimit: in.CPULimit, MemoryRequest: in.MemoryRequest,
			MinReplica: in.MinReplica, MaxReplica: in.MaxReplica,
		}
	}
	if p := in.AutoscalingPolicy; p != nil {
		d.AutoscalingPolicy = &merlin.AutoscalingPolicy{MetricsType: p.MetricsType, TargetValue: p.TargetValue}
	}
	return d
}
