package merlin

import (
	"strconv"
	"strings"
)

// FullName is the InferenceService's name: "{model}-{version}", followed by
// "-r{revision}" once the version has been redeployed.
func (d Deployment) FullName() string {
	name := d.VersionName()
	if d.Revision > 0 {
		name += "-r" + strconv.Itoa(d.Revision)
	}
	return name
}

// VersionName is "{model}-{version}": the name in a version endpoint's path.
func (d Deployment) VersionName() string { return d.Model + "-" + d.Version }

// VersionHost is the host of the version endpoint.
func (d Deployment) VersionHost(domain string) string {
	return d.VersionName() + "." + d.Project + "." + domain
}

// RevisionHost is the host of the InferenceService, which differs from VersionHost
// once the version has been redeployed.
func (d Deployment) RevisionHost(domain string) string {
	return d.FullName() + "." + d.Project + "." + domain
}

// ModelHost is the host of the model endpoint, which all versions share.
func (d Deployment) ModelHost(domain string) string {
	return d.Model + "." + d.Project + "." + domain
}

// KnativeService is the name of the Knative service and of its configuration.
// KServe names it after the InferenceService.
func (d Deployment) KnativeService() string { return d.FullName() + "-predictor" }

// KnativeRevision is the name of the service's first revision.
func (d Deployment) KnativeRevision() string { return d.KnativeService() + "-00001" }

// PodName is the name of a pod of the revision's deployment, with the given
// suffix where the ReplicaSet's hash and the pod's own would be.
func (d Deployment) PodName(suffix string) string {
	return d.KnativeRevision() + "-deployment-" + suffix
}

// hostnameLimit is the kernel's, as the kubelet holds it.
const hostnameLimit = 63

// Hostname is the one that a container of the pod has: its name, as the kubelet cuts it.
func Hostname(pod string) string {
	if len(pod) <= hostnameLimit {
		return pod
	}
	return strings.TrimRight(pod[:hostnameLimit], "-.")
}

// Raw tells whether KServe runs the model without Knative.
func (d Deployment) Raw() bool { return d.DeploymentMode == RawDeployment }

// StorageURI is where the artifact is kept: the folder that MLflow uploads
// model_dir to.
func (d Deployment) StorageURI() string { return d.ArtifactURI + "/model" }

// ReadinessPath is the path that answers 200 once the model can serve.
func (d Deployment) ReadinessPath() string { return "/v1/models/" + d.FullName() }

// PredictPath is the path that predictions come to.
func (d Deployment) PredictPath() string { return d.ReadinessPath() + ":predict" }
