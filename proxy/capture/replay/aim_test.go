package replay

import (
	"errors"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestARequestIsAimedAtTheModelThatItWasFor(t *testing.T) {
	model := func(name, version string) Model {
		return Model{ID: name + "-" + version, Name: name, Version: version, FullName: name + "-" + version, Project: "p", Host: name + "-" + version + ".p.localhost"}
	}
	one, two := []Model{model("iris", "1")}, []Model{model("iris", "1"), model("eta", "3")}
	for _, row := range []struct {
		name               string
		models             []Model
		only               *Model
		host, path         string
		toHost, toPath, of string
	}{
		{"a known host stays", two, nil, "eta-3.p.localhost:8080", "/v1/models/eta-3:predict", "eta-3.p.localhost:8080", "/v1/models/eta-3:predict", "eta-3"},
		{"so does a model endpoint", two, nil, "ETA.p.localhost", "/v1/models/eta:predict", "ETA.p.localhost", "/v1/models/eta:predict", "eta-3"},
		{"loopback reaches the only model", one, nil, "127.0.0.1:8080", "/v1/models/none", "127.0.0.1:8080", "/v1/models/none", "iris-1"},
		{"of several, the path names it", two, nil, "127.0.0.1:8080", "/v1/models/eta-3:predict", "eta-3.p.localhost", "/v1/models/eta-3:predict", "eta-3"},
		{"of several, nothing may", two, nil, "[::1]:8080", "/metrics", "", "", ""},
		{"another domain", two, nil, "eta-3.p.models.example.com", "/v1/models/eta-3:predict", "eta-3.p.localhost", "/v1/models/eta-3:predict", "eta-3"},
		{"another version", two, nil, "eta-12-r4.p.models.example.com", "/v1/models/eta-12-r4:predict", "eta-3.p.localhost", "/v1/models/eta-3:predict", "eta-3"},
		{"another domain's model endpoint", two, nil, "eta.p.example.com", "/v1/models/eta:predict", "eta.p.localhost", "/v1/models/eta:predict", "eta-3"},
		{"a name of another model's", two, nil, "etable-1.p.example.com", "/v1/models/etable-1", "", "", ""},
		{"one model is for all hosts", one, nil, "any.example.com", "/v1/models/x:predict", "iris-1.p.localhost", "/v1/models/x:predict", "iris-1"},
		{"and for all that is called as its host", one, nil, "x-9.p.example.com", "/v1/models/x-9:predict", "iris-1.p.localhost", "/v1/models/iris-1:predict", "iris-1"},
		{"the one that is asked for", two, &two[1], "iris-1.p.localhost", "/v1/models/iris-1:predict", "eta-3.p.localhost", "/v1/models/eta-3:predict", "eta-3"},
		{"and paths without a name stay", two, &two[1], "iris-1.p.localhost", "/a.Service/Method", "eta-3.p.localhost", "/a.Service/Method", "eta-3"},
	} {
		a := &Aimer{Models: row.models, Only: row.only}
		x, err := a.Aim(event.Exchange{Served: event.Served{Host: row.host, Path: row.path}})
		if row.of == "" {
			if !errors.As(err, new(Unsendable)) {
				t.Errorf("%s: %v, %+v", row.name, err, x)
			}
			continue
		}
		if err != nil || x.Host != row.toHost || x.Path != row.toPath || x.Model != row.of {
			t.Errorf("%s: %v, %s %s of %s", row.name, err, x.Host, x.Path, x.Model)
		}
		if changed := x.Host != row.host || x.Path != row.path; changed != (len(a.Decisions()) == 1) {
			t.Errorf("%s: it is told as %+v", row.name, a.Decisions())
		}
	}
}

func TestDecisionsAreCountedNotRepeated(t *testing.T) {
	a := &Aimer{Models: []Model{{FullName: "iris-1", Name: "iris", Version: "1", Project: "p", Host: "iris-1.p.localhost"}}}
	for range 3 {
		if _, err := a.Aim(event.Exchange{Served: event.Served{Host: "iris-2.p.example.com", Path: "/v1/models/iris-2"}}); err != nil {
			t.Fatal(err)
		}
	}
	if d := a.Decisions(); len(d) != 1 || d[0] != (Decision{"iris-2.p.example.com", "iris-2", "iris-1.p.localhost", "iris-1", 3}) {
		t.Errorf("got %+v", d)
	}
}
