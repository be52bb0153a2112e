//go:build unix

package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/control"
)

// aside is the session of the one check that runs, once it has a container.
func (l *lab) aside() control.Session {
	l.t.Helper()
	var found control.Session
	await(l.t, "a check has a container", func() bool {
		sessions, err := control.Home(l.home).Sessions()
		check(l.t, err)
		for _, s := range sessions {
			if s.ID == l.session.ID || !s.Alive() {
				continue
			}
			containers, _, err := l.made(s.ID)
			check(l.t, err)
			found = s
			return len(containers) > 0
		}
		return false
	})
	return found
}

// images counts those that carry a session's label.
func (l *lab) images(id string) int {
	l.t.Helper()
	var images []json.RawMessage
	check(l.t, l.call(http.MethodGet, "/images/json?filters="+url.QueryEscape(`{"label":["dev.merlin-local.session=`+id+`"]}`), &images))
	return len(images)
}

// gone fails where a session has left something on the Engine.
func (l *lab) gone(s control.Session) {
	l.t.Helper()
	containers, others, err := l.made(s.ID)
	check(l.t, err)
	if images := l.images(s.ID); len(containers)+len(others)+images > 0 {
		l.t.Errorf("left on the Engine: %q, %q and %d images", containers, others, images)
	}
}

func TestCheckLeavesNothingWhenItIsInterruptedAndTheNextOneSweepsWhenItIsKilled(t *testing.T) {
	l := faulty{fault: "never-listens"}.repo(t)
	var killed control.Session
	for _, end := range []os.Signal{os.Interrupt, os.Kill} {
		c := l.command("check", "--runtime", "docker")
		check(t, c.Start())
		s := l.aside()
		if l.images(s.ID) == 0 {
			t.Error("its image has not its label")
		}
		check(t, c.Process.Signal(end))
		if err := c.Wait(); err == nil {
			t.Error("it ended well")
		}
		if end == os.Interrupt {
			l.gone(s)
		}
		killed = s
	}
	if containers, _, err := l.made(killed.ID); err != nil || len(containers) == 0 {
		t.Errorf("a killed check left %q (%v): there is nothing to sweep", containers, err)
	}
	l.checked("--rule", "image-user")
	l.gone(killed)
	l.nothingLeft()
}

func TestCheckRunsBesideAnUpOfTheSameRepo(t *testing.T) {
	l := faulty{}.repo(t)
	l.up()
	before := l.status().Models[0]
	if report, code := l.checked(); code != 0 || len(against(report)) > 0 {
		t.Errorf("exit code %d: %+v", code, against(report))
	}
	contains(t, l.must("predict"), `{"predictions":[2,4,6]}`)
	if after := l.status().Models[0]; after.ContainerID != before.ContainerID || after.ImageID != before.ImageID {
		t.Errorf("the session's container was %s, and is %s", before.ContainerID, after.ContainerID)
	}
	l.must("down")
	l.nothingLeft()
}
