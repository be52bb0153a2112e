package docker_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/docker"
)

func TestAnEngineBehindATCPPortServesWithAVolume(t *testing.T) {
	l := newLab(t)
	l = newLab(t, at("tcp://"+forwarder(t, l.api.DaemonHost())), reach(docker.ReachPublished))
	artifact := t.TempDir()
	write(t, artifact+"/model.properties", "image = x\n")
	s := spec(l.image(t))
	s.Artifact = artifact

	c, err := l.Start(t.Context(), s)
	check(t, err)
	seen := ask(t, c)
	if seen.Files["model.properties"] != "image = x\n" || !strings.Contains(seen.Write, "read-only") {
		t.Errorf("of /mnt/models it sees %q, and a write gives %q", seen.Files, seen.Write)
	}
	found := l.inspect(t, c)
	if len(found.Mounts) != 1 || found.Mounts[0].Type != "volume" || found.Mounts[0].RW {
		t.Errorf("mounts are %+v", found.Mounts)
	}
	if left := l.left(t); len(left) != 2 {
		t.Errorf("there are %s, want the container and its volume", left)
	}
	check(t, c.Remove(context.Background()))
	if left := l.left(t); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

func TestASocketToAnotherFileSystemServesWithAVolume(t *testing.T) {
	l := newLab(t)
	s := spec(l.image(t))
	artifact := t.TempDir()
	write(t, artifact+"/model.properties", "image = x\n")
	s.Artifact = artifact
	// What an Engine in a virtual machine answers where it does not see the folder.
	through := refusing(t, l, func(r *http.Request, body string) (status int, answer string) {
		if strings.HasSuffix(r.URL.Path, "/containers/create") && strings.Contains(body, `"Type":"bind"`) {
			return http.StatusBadRequest, `{"message":"invalid mount config for type \"bind\": bind source path does not exist: /x"}`
		}
		return 0, ""
	})
	c := through.start(t, s)
	if seen := ask(t, c); seen.Files["model.properties"] != "image = x\n" {
		t.Errorf("of /mnt/models it sees %q", seen.Files)
	}
}
