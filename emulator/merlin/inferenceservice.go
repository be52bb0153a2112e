package merlin

import (
	"fmt"
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
)

// ContainerName is the name of the container that KServe takes for the model's.
const ContainerName = "kserve-container"

// APIVersionOfInferenceServices is the one that Merlin deploys with.
const APIVersionOfInferenceServices = "serving.kserve.io/v1beta1"

// The annotations that Merlin writes.
const (
	annotationQueuePercentage = "queue.sidecar.serving.knative.dev/resource-percentage"
	annotationDeploymentMode  = "serving.kserve.io/deploymentMode"

	annotationKnativeClass  = "autoscaling.knative.dev/class"
	annotationKnativeMetric = "autoscaling.knative.dev/metric"
	annotationKnativeTarget = "autoscaling.knative.dev/target"

	annotationRawClass  = "serving.kserve.io/autoscalerClass"
	annotationRawMetric = "serving.kserve.io/metrics"
	annotationRawTarget = "serving.kserve.io/targetUtilizationPercentage"

	modeRaw        = "RawDeployment"
	modeServerless = "Serverless"
)

// InferenceService is what Merlin creates for the deployment. The error is a
// Refusal where Merlin would refuse it, else names a quantity that cannot be read.
func (d Deployment) InferenceService() (InferenceService, error) {
	if refusals := d.Refusals(); len(refusals) > 0 {
		return InferenceService{}, refusals[0]
	}
	resources, err := d.Resources()
	if err != nil {
		return InferenceService{}, err
	}
	request := d.Request()
	return InferenceService{
		APIVersion: APIVersionOfInferenceServices,
		Kind:       "InferenceService",
		Metadata: Metadata{
			Name: d.FullName(), Namespace: d.Project, Labels: d.labels(), Annotations: d.annotations(*resources.Requests.Memory),
		},
		Spec: InferenceServiceSpec{Predictor: Predictor{
			Containers:  []Container{d.container(resources)},
			MinReplicas: &request.MinReplica,
			MaxReplicas: request.MaxReplica,
		}},
	}, nil
}

func (d Deployment) container(resources Resources) Container {
	return Container{
		Name:      ContainerName,
		Image:     d.Image,
		Command:   Words(d.Command),
		Args:      Words(d.Args),
		Ports:     d.ports(),
		Env:       d.containerEnv(),
		Resources: ResourceLists{Limits: resources.Limits.list(), Requests: resources.Requests.list()},
	}
}

// ports are given where the protocol has to be told, and only there.
func (d Deployment) ports() []ContainerPort {
	name := d.PortName()
	if name == "" {
		return nil
	}
	return []ContainerPort{{Name: name, ContainerPort: Production().ServingPort(d.Protocol), Protocol: "TCP"}}
}

func (d Deployment) containerEnv() []ContainerEnv {
	vars := d.merlinVariables(Production())
	env := make([]ContainerEnv, len(vars))
	for i, v := range vars {
		env[i] = ContainerEnv{Name: v.Name, Value: v.Value}
		if v.Source == FromSecret {
			env[i].ValueFrom = &ValueFrom{SecretKeyRef: &SecretKeyRef{Name: d.FullName(), Key: v.SecretKey}}
		}
	}
	return env
}

func (q Quantities) list() map[string]string {
	list := map[string]string{}
	if q.CPU != nil {
		list["cpu"] = q.CPU.String()
	}
	if q.Memory != nil {
		list["memory"] = q.Memory.String()
	}
	return list
}

// labels are Merlin's and the user's. Merlin leaves out, without a word, what would
// override one of its own and what is no label to it: a key with a domain/ is not.
func (d Deployment) labels() map[string]string {
	labels := map[string]string{
		"app":          d.Model,
		"component":    "model-version",
		"environment":  d.Environment,
		"orchestrator": "merlin",
		"stream":       d.Stream,
		"team":         d.Team,
	}
	for _, l := range d.Labels {
		if !reservedLabel(l.Key) && labelName(l.Key) && labelName(l.Value) {
			labels[l.Key] = l.Value
		}
	}
	return labels
}

func reservedLabel(key string) bool {
	switch key {
	case "app", "component", "environment", "orchestrator", "stream", "team", "managed":
		return true
	}
	return false
}

// labelName is Merlin's check of keys and values alike.
func labelName(text string) bool {
	return len(text) < 64 && regexp.MustCompile(`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`).MatchString(text)
}

func (d Deployment) annotations(memory resource.Quantity) map[string]string {
	all := map[string]string{annotationDeploymentMode: modeServerless}
	if d.Raw() {
		all[annotationDeploymentMode] = modeRaw
	}
	if percentage := d.Platform.QueueResourcePercentage; percentage != "" {
		all[annotationQueuePercentage] = percentage
	}
	switch policy := d.AutoscalingPolicy; {
	case policy == nil:
	case d.Raw():
		all[annotationRawClass], all[annotationRawMetric] = "hpa", "cpu"
		all[annotationRawTarget] = whole(policy.TargetValue)
	default:
		class, metric, target := policy.knative(memory)
		all[annotationKnativeClass] = class + ".autoscaling.knative.dev"
		all[annotationKnativeMetric], all[annotationKnativeTarget] = metric, target
	}
	return all
}

// knative is the policy in Knative's words: its pod autoscaler follows requests, the
// horizontal one CPU in per cent, and memory in Mi of the request.
func (p AutoscalingPolicy) knative(memory resource.Quantity) (class, metric, target string) {
	switch p.MetricsType {
	case MetricCPU:
		return "hpa", "cpu", whole(p.TargetValue)
	case MetricMemory:
		return "hpa", "memory", whole(p.TargetValue / 100 * mebibytes(memory))
	case MetricRPS:
		return "kpa", "rps", whole(p.TargetValue)
	}
	return "kpa", p.MetricsType, fmt.Sprintf("%.2f", p.TargetValue)
}

func mebibytes(q resource.Quantity) float64 { return float64(q.Value()) / (1 << 20) }

func whole(value float64) string { return fmt.Sprintf("%.0f", value) }
