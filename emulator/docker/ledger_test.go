package docker

import (
	"slices"
	"testing"
	"time"

	controlapi "github.com/moby/buildkit/api/services/control"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// second is a moment.
func second(s float64) time.Time { return time.Unix(0, int64(s*1e9)) }

// wasBuilt is a build of one line of files, carried out from a second to half a second later.
func wasBuilt(model, image string, began float64, line string) *pastBuild {
	return &pastBuild{Model: model, Image: image, Began: second(began), Done: second(began + 1), Steps: []pastStep{
		{Vertex: model + image, Line: line, Kind: stepFiles, From: second(began), Till: second(began + 0.5)},
	}}
}

func recorded(id string, created, used float64) cacheRecord {
	return cacheRecord{id: id, kind: stepFiles, created: second(created), used: second(used)}
}

func ids(l *ledger) []string {
	var all []string
	for id := range l.Ours {
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

func TestARecordIsOursWhereItCanBeNobodyElses(t *testing.T) {
	ran := recorded("ran", 10.1, 11)
	ran.kind = stepRun
	cached := wasBuilt("m", "1", 10, "COPY a")
	cached.Steps[0].Cached = true
	two := wasBuilt("m", "1", 10, "COPY a")
	two.Steps = append(two.Steps, pastStep{Vertex: "v2", Line: "COPY b", Kind: stepFiles, From: second(10.4), Till: second(10.9)})
	same := wasBuilt("other", "2", 10.2, "COPY a")
	same.Steps[0].Vertex = "m1" // the same step of two builds that went on together
	for _, test := range []struct {
		name    string
		builds  []*pastBuild
		running float64
		records []cacheRecord
		want    []string
	}{
		{"one step, one record", []*pastBuild{wasBuilt("m", "1", 10, "COPY a")}, 0, []cacheRecord{recorded("a", 10.2, 11)}, []string{"a"}},
		{"one record too many", []*pastBuild{wasBuilt("m", "1", 10, "COPY a")}, 0, []cacheRecord{recorded("a", 10.2, 11), recorded("b", 10.3, 11)}, nil},
		{"another kind beside it", []*pastBuild{wasBuilt("m", "1", 10, "COPY a")}, 0, []cacheRecord{recorded("a", 10.2, 11), ran}, []string{"a"}},
		{"before and after the step", []*pastBuild{wasBuilt("m", "1", 10, "COPY a")}, 0, []cacheRecord{recorded("a", 9.9, 11), recorded("b", 10.6, 11)}, nil},
		{"somebody has used it since", []*pastBuild{wasBuilt("m", "1", 10, "COPY a")}, 0, []cacheRecord{recorded("a", 10.2, 20)}, nil},
		{"a cached step makes none", []*pastBuild{cached}, 0, []cacheRecord{recorded("a", 10.2, 11)}, nil},
		{"two steps at once", []*pastBuild{two}, 0, []cacheRecord{recorded("a", 10.2, 11), recorded("b", 10.45, 11)}, []string{"a", "b"}},
		{"two steps, one record", []*pastBuild{two}, 0, []cacheRecord{recorded("a", 10.2, 11)}, nil},
		{"two builds of ours", []*pastBuild{wasBuilt("m", "1", 10, "COPY a"), wasBuilt("other", "2", 10.2, "COPY b")}, 0, []cacheRecord{recorded("a", 10.25, 11), recorded("b", 10.3, 11)}, []string{"a", "b"}},
		{"two builds that share a step", []*pastBuild{wasBuilt("m", "1", 10, "COPY a"), same}, 0, []cacheRecord{recorded("a", 10.25, 11)}, []string{"a"}},
		{"a build of ours is not over", []*pastBuild{wasBuilt("m", "1", 10, "COPY a")}, 10.5, []cacheRecord{recorded("a", 10.25, 11)}, nil},
		{"one that began later is not over", []*pastBuild{wasBuilt("m", "1", 10, "COPY a")}, 11.5, []cacheRecord{recorded("a", 10.25, 11)}, []string{"a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := &ledger{Builds: test.builds}
			running := time.Time{}
			if test.running > 0 {
				running = second(test.running)
			}
			l.attribute(test.records, running)
			if got := ids(l); !slices.Equal(got, test.want) {
				t.Errorf("ours are %q, want %q", got, test.want)
			}
		})
	}
}

func TestABuildThatWaitedForAnotherIsLookedAtOnceThatIsOver(t *testing.T) {
	l := &ledger{Builds: []*pastBuild{wasBuilt("m", "1", 10, "COPY a")}}
	records := []cacheRecord{recorded("a", 10.2, 11), recorded("b", 10.3, 12)}
	l.attribute(records, second(10.1))
	other := wasBuilt("other", "2", 10.1, "COPY b")
	other.Done = second(12)
	l.Builds = append(l.Builds, other)
	l.attribute(records, time.Time{})
	if got := ids(l); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("ours are %q", got)
	}
	l.attribute(append(records, recorded("c", 10.35, 11)), time.Time{})
	if got := ids(l); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("what comes to light later changes it: %q", got)
	}
}

func TestTheCacheOfTheLastTwoBuildsAndOfImagesThatAreThereStays(t *testing.T) {
	var l ledger
	var records []cacheRecord
	for i, image := range []string{"1", "2", "", "4", "5"} { // the third failed
		at := float64(10 * (i + 1))
		l.Builds = append(l.Builds, wasBuilt("m", image, at, "COPY a"))
		records = append(records, recorded(string(rune('a'+i)), at+0.2, at+1))
	}
	l.Builds = append(l.Builds, wasBuilt("other", "9", 100, "COPY a"))
	records = append(records, recorded("z", 100.2, 101), recorded("foreign", 15, 16))
	l.attribute(records, time.Time{})
	there := map[string]bool{"2": true, "4": true, "5": true, "9": true}
	if got := l.superseded(records, there); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("superseded are %q", got)
	}
	rest := slices.DeleteFunc(records, func(r cacheRecord) bool { return r.id == "a" || r.id == "c" })
	l.forget(rest, there)
	if got := ids(&l); !slices.Equal(got, []string{"b", "d", "e", "z"}) || len(l.Builds) != 4 {
		t.Errorf("it still knows %q of %d builds", got, len(l.Builds))
	}
}

