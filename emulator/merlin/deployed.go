package merlin

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Deployed is the way back: a Deployment that Merlin makes this InferenceService of.
// What no Deployment can give is passed over; compare its own InferenceService to
// learn what that is. The domain is the ingress', empty for the default.
//
// What the platform computed is not told apart from what a user asked for where both
// give the same: a CPU limit other than the default is taken for the user's, and
// platform default variables for the user's variables.
func Deployed(isvc InferenceService, domain string) Deployment {
	c := isvc.ModelContainer()
	d := Deployment{
		Project:        isvc.Metadata.Namespace,
		Protocol:       protocolOf(c.Ports),
		Image:          c.Image,
		ArtifactURI:    strings.TrimSuffix(c.lastValue("STORAGE_URI"), "/model"),
		Command:        strings.Join(c.Command, " "),
		Args:           strings.Join(c.Args, " "),
		DeploymentMode: Serverless,
		Platform:       DefaultPlatform(),
	}
	if isvc.Metadata.Annotations[annotationDeploymentMode] == modeRaw {
		d.DeploymentMode = RawDeployment
	}
	if domain != "" {
		d.Platform.Domain = domain
	}
	if percentage := isvc.Metadata.Annotations[annotationQueuePercentage]; percentage != "" {
		d.Platform.QueueResourcePercentage = percentage
	}
	d.Model, d.Version, d.Revision = isvc.identity()
	d.EnvVars, d.Secrets = c.userEnv()
	d.readLabels(isvc.Metadata.Labels)
	d.readResources(isvc.Spec.Predictor, c.Resources)
	d.AutoscalingPolicy = d.policyOf(isvc.Metadata.Annotations)
	return d
}

// ModelContainer is the container that KServe takes for the model's: the one of that
// name, else the first.
func (s InferenceService) ModelContainer() Container {
	for _, c := range s.Spec.Predictor.Containers {
		if c.Name == ContainerName {
			return c
		}
	}
	if len(s.Spec.Predictor.Containers) > 0 {
		return s.Spec.Predictor.Containers[0]
	}
	return Container{}
}

// identity comes from Merlin's own variables, which nobody can override, else from
// the name, where the last number is taken for the version.
func (s InferenceService) identity() (model, version string, revision int) {
	c := s.ModelContainer()
	model, version = c.lastValue("CARAML_MODEL_NAME"), c.lastValue("CARAML_MODEL_VERSION")
	if model == "" || version == "" {
		parts := regexp.MustCompile(`^(.+?)-([0-9]+)(?:-r[0-9]+)?$`).FindStringSubmatch(s.Metadata.Name)
		if parts == nil {
			return "", "", 0
		}
		model, version = parts[1], parts[2]
	}
	if rest, ok := strings.CutPrefix(s.Metadata.Name, model+"-"+version+"-r"); ok {
		revision, _ = strconv.Atoi(rest)
	}
	return model, version, max(revision, 0)
}

func (c Container) lastValue(name string) string {
	for _, v := range slices.Backward(c.Env) {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

func protocolOf(ports []ContainerPort) Protocol {
	for _, p := range ports {
		if p.Name == "h2c" || p.Name == "grpc" || p.ContainerPort == Production().GRPCPort {
			return UPIV1
		}
	}
	return HTTPJSON
}

func (d *Deployment) readLabels(labels map[string]string) {
	d.Team, d.Stream, d.Environment = labels["team"], labels["stream"], labels["environment"]
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if !reservedLabel(key) && labelName(key) {
			d.Labels = append(d.Labels, Label{Key: key, Value: labels[key]})
		}
	}
}

// readResources takes KServe's default of one replica where none is said.
func (d *Deployment) readResources(p Predictor, lists ResourceLists) {
	request := DefaultRequest()
	request.MinReplica, request.MaxReplica = 1, p.MaxReplicas
	if p.MinReplicas != nil {
		request.MinReplica = *p.MinReplicas
	}
	if request.MaxReplica == 0 {
		request.MaxReplica = max(request.MinReplica, 1)
	}
	if cpu := lists.Requests["cpu"]; cpu != "" {
		request.CPURequest = cpu
	}
	if memory := lists.Requests["memory"]; memory != "" {
		request.MemoryRequest = memory
	}
	if cpu := lists.Limits["cpu"]; cpu != "" && !sameQuantity(cpu, d.Platform.UserContainerCPUDefaultLimit) {
		request.CPULimit = cpu
	}
	d.ResourceRequest = &request
	d.Platform.UserContainerMemoryLimitRequestFactor = memoryFactor(request.MemoryRequest, lists.Limits["memory"], d.Platform.UserContainerMemoryLimitRequestFactor)
}

func sameQuantity(a, b string) bool {
	x, err := resource.ParseQuantity(a)
	y, err2 := resource.ParseQuantity(b)
	return err == nil && err2 == nil && x.Cmp(y) == 0
}

// memoryFactor is the roundest number that makes the limit of the request, the usual
// one where it does; 0 where there is no limit.
func memoryFactor(request, limit string, usual float64) float64 {
	if limit == "" {
		return 0
	}
	from, err := resource.ParseQuantity(request)
	to, err2 := resource.ParseQuantity(limit)
	if err != nil || err2 != nil || from.Sign() <= 0 || to.Sign() <= 0 {
		return usual
	}
	if scale(from, usual).Cmp(to) == 0 {
		return usual
	}
	return roundest(to.AsApproximateFloat64()/from.AsApproximateFloat64(), func(factor float64) bool {
		return scale(from, factor).Cmp(to) == 0
	})
}

// roundest is value with as few decimals as good allows; itself where none is good.
func roundest(value float64, good func(float64) bool) float64 {
	for power := 1.0; power <= 1e9; power *= 10 {
		if rounded := math.Round(value*power) / power; good(rounded) {
			return rounded
		}
	}
	return value
}

// policyOf is nil where the annotations are none that Merlin writes.
func (d *Deployment) policyOf(annotations map[string]string) *AutoscalingPolicy {
	metric, text := annotations[annotationKnativeMetric], annotations[annotationKnativeTarget]
	if d.Raw() {
		metric, text = annotations[annotationRawMetric], annotations[annotationRawTarget]
	}
	target, err := strconv.ParseFloat(text, 64)
	if err != nil || metric == "" || math.IsNaN(target) || math.IsInf(target, 0) {
		return nil
	}
	switch metric {
	case "cpu":
		metric = MetricCPU
	case "memory":
		metric, target = MetricMemory, d.memoryPercentage(target)
	case MetricRPS, MetricConcurrency:
	default:
		return nil
	}
	return &AutoscalingPolicy{MetricsType: metric, TargetValue: target}
}

// memoryPercentage is the roundest share of the request that is so many Mi.
func (d *Deployment) memoryPercentage(mi float64) float64 {
	request, err := resource.ParseQuantity(d.ResourceRequest.MemoryRequest)
	if err != nil || request.Sign() <= 0 {
		return mi
	}
	of := mebibytes(request)
	return roundest(mi/of*100, func(share float64) bool { return whole(share/100*of) == whole(mi) })
}
