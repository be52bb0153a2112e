package docker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"github.com/caraml-dev/merlin-local/emulator"
)

// Reach is how the host gets to a model's port.
type Reach string

// The ways to a model. ReachAddress is direct; ReachPublished goes through the
// Engine's proxy on 127.0.0.1, which costs; ReachAuto takes the first where it works.
const (
	ReachAuto      Reach = "auto"
	ReachAddress   Reach = "address"
	ReachPublished Reach = "published"
)

func (r *Reach) complete() error {
	switch *r {
	case "":
		*r = ReachAuto
	case ReachAuto, ReachAddress, ReachPublished:
	default:
		return fmt.Errorf("reach %q: it is %s, %s or %s", *r, ReachAuto, ReachAddress, ReachPublished)
	}
	return nil
}

// chooseReach settles what ReachAuto means on this host.
func (r *Runtime) chooseReach(ctx context.Context) (Reach, error) {
	if r.options.Reach == ReachAddress {
		return ReachAddress, nil
	}
	if !r.engine.sharesLoopback() {
		return "", &emulator.Failure{
			What: "cannot be reached",
			Why:  r.Describe() + " is on another host, whose loopback ports are not this one's",
			Next: "use a local Engine (unset DOCKER_HOST, docker context use default), or --reach address where a route or VPN leads to its containers",
		}
	}
	if r.options.Reach == ReachPublished {
		return ReachPublished, nil
	}
	routed, err := r.hostRoutes(ctx)
	if err != nil {
		return "", fmt.Errorf("find a way to the containers: %w", err)
	}
	if routed {
		return ReachAddress, nil
	}
	return ReachPublished, nil
}

// hostRoutes tells whether this host is the gateway of the containers' network.
func (r *Runtime) hostRoutes(ctx context.Context) (bool, error) {
	gateway, err := r.gateway(ctx)
	return gateway.IsValid(), err
}

// isHere tells whether the Engine shares this host's network. The address of a gateway
// can be another machine's too, since all Engines choose alike: the Engine must be on a
// host of this name, and not in a network of its own.
func (r *Runtime) isHere() bool {
	name, err := os.Hostname()
	return err == nil && runtime.GOOS == "linux" && name == r.engine.name && !r.engine.rootless
}

// gatewayOf is the network's gateway where an interface of this host has it. An Engine
// that has not yet run a container does not tell its gateway, only the bridge.
func gatewayOf(n network.Inspect) netip.Addr {
	bridge, err := net.InterfaceByName(n.Options["com.docker.network.bridge.name"])
	if err != nil {
		return netip.Addr{}
	}
	addresses, err := bridge.Addrs()
	if err != nil {
		return netip.Addr{}
	}
	for _, address := range addresses {
		own, err := netip.ParsePrefix(address.String())
		if err == nil && isGateway(own.Addr(), n.IPAM.Config) {
			return own.Addr()
		}
	}
	return netip.Addr{}
}

func isGateway(own netip.Addr, configs []network.IPAMConfig) bool {
	for _, c := range configs {
		if c.Gateway != "" {
			if gateway, err := netip.ParseAddr(c.Gateway); err == nil && gateway == own {
				return true
			}
		} else if subnet, err := netip.ParsePrefix(c.Subnet); err == nil && subnet.Contains(own) {
			return true
		}
	}
	return false
}

// publish asks for a free port of loopback, and of no other interface, for each.
func publish(config *container.Config, host *container.HostConfig, ports ...int) {
	config.ExposedPorts, host.PortBindings = nat.PortSet{}, nat.PortMap{}
	for _, port := range ports {
		inner := tcp(port)
		config.ExposedPorts[inner] = struct{}{}
		host.PortBindings[inner] = []nat.PortBinding{{HostIP: "127.0.0.1"}}
	}
}

// address reads where a running container is reached.
func address(c container.InspectResponse, reach Reach, port int) (netip.AddrPort, error) {
	if reach == ReachPublished {
		for _, b := range c.NetworkSettings.Ports[tcp(port)] {
			return netip.ParseAddrPort(net.JoinHostPort(b.HostIP, b.HostPort))
		}
		return netip.AddrPort{}, fmt.Errorf("the Engine published no port for %d", port)
	}
	if ip := innerAddress(c); ip.IsValid() {
		return netip.AddrPortFrom(ip, uint16(port)), nil
	}
	return netip.AddrPort{}, fmt.Errorf("the Engine gave the container no address: use --reach published")
}

func tcp(port int) nat.Port { return nat.Port(strconv.Itoa(port) + "/tcp") }
