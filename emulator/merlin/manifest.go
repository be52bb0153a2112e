package merlin

// The objects that Merlin creates for a model version, as far as it fills them in.
// Marshalled, they have the fields that Merlin's own have, and in the order in which
// kubectl's readers expect them.

// Metadata is an object's name, place and labels. CreationTimestamp is the cluster's:
// what Merlin sends has a null there.
type Metadata struct {
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace"`
	CreationTimestamp *string           `json:"creationTimestamp"`
	Labels            map[string]string `json:"labels,omitempty"`
	Annotations       map[string]string `json:"annotations,omitempty"`
}

// InferenceService is KServe's description of a deployed model.
type InferenceService struct {
	APIVersion string                 `json:"apiVersion"`
	Kind       string                 `json:"kind"`
	Metadata   Metadata               `json:"metadata"`
	Spec       InferenceServiceSpec   `json:"spec"`
	Status     InferenceServiceStatus `json:"status"`
}

// InferenceServiceSpec has the predictor alone: a custom model's transformer is no
// part of what is emulated.
type InferenceServiceSpec struct {
	Predictor Predictor `json:"predictor"`
}

// Predictor is the pod and its scale. Merlin sets neither ContainerConcurrency nor
// Timeout (in seconds); others may have.
type Predictor struct {
	Containers           []Container `json:"containers"`
	MinReplicas          *int        `json:"minReplicas,omitempty"`
	MaxReplicas          int         `json:"maxReplicas,omitempty"`
	ContainerConcurrency *int        `json:"containerConcurrency,omitempty"`
	Timeout              *int        `json:"timeout,omitempty"`
}

// Container is one container of the predictor's pod.
type Container struct {
	Name      string          `json:"name"`
	Image     string          `json:"image,omitempty"`
	Command   []string        `json:"command,omitempty"`
	Args      []string        `json:"args,omitempty"`
	Ports     []ContainerPort `json:"ports,omitempty"`
	Env       []ContainerEnv  `json:"env,omitempty"`
	Resources ResourceLists   `json:"resources"`
}

// ContainerPort is the one port that is served.
type ContainerPort struct {
	Name          string `json:"name,omitempty"`
	ContainerPort int    `json:"containerPort"`
	Protocol      string `json:"protocol,omitempty"`
}

// ContainerEnv is a variable with its value, or with where the value comes from.
type ContainerEnv struct {
	Name      string     `json:"name"`
	Value     string     `json:"value,omitempty"`
	ValueFrom *ValueFrom `json:"valueFrom,omitempty"`
}

// ValueFrom names a secret's key. SecretKeyRef is nil for any other source, which
// Merlin never writes.
type ValueFrom struct {
	SecretKeyRef *SecretKeyRef `json:"secretKeyRef,omitempty"`
}

// SecretKeyRef is a key of a Secret of the same namespace.
type SecretKeyRef struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// ResourceLists are quantities by resource, as Kubernetes prints them.
type ResourceLists struct {
	Limits   map[string]string `json:"limits,omitempty"`
	Requests map[string]string `json:"requests,omitempty"`
}

// InferenceServiceStatus is what a new object has: nothing yet.
type InferenceServiceStatus struct {
	ModelStatus struct {
		TransitionStatus string `json:"transitionStatus"`
	} `json:"modelStatus"`
}

// VirtualService is Istio's routing of the version endpoint's host.
type VirtualService struct {
	APIVersion string             `json:"apiVersion"`
	Kind       string             `json:"kind"`
	Metadata   Metadata           `json:"metadata"`
	Spec       VirtualServiceSpec `json:"spec"`
	Status     struct{}           `json:"status"`
}

// VirtualServiceSpec says which hosts of which gateways are routed where.
type VirtualServiceSpec struct {
	Hosts    []string    `json:"hosts"`
	Gateways []string    `json:"gateways"`
	HTTP     []HTTPRoute `json:"http"`
}

// HTTPRoute is taken by the first match; one without Match takes everything.
type HTTPRoute struct {
	Match   []HTTPMatch        `json:"match,omitempty"`
	Route   []RouteDestination `json:"route"`
	Rewrite *Rewrite           `json:"rewrite,omitempty"`
}

// HTTPMatch holds where all of it does.
type HTTPMatch struct {
	URI     StringMatch            `json:"uri"`
	Headers map[string]StringMatch `json:"headers,omitempty"`
}

// StringMatch is an exact text; an empty one asks only for presence.
type StringMatch struct {
	Exact string `json:"exact,omitempty"`
}

// RouteDestination is where a route's requests go, and with which headers.
type RouteDestination struct {
	Destination Destination `json:"destination"`
	Weight      int         `json:"weight"`
	Headers     Headers     `json:"headers"`
}

// Destination is a host of the cluster.
type Destination struct {
	Host string `json:"host"`
}

// Headers are what is changed on the way.
type Headers struct {
	Request HeaderOperations `json:"request"`
}

// HeaderOperations overwrite headers.
type HeaderOperations struct {
	Set map[string]string `json:"set"`
}

// Rewrite replaces the path.
type Rewrite struct {
	URI string `json:"uri"`
}
