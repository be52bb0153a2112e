package docker_test

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"testing"

	"github.com/docker/docker/api/types/network"

	"github.com/caraml-dev/merlin-local/emulator/docker"
)

func TestContainersReachThisHostAtTheGatewayOfTheirNetwork(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: the gateway is no address of this host")
	}
	l := newLab(t)
	listen, host, err := l.Inward(t.Context())
	check(t, err)
	bridge, err := l.api.NetworkInspect(t.Context(), network.NetworkBridge, network.InspectOptions{})
	check(t, err)
	subnet := netip.MustParsePrefix(bridge.IPAM.Config[0].Subnet)
	if !subnet.Contains(listen) || host != listen.String() {
		t.Errorf("listen at %s, which containers call %s, of the network %s", listen, host, subnet)
	}
	listener, err := net.Listen("tcp", netip.AddrPortFrom(listen, 0).String())
	check(t, err)
	check(t, listener.Close())
}

func TestAnAddressBelongsToAContainerOfTheModelWhileItRuns(t *testing.T) {
	for _, way := range []docker.Reach{docker.ReachAddress, docker.ReachPublished} {
		t.Run(string(way), func(t *testing.T) {
			l := newLab(t, reach(way))
			s := spec(l.image(t))
			s.Pod = "pod"
			c := l.start(t, s)
			var inner netip.Addr
			for _, n := range l.inspect(t, c).NetworkSettings.Networks {
				inner = netip.MustParseAddr(n.IPAddress)
			}
			if pod, ok := l.Owner(t.Context(), s.Model.ID(), inner); !ok || pod != "pod" {
				t.Errorf("%s is of %q, %v", inner, pod, ok)
			}
			if pod, ok := l.Owner(t.Context(), "other-1", inner); ok {
				t.Errorf("%s is of another model's pod %q", inner, pod)
			}
			if pod, ok := l.Owner(t.Context(), s.Model.ID(), inner.Next()); ok {
				t.Errorf("%s is of %q", inner.Next(), pod)
			}
			check(t, c.Remove(context.Background()))
			if pod, ok := l.Owner(t.Context(), s.Model.ID(), inner); ok {
				t.Errorf("%s is of %q, which is gone", inner, pod)
			}
		})
	}
}