func TestARecordThatSomebodyElseUsesIsOursNoMore(t *testing.T) {
	l := ledger{Builds: []*pastBuild{wasBuilt("m", "1", 10, "COPY a")}}
	l.attribute([]cacheRecord{recorded("a", 10.2, 11)}, time.Time{})
	again := wasBuilt("m", "2", 20, "COPY a")
	again.Steps[0].Cached = true
	l.Builds = append(l.Builds, again)
	l.attribute([]cacheRecord{recorded("a", 10.2, 21)}, time.Time{})
	if got := ids(&l); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after a build of ours used it, ours are %q", got)
	}
	l.attribute([]cacheRecord{recorded("a", 10.2, 21.5)}, time.Time{}) // just after our build
	if got := ids(&l); len(got) != 0 {
		t.Errorf("after somebody used it, ours are %q", got)
	}
}

func TestATraceKnowsWhatItsStepsDid(t *testing.T) {
	tr := newTrace(func(event.Fact) {})
	vertex := func(name string, cached bool, err string, from, till float64) {
		tr.vertex(&controlapi.Vertex{
			Digest: name, Name: name, Cached: cached, Error: err,
			Started: timestamppb.New(second(from)), Completed: timestamppb.New(second(till)),
		})
	}
	vertex("[internal] load build context", false, "", 1, 2)
	vertex("[make 2/4] COPY in.txt a.txt ./", false, "", 2, 3)
	vertex("[make 2/4] COPY in.txt a.txt ./", false, "", 2, 3) // BuildKit repeats itself
	vertex("[linux/amd64 stage-1 3/3] run --mount=type=cache,target=/c go build", false, "", 3, 4)
	vertex("[2/2] WORKDIR /app", true, "", 4, 4)
	vertex("[3/4] RUN false", false, "exit code: 1", 4, 5)
	vertex("[1/4] FROM docker.io/library/python", false, "", 1, 2)
	vertex("exporting to image", false, "", 5, 6)
	want := []pastStep{
		{"[make 2/4] COPY in.txt a.txt ./", "make COPY in.txt a.txt ./", stepFiles, false, second(2).UTC(), second(3).UTC()},
		{"[linux/amd64 stage-1 3/3] run --mount=type=cache,target=/c go build", "linux/amd64 stage-1 run --mount=type=cache,target=/c go build", stepRun, false, second(3).UTC(), second(4).UTC()},
		{"[2/2] WORKDIR /app", "WORKDIR /app", stepFiles, true, second(4).UTC(), second(4).UTC()},
	}
	if !slices.Equal(tr.past.Steps, want) {
		t.Errorf("steps are %+v", tr.past.Steps)
	}
	if !tr.past.Began.Equal(second(1)) || !tr.past.Done.Equal(second(6)) {
		t.Errorf("it went on from %v till %v", tr.past.Began, tr.past.Done)
	}
}
