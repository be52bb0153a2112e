package proxy

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// session is two versions of one model, a UPI model, and one of another project.
func session() []Model {
	return []Model{
		{ID: "iris-1", Project: "sample", Name: "iris", Version: "1", FullName: "iris-1-r2", Weight: 1},
		{ID: "iris-2", Project: "sample", Name: "iris", Version: "2", FullName: "iris-2"},
		{ID: "eta-1", Project: "sample", Name: "eta", Version: "1", FullName: "eta-1-r1", UPI: true},
		{ID: "churn-7", Project: "other", Name: "churn", Version: "7", FullName: "churn-7-r1"},
	}
}

func TestRequestsAreRoutedByHostAsMerlinRoutesThem(t *testing.T) {
	p := open(t, Options{Models: session(), Domains: []string{"", "models.example.com"}})
	for _, m := range session() {
		at := serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(m.ID + " " + r.RequestURI))
		})
		p.Route(m.ID, 1, []netip.AddrPort{at})
	}
	for _, row := range []struct{ fact, host, path, want string }{
		{"version endpoint: predict is rewritten", "iris-1.sample.localhost", "/v1/models/iris-1:predict", "iris-1 /v1/models/iris-1-r2:predict"},
		{"version endpoint: the query stays", "iris-1.sample.localhost", "/v1/models/iris-1:predict?a=1;b=%zz", "iris-1 /v1/models/iris-1-r2:predict?a=1;b=%zz"},
		{"version endpoint: only the exact path is rewritten", "iris-1.sample.localhost", "/v1/models/iris-1:predict/", "iris-1 /v1/models/iris-1:predict/"},
		{"version endpoint: an encoded colon is another path", "iris-1.sample.localhost", "/v1/models/iris-1%3Apredict", "iris-1 /v1/models/iris-1%3Apredict"},
		{"version endpoint: another path passes", "iris-1.sample.localhost", "/metrics", "iris-1 /metrics"},
		{"a revision 0 is its version endpoint", "iris-2.sample.localhost", "/v1/models/iris-2:predict", "iris-2 /v1/models/iris-2:predict"},
		{"revision: as it is", "iris-1-r2.sample.localhost", "/v1/models/iris-1:predict", "iris-1 /v1/models/iris-1:predict"},
		{"model endpoint: rewritten", "churn.other.localhost", "/v1/predict", "churn-7 /v1/models/churn-7-r1:predict"},
		{"model endpoint: it is a prefix", "churn.other.localhost", "/v1/predictX/%2F?q=%20", "churn-7 /v1/models/churn-7-r1:predictX/%2F?q=%20"},
		{"model endpoint: weight 1 against none", "iris.sample.localhost", "/v1/predict", "iris-1 /v1/models/iris-1-r2:predict"},
		{"UPI: no path is rewritten", "eta-1.sample.localhost", "/v1/models/eta-1:predict", "eta-1 /v1/models/eta-1:predict"},
		{"UPI: the model endpoint routes every path", "eta.sample.localhost", "/metrics", "eta-1 /metrics"},
		{"the port in Host is ignored", "churn-7.other.localhost:8080", "/", "churn-7 /"},
		{"case in Host is ignored", "CHURN-7.Other.LocalHost", "/", "churn-7 /"},
		{"a configured domain", "churn-7.other.models.example.com", "/", "churn-7 /"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			if status, got := p.get(row.host, row.path); status != 200 || got != row.want {
				t.Errorf("got %d %q, want %q", status, got, row.want)
			}
		})
	}
	for _, row := range []struct{ fact, host, path, says string }{
		{"unknown host", "nobody.example.com", "/", `no model answers at host "nobody.example.com"`},
		{"an empty domain is none", "iris-1.sample.", "/", "no model answers"},
		{"a model of another project", "churn-7.sample.localhost", "/", "no model answers"},
		{"model endpoint: no other path", "churn.other.localhost", "/metrics", "routes /v1/predict only"},
	} {
		t.Run(row.fact+" is 404 and lists the hosts", func(t *testing.T) {
			res := parse(t, p.raw("GET "+row.path+" HTTP/1.1\r\nHost: "+row.host+"\r\nConnection: close\r\n\r\n"))
			got := body(t, res)
			if res.StatusCode != 404 || res.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("got %d %v", res.StatusCode, res.Header)
			}
			for _, want := range []string{row.says, "iris-1.sample.localhost  (version endpoint)", "eta.sample.localhost  (model endpoint)", "iris-1-r2.sample.models.example.com  (revision)"} {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in:\n%s", want, got)
				}
			}
		})
	}
}

func TestOneModelAnswersAtEveryHost(t *testing.T) {
	p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.RequestURI)) })
	for _, row := range []struct{ fact, host, path, want string }{
		{"as its version endpoint", "127.0.0.1:8080", "/v1/models/iris-1:predict", "/v1/models/iris-1-r2:predict"},
		{"for other paths too", "anything", "/v1/predict", "/v1/predict"},
		{"also without a host", "", "/healthz", "/healthz"},
		{"also by IPv6 address", "[::1]:8080", "/", "/"},
		{"but its own hosts are what they are", "iris.sample.localhost", "/v1/predict", "/v1/models/iris-1-r2:predict"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			if status, got := p.get(row.host, row.path); status != 200 || got != row.want {
				t.Errorf("got %d %q, want %q", status, got, row.want)
			}
		})
	}
	if status, _ := p.get("iris.sample.localhost", "/metrics"); status != 404 {
		t.Errorf("model endpoint, other path: got %d, want 404", status)
	}
}

func TestTheModelEndpointSplitsByWeightOverTwoVersions(t *testing.T) {
	for _, row := range []struct {
		fact    string
		weights []int
		shares  []int // of 10 tickets
	}{
		{"equal without weights", []int{0, 0}, []int{5, 5}},
		{"by weight", []int{4, 1}, []int{8, 2}},
		{"the greatest first", []int{1, 4}, []int{2, 8}},
		{"none without weight where another has one", []int{0, 5}, []int{0, 10}},
		{"over the two greatest of three", []int{1, 0, 1}, []int{5, 0, 5}},
		{"over the first two of equals", []int{0, 0, 0}, []int{5, 5, 0}},
	} {
		t.Run(row.fact, func(t *testing.T) {
			var versions []*model
			for _, w := range row.weights {
				versions = append(versions, newModel(Model{Name: "a", Weight: w}, nil))
			}
			e := modelEndpoint(versions)
			got := make([]int, len(versions))
			total := e.weights[0] + e.weights[1]
			for ticket := range total {
				chosen := e.versions[pickWeight(e.weights, ticket)]
				for i, m := range versions {
					if m == chosen {
						got[i] += 10 / total
					}
				}
			}
			for i := range got {
				if got[i] != row.shares[i] {
					t.Errorf("got %v, want %v", got, row.shares)
					break
				}
			}
		})
	}
}
