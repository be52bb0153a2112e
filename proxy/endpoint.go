package proxy

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
)

// endpoint is what a host stands for.
type endpoint struct {
	what     string
	versions []*model
	weights  []int  // of versions
	predict  string // the version endpoint's own path
	// rewrite gives the path that the model gets; false where there is no route.
	rewrite func(m *model, path string) (string, bool)
}

// predictPrefix is the one route of a model endpoint.
const predictPrefix = "/v1/predict"

// versionEndpoint is Merlin's route to one version: its predict path is rewritten
// for the full name, any other passes. The route names no method.
func versionEndpoint(m *model) endpoint {
	predict, full := "/v1/models/"+m.Name+"-"+m.Version+":predict", m.predictPath()
	return endpoint{what: "version endpoint", versions: []*model{m}, predict: predict, rewrite: func(m *model, path string) (string, bool) {
		if !m.UPI && path == predict {
			return full, true
		}
		return path, true
	}}
}

// revisionEndpoint is KServe's own route.
func revisionEndpoint(m *model) endpoint {
	return endpoint{what: "revision", versions: []*model{m}, rewrite: func(_ *model, path string) (string, bool) {
		return path, true
	}}
}

// modelEndpoint is Merlin's route to all deployed versions of a model, which are
// two at most: with more, the two with the greatest weights, the first of equals.
func modelEndpoint(versions []*model) endpoint {
	versions = slices.Clone(versions)
	slices.SortStableFunc(versions, func(a, b *model) int { return cmp.Compare(b.Weight, a.Weight) })
	versions = versions[:min(len(versions), 2)]
	return endpoint{what: "model endpoint", versions: versions, weights: weights(versions), rewrite: rewritePrefix}
}

func weights(versions []*model) []int {
	shares := make([]int, len(versions))
	for i, m := range versions {
		shares[i] = max(m.Weight, 0)
		if versions[0].Weight <= 0 { // the greatest: nobody has one
			shares[i] = 1
		}
	}
	return shares
}

// rewritePrefix replaces the prefix and nothing after it, so that "/v1/predictX"
// becomes "…:predictX", as there.
func rewritePrefix(m *model, path string) (string, bool) {
	if m.UPI {
		return path, true
	}
	rest, ok := strings.CutPrefix(path, predictPrefix)
	return m.predictPath() + rest, ok
}

func (m Model) predictPath() string { return "/v1/models/" + m.FullName + ":predict" }

// retypes tells whether the route overwrites Content-Type. Its comment in Merlin
// means those requests that have none; it is written so that it does those that
// have one.
func (e endpoint) retypes(m *model, path string) bool {
	return m.Deployed && !m.UPI && path == e.predict
}

// choose returns the version for the next request, by weight.
func (e endpoint) choose() *model {
	if len(e.versions) == 1 {
		return e.versions[0]
	}
	return e.versions[pickWeight(e.weights, rand.IntN(e.weights[0]+e.weights[1]))]
}

// pickWeight returns on whose share the ticket lies.
func pickWeight(shares []int, ticket int) int {
	for i, share := range shares {
		if ticket < share {
			return i
		}
		ticket -= share
	}
	return len(shares) - 1
}
