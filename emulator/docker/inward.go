package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

// Inward is how containers reach a program on this host: the address that it has to
// listen at, and the host that they call it by. On a Linux Engine that is the gateway of
// the containers' network, where the network around this host does not come; elsewhere
// the Engine's own way to loopback. The error says why there is none.
func (r *Runtime) Inward(ctx context.Context) (listen netip.Addr, host string, err error) {
	gateway, err := r.gateway(ctx)
	switch {
	case err != nil:
		return netip.Addr{}, "", fmt.Errorf("find the gateway of the containers' network: %w", err)
	case gateway.IsValid():
		return gateway, gateway.String(), nil
	case !r.engine.sharesLoopback():
		return netip.Addr{}, "", errors.New(r.Describe() + " is on another host, from where nothing leads back here")
	case runtime.GOOS == "linux" && r.engine.system != "Docker Desktop":
		return netip.Addr{}, "", errors.New("this host is not the gateway of the containers' network, as the Engine is rootless, or in another container or machine")
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1}), "host.docker.internal", nil
}

// Owner names the pod of a model whose container has an address on the containers'
// network; false where none of the model's running ones has.
func (r *Runtime) Owner(ctx context.Context, model string, address netip.Addr) (pod string, ok bool) {
	for _, c := range r.known.of(model) {
		if c.own(ctx) == address {
			return c.pod, true
		}
	}
	return "", false
}

// own is a container's address on its network while it runs. The Engine knows it before
// the start has been looked at here: a program may be faster.
func (c *replica) own(ctx context.Context) netip.Addr {
	select {
	case <-c.ended:
		return netip.Addr{} // another one's by now, maybe
	default:
	}
	if known := c.inner.Load(); known != nil {
		return *known
	}
	found, err := c.client.ContainerInspect(ctx, c.id)
	if err != nil {
		return netip.Addr{}
	}
	address := innerAddress(found)
	if address.IsValid() {
		c.inner.Store(&address)
	}
	return address
}

// innerAddress is not valid for a container that does not run.
func innerAddress(c container.InspectResponse) netip.Addr {
	for _, n := range c.NetworkSettings.Networks {
		if ip, err := netip.ParseAddr(n.IPAddress); err == nil {
			return ip
		}
	}
	return netip.Addr{}
}

// gateway is this host's address on the containers' network, where it is their gateway;
// else not valid.
func (r *Runtime) gateway(ctx context.Context) (netip.Addr, error) {
	if !r.isHere() {
		return netip.Addr{}, nil
	}
	bridge, err := r.client.NetworkInspect(ctx, network.NetworkBridge, network.InspectOptions{})
	if errdefs.IsNotFound(err) { // the Engine runs without it
		return netip.Addr{}, nil
	} else if err != nil {
		return netip.Addr{}, err
	}
	return gatewayOf(bridge), nil
}
