package emulator

import "github.com/caraml-dev/merlin-local/emulator/merlin"

// Fidelity is one of two honest modes.
type Fidelity string

// The modes. An empty one is Documented.
const (
	Documented Fidelity = "documented" // what the contract promises
	Deployed   Fidelity = "deployed"   // what the cluster does
)

// Difference is a point where what the contract promises and what the cluster does are
// not the same.
type Difference struct{ Point, Documented, Deployed string }

// Differences are all such points. The container's side of them is played by this
// package, the requests' by the proxy.
func Differences() []Difference {
	return []Difference{
		{"STORAGE_URI", "the remote URI", "/mnt/models, which KServe's webhook puts in its place"},
		{"readiness", "GET /v1/models/{full name} answers 200 (UPI_V1: gRPC health)", "a TCP connect, every 50 ms with 100 ms to answer: a model that listens before it has loaded gets requests"},
		{"liveness", "GET / answers 200 (UPI_V1: gRPC health): after 30 s, every 10 s, 5 s to answer, 3 failures", "none"},
		{"Host", "as the client sent it", "{full name}-predictor.{project}.svc.cluster.local"},
		{"Content-Type", "as the client sent it", "application/json on a version endpoint's predict path, where the request has one"},
		{"K-Proxy-Request", "none", "activator"},
		{"X-Forwarded-For", "the client", "the client and the activator's hop"},
	}
}

// Place is where the container finds what it needs, in the model's fidelity.
func (m *Model) Place(p merlin.Place) merlin.Place {
	if m.Fidelity == Deployed {
		p.StorageURI = p.ArtifactLocation
	}
	return p
}
