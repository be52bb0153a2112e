package watch

import (
	"slices"
	"testing"
	"time"
)

func changed(paths ...string) Set {
	s := Set{Tree: "t"}
	for _, p := range paths {
		s.Changes = append(s.Changes, Change{Path: p, Kind: Modified})
	}
	return s
}

// work is one turn: it begins, changes come, and it ends.
func work(l *Loop, now time.Time, paths ...string) (rest Set, looping []string, found bool) {
	l.BuildStarted()
	rest, looping, found = l.Heed(changed(paths...), now)
	l.BuildEnded(now)
	return rest, looping, found
}

func TestAFileThatEveryBuildWritesIsALoop(t *testing.T) {
	var l Loop
	for turn := range 2 {
		rest, looping, _ := work(&l, at(0), "out/gen.py", "main.py")
		if len(rest.Changes) != 2 || looping != nil {
			t.Fatalf("turn %d: %v loop, %v are left", turn, looping, rest)
		}
	}
	rest, looping, found := work(&l, at(0), "out/gen.py", "other.py")
	if !found || !slices.Equal(looping, []string{"out/gen.py"}) || rest.String() != "modified other.py" || rest.Tree != "t" {
		t.Errorf("the third time: %v loop (new: %v), %v are left", looping, found, rest)
	}
	rest, looping, found = work(&l, at(0), "out/gen.py")
	if found || !slices.Equal(looping, []string{"out/gen.py"}) || len(rest.Changes) != 0 {
		t.Errorf("after that: %v loop (new: %v), %v are left", looping, found, rest)
	}
	if got := l.Looping(); !slices.Equal(got, []string{"out/gen.py"}) {
		t.Errorf("looping: %v", got)
	}
}

func TestChangesRightAfterABuildAreOfTheBuild(t *testing.T) {
	l := Loop{Times: 2}
	for turn := range 2 {
		l.BuildStarted()
		l.BuildEnded(at(0))
		_, _, found := l.Heed(changed("gen.py"), at(time.Second))
		if found != (turn == 1) {
			t.Errorf("turn %d: a loop: %v", turn, found)
		}
	}
}

func TestAnEditWhileNothingIsBuiltIsNoLoop(t *testing.T) {
	l := Loop{Times: 2}
	if _, looping, _ := l.Heed(changed("main.py"), at(0)); looping != nil {
		t.Error("a loop before the first build")
	}
	for range 5 {
		l.BuildStarted()
		l.BuildEnded(at(0))
		rest, looping, _ := l.Heed(changed("main.py"), at(time.Minute))
		if looping != nil || len(rest.Changes) != 1 {
			t.Fatalf("%v loop", looping)
		}
	}
	work(&l, at(0), "main.py")
	work(&l, at(0), "main.py")
	rest, looping, _ := l.Heed(changed("main.py"), at(time.Minute))
	if looping != nil || len(rest.Changes) != 1 || len(l.Looping()) != 0 {
		t.Errorf("an edit of a file that looped: %v loop", looping)
	}
}

func TestATurnWithoutTheFileBreaksTheRow(t *testing.T) {
	l := Loop{Times: 2}
	work(&l, at(0), "gen.py")
	work(&l, at(0), "other.py")
	if _, looping, _ := work(&l, at(0), "gen.py"); looping != nil {
		t.Errorf("%v loop", looping)
	}
	// Twice in one turn counts once.
	l.BuildStarted()
	l.Heed(changed("x"), at(0))
	if _, looping, _ := l.Heed(changed("x"), at(0)); looping != nil {
		t.Errorf("%v loop", looping)
	}
}
