package emulator

import (
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestTheCheapestCorrectTierOfAnEdit(t *testing.T) {
	python := &Model{Dir: "/repo", ModelDir: "/repo/model", Build: &Build{Context: "/repo", Dockerfile: "/repo/Dockerfile"}}
	golang := &Model{Dir: "/repo", ModelDir: "/repo/model", Build: &Build{Context: "/repo", Dockerfile: "/repo/Dockerfile", Run: "go build"}}
	pulled := &Model{Dir: "/repo", ModelDir: "/artifact"}
	ruled := &Model{
		Dir: "/repo", Build: &Build{Context: "/repo", Dockerfile: "/repo/Dockerfile", Run: "make"},
		Watch: Watch{Sync: []Copy{{From: "src/", To: "/app/"}}, Rebuild: []string{"src/*.c", "vendor"}},
	}
	baked := &Model{Dir: "/repo", ModelDir: "/repo/model", Build: &Build{Context: "/repo", Dockerfile: "/repo/Dockerfile"}}
	copies := []Copy{{From: "*.py", To: "/app/"}}
	for _, row := range []struct {
		fact    string
		model   *Model
		copies  []Copy
		path    string
		removed bool
		ignored bool
		want    event.Tier
	}{
		{"a copied source is copied again", python, copies, "/repo/app.py", false, false, event.TierSync},
		{"one that is gone is a rebuild, since a copy cannot delete", python, copies, "/repo/app.py", true, false, event.TierRebuild},
		{"a file that no COPY takes may be anywhere in the build", python, copies, "/repo/requirements.txt", false, false, event.TierRebuild},
		{"the Dockerfile", python, copies, "/repo/Dockerfile", false, false, event.TierRebuild},
		{"the artifact, which the image may hold too", python, copies, "/repo/model/churn.json", false, false, event.TierRebuild},
		{"the artifact, of which the build sees nothing", python, copies, "/repo/model/churn.json", false, true, event.TierRestart},
		{"it, where build.run reads the repo", golang, nil, "/repo/model/iris.json", false, true, event.TierRestart},
		{"what the build does not see", python, copies, "/repo/README.md", false, true, event.TierNone},
		{"what build.run sees nevertheless", golang, nil, "/repo/main.go", false, true, event.TierRebuild},
		{"the artifact beside the context", &Model{Dir: "/repo", ModelDir: "/artifact", Build: &Build{Context: "/repo", Dockerfile: "/repo/Dockerfile"}}, copies, "/artifact/churn.json", false, false, event.TierRestart},
		{"an artifact that is copied too is both: a fresh container has the new one", baked, []Copy{{From: ".", To: "/app/"}}, "/repo/model/churn.json", false, false, event.TierSync},
		{"where a command makes what is copied, every source is a rebuild", golang, []Copy{{From: "bin/server", To: "/server"}}, "/repo/main.go", false, false, event.TierRebuild},
		{"an image that is not built here", pulled, nil, "/repo/app.py", false, false, event.TierNone},
		{"its artifact", pulled, nil, "/artifact/a", false, false, event.TierRestart},
		{"watch.sync wins over build.run", ruled, nil, "/repo/src/app.py", false, false, event.TierSync},
		{"watch.rebuild wins over watch.sync", ruled, nil, "/repo/src/fast.c", false, false, event.TierRebuild},
		{"watch.rebuild names a folder", ruled, nil, "/repo/vendor/a/b", false, false, event.TierRebuild},
		{"what watch.sync does not name", ruled, nil, "/repo/other", false, false, event.TierRebuild},
	} {
		t.Run(row.fact, func(t *testing.T) {
			got, why := row.model.Tier(Edit{row.path, row.removed, row.ignored}, row.copies)
			if got != row.want {
				t.Errorf("%s: it is a %s: %s", row.path, got, why)
			}
		})
	}
}

func TestWhereACopyPutsAFile(t *testing.T) {
	for _, row := range []struct{ from, to, file, want string }{
		{".", "/app", "a/b.py", "/app/a/b.py"},
		{"./", "/app/", "b.py", "/app/b.py"},
		{"src", "/app", "src/x/y.py", "/app/x/y.py"},
		{"src/", "/app/lib/", "src/y.py", "/app/lib/y.py"},
		{"src", "/app", "srcs/y.py", ""},
		{"bin/server", "/server", "bin/server", "/server"},
		{"bin/server", "/usr/bin/", "bin/server", "/usr/bin/server"},
		{"a.py", "/main.py", "a.py", "/main.py"},
		{"a.py", "/app", "a.py", ""}, // into it, or as it?
		{"*.py", "/app/", "x.py", "/app/x.py"},
		{"*.py", "/app/", "sub/x.py", ""},
		{"p*", "/app/", "pkg/x.py", "/app/x.py"}, // a folder that matches gives its content
		{"/abs.py", "/app/", "abs.py", "/app/abs.py"},
		{"../out.py", "/app/", "out.py", "/app/out.py"}, // the context is a root
	} {
		got := ""
		if all := destinations(row.file, []Copy{{From: row.from, To: row.to}}); len(all) == 1 {
			got = all[0].To
		}
		if got != row.want {
			t.Errorf("COPY %s %s puts %s at %q, want %q", row.from, row.to, row.file, got, row.want)
		}
	}
}

func TestAFileThatOnlyABuildCanPlaceHasNoDestination(t *testing.T) {
	copies := []Copy{{From: "*.py", To: "/app/"}, {From: ".", To: ""}}
	if got := destinations("a.py", copies); got != nil {
		t.Errorf("it goes to %v", got)
	}
}
