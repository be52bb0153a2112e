// Package merlin is the production contract as pure functions: what Merlin's
// control plane, KServe and Knative make of a custom model. It knows nothing of
// Docker, files or clocks; the same input always gives the same output.
//
// The rules are Merlin v0.48.5's, KServe 0.12's and Knative Serving 0.40-0.42's.
package merlin

import "time"

// Protocol is what a model speaks.
type Protocol string

// The protocols of a custom model.
const (
	HTTPJSON Protocol = "HTTP_JSON"
	UPIV1    Protocol = "UPI_V1"
)

// DeploymentMode is how KServe runs a model.
type DeploymentMode string

// The deployment modes; an empty one is Serverless.
const (
	Serverless    DeploymentMode = "serverless"
	RawDeployment DeploymentMode = "raw_deployment"
)

// EnvVar is a variable as the user or the platform writes it.
type EnvVar struct{ Name, Value string }

// Secret is a variable whose value the platform keeps.
type Secret struct{ MLPSecretName, EnvVarName string }

// ResourceRequest is what a user asks for. Quantities are as written; an empty one
// takes the environment's default.
type ResourceRequest struct {
	CPURequest, CPULimit, MemoryRequest string
	MinReplica, MaxReplica              int
}

// AutoscalingPolicy is by which metric a model scales.
type AutoscalingPolicy struct {
	MetricsType string // concurrency, rps, cpu_utilization or memory_utilization
	TargetValue float64
}

// Label is one of the user's own labels.
type Label struct{ Key, Value string }

// Deployment is a custom model version as a user deploys it with Merlin's API or
// SDK. Texts are as written.
type Deployment struct {
	Project, Model, Version string
	Revision                int // redeployments of the version; 0 in old deployments
	Protocol                Protocol
	Image                   string
	ArtifactURI             string // without the trailing /model
	Command, Args           string
	EnvVars                 []EnvVar
	Secrets                 []Secret
	// ResourceRequest is nil where the user asks for nothing: the platform's
	// default then holds as a whole.
	ResourceRequest   *ResourceRequest
	DeploymentMode    DeploymentMode
	AutoscalingPolicy *AutoscalingPolicy

	Team, Stream, Environment string
	Labels                    []Label
	Platform                  Platform
}

// Platform is what the cluster's operators configured.
type Platform struct {
	Domain                                string // of the ingress
	DefaultEnvVarsWithoutCPULimits        []EnvVar
	QueueResourcePercentage               string
	UserContainerCPUDefaultLimit          string
	UserContainerCPULimitRequestFactor    float64
	UserContainerMemoryLimitRequestFactor float64
	MaxCPU, MaxMemory                     string // of a request; empty is no limit
	MaxAllowedReplica                     int    // 0 is no limit
	// ScaleToZeroPodRetention is how long the last replica stays, once nothing was to
	// do for a stable window.
	ScaleToZeroPodRetention time.Duration
}

// DefaultPlatform is Merlin's shipped configuration.
func DefaultPlatform() Platform {
	return Platform{
		Domain:                                "models.example.com",
		QueueResourcePercentage:               "20",
		UserContainerCPUDefaultLimit:          "8",
		UserContainerMemoryLimitRequestFactor: 2,
		ScaleToZeroPodRetention:               10 * time.Minute, // Merlin's guide; Knative ships 0
	}
}

// Place is where a replica finds its ports and its artifact.
type Place struct {
	HTTPPort, GRPCPort int
	ArtifactLocation   string
	// StorageURI replaces STORAGE_URI's value, as KServe's webhook does; empty leaves
	// what Merlin sets.
	StorageURI string
}

// Production is the place that every deployed container has.
func Production() Place {
	return Place{HTTPPort: 8080, GRPCPort: 9000, ArtifactLocation: "/mnt/models"}
}

// ServingPort is the one port that the protocol's requests come to.
func (p Place) ServingPort(protocol Protocol) int {
	if protocol == UPIV1 {
		return p.GRPCPort
	}
	return p.HTTPPort
}
