package merlin

// APIVersionOfVirtualServices is the one that Merlin deploys with.
const APIVersionOfVirtualServices = "networking.istio.io/v1beta1"

const (
	ingressGateway = "knative-serving/knative-ingress-gateway"
	ingressHost    = "istio-ingressgateway.istio-system.svc.cluster.local"
)

// VirtualService is what Merlin creates for the version endpoint: its host leads to
// the revision's, by way of the ingress again. HTTP_JSON has the predict path
// rewritten, and its Content-Type overwritten where a request has one: an empty match
// of a header asks for its presence.
func (d Deployment) VirtualService() VirtualService {
	return VirtualService{
		APIVersion: APIVersionOfVirtualServices,
		Kind:       "VirtualService",
		Metadata:   Metadata{Name: d.VersionName() + "-vs", Namespace: d.Project, Labels: d.labels()},
		Spec: VirtualServiceSpec{
			Hosts:    []string{d.VersionHost(d.Platform.Domain)},
			Gateways: []string{ingressGateway},
			HTTP:     d.routes(),
		},
	}
}

func (d Deployment) routes() []HTTPRoute {
	host := map[string]string{"Host": d.RevisionHost(d.Platform.Domain)}
	fallback := HTTPRoute{Route: toIngress(host)}
	if d.Protocol == UPIV1 {
		return []HTTPRoute{fallback}
	}
	predict := StringMatch{Exact: "/v1/models/" + d.VersionName() + ":predict"}
	rewrite := &Rewrite{URI: d.PredictPath()}
	return []HTTPRoute{
		{
			Match:   []HTTPMatch{{URI: predict, Headers: map[string]StringMatch{"content-type": {}}}},
			Route:   toIngress(map[string]string{"Content-Type": "application/json", "Host": host["Host"]}),
			Rewrite: rewrite,
		},
		{Match: []HTTPMatch{{URI: predict}}, Route: toIngress(host), Rewrite: rewrite},
		fallback,
	}
}

func toIngress(set map[string]string) []RouteDestination {
	return []RouteDestination{{
		Destination: Destination{Host: ingressHost},
		Weight:      100,
		Headers:     Headers{Request: HeaderOperations{Set: set}},
	}}
}
