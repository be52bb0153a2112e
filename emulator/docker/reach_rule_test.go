package docker

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/network"

	"github.com/caraml-dev/merlin-local/emulator"
)

func TestOnlyAnEngineOfThisHostSharesItsFilesAndItsLoopback(t *testing.T) {
	for _, test := range []struct {
		host            string
		files, loopback bool
	}{
		{"unix:///var/run/docker.sock", true, true},
		{"npipe:////./pipe/docker_engine", true, true},
		{"tcp://127.0.0.1:2375", false, true},
		{"tcp://[::1]:2375", false, true},
		{"tcp://localhost:2375", false, true},
		{"tcp://10.0.0.7:2376", false, false},
		{"tcp://builder:2376", false, false},
		{"ssh://me@builder", false, false},
	} {
		e := endpoint{host: test.host}
		if e.sharesFiles() != test.files || e.sharesLoopback() != test.loopback {
			t.Errorf("%s: files %t, loopback %t", test.host, e.sharesFiles(), e.sharesLoopback())
		}
	}
}

func TestAnEngineOfAnotherHostIsRefusedUnlessItsContainersAreReached(t *testing.T) {
	far := endpoint{host: "tcp://builder:2376", foundBy: "DOCKER_HOST"}
	for _, reach := range []Reach{ReachAuto, ReachPublished} {
		r := &Runtime{options: Options{Reach: reach}, engine: engine{endpoint: far, version: "28.5.2"}}
		_, err := r.chooseReach(t.Context())
		var failure *emulator.Failure
		if !errors.As(err, &failure) || !strings.Contains(failure.Next, "--reach address") {
			t.Errorf("with %s the error is %v", reach, err)
		}
	}
	r := &Runtime{options: Options{Reach: ReachAddress}, engine: engine{endpoint: far}}
	if reach, err := r.chooseReach(t.Context()); err != nil || reach != ReachAddress {
		t.Errorf("with address: %s, %v", reach, err)
	}
}

func TestTheGatewayIsKnownWhereTheEngineTellsOnlyItsSubnet(t *testing.T) {
	own := netip.MustParseAddr("172.17.0.1")
	for _, test := range []struct {
		config network.IPAMConfig
		want   bool
	}{
		{network.IPAMConfig{Subnet: "172.17.0.0/16", Gateway: "172.17.0.1"}, true},
		{network.IPAMConfig{Subnet: "172.17.0.0/16", Gateway: "172.17.0.254"}, false},
		{network.IPAMConfig{Subnet: "172.17.0.0/16"}, true},
		{network.IPAMConfig{Subnet: "172.18.0.0/16"}, false},
		{network.IPAMConfig{}, false},
	} {
		if got := isGateway(own, []network.IPAMConfig{test.config}); got != test.want {
			t.Errorf("%+v: %t", test.config, got)
		}
	}
}
