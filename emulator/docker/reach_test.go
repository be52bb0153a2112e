package docker_test

import (
	"runtime"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/docker"
)

func reach(r docker.Reach) func(*docker.Options) {
	return func(o *docker.Options) { o.Reach = r }
}

func at(host string) func(*docker.Options) { return environment("DOCKER_HOST", host) }

func TestAModelIsReachedByItsOwnAddress(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: containers have no address that this host can reach")
	}
	l := newLab(t, reach(docker.ReachAddress))
	c := l.start(t, spec(l.image(t)))
	ask(t, c)
	if c.Started().Reach != "address" || c.Address().Addr().IsLoopback() || c.Address().Port() != 8080 {
		t.Errorf("reached at %s by %s", c.Address(), c.Started().Reach)
	}
	if ports := l.inspect(t, c).HostConfig.PortBindings; len(ports) > 0 {
		t.Errorf("published %v", ports)
	}
}

func TestAModelIsReachedByAPortOfLoopbackOnly(t *testing.T) {
	l := newLab(t, reach(docker.ReachPublished))
	c := l.start(t, spec(l.image(t)))
	ask(t, c)
	if c.Started().Reach != "published" || c.Address().String() != c.Started().Address {
		t.Errorf("reached at %s by %s", c.Address(), c.Started().Reach)
	}
	ports := l.inspect(t, c).NetworkSettings.Ports
	if bindings := ports["8080/tcp"]; len(ports) != 1 || len(bindings) != 1 || bindings[0].HostIP != "127.0.0.1" {
		t.Errorf("published %v", ports)
	}
}
