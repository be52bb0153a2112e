package docker

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/pkg/jsonmessage"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
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

func TestAForeignArchitectureIsRefusedUnlessAllowed(t *testing.T) {
	r := &Runtime{engine: engine{architecture: "amd64"}}
	err := r.checkArchitecture("shop/apple:1", image.InspectResponse{Architecture: "arm64"})
	var failure *emulator.Failure
	if !errors.As(err, &failure) {
		t.Fatalf("the error is %v", err)
	}
	if !strings.Contains(failure.Why, "shop/apple:1 is for arm64, and the Engine runs amd64") || !strings.Contains(failure.Next, "--platform linux/amd64") {
		t.Errorf("it says %q, then %q", failure.Why, failure.Next)
	}
	r.options.AllowForeign = true
	if err := r.checkArchitecture("shop/apple:1", image.InspectResponse{Architecture: "arm64"}); err != nil {
		t.Errorf("allowed, and still: %v", err)
	}
}

func TestAHostnameIsCutAsTheKubeletCutsIt(t *testing.T) {
	long := strings.Repeat("a", 63)
	for name, want := range map[string]string{
		"short":                            "short",
		long:                               long,
		long + "b":                         long,
		strings.Repeat("a", 61) + "-.b":    strings.Repeat("a", 61),
		strings.Repeat("a", 60) + "..-bcd": strings.Repeat("a", 60),
	} {
		if got := podHostname(name); got != want {
			t.Errorf("%s becomes %s, want %s", name, got, want)
		}
	}
}

func TestAPullTellsEachLayerAFewTimesASecond(t *testing.T) {
	var told []event.Step
	now := time.Unix(0, 0)
	l := newLayers(func() time.Time { return now }, func(f event.Fact) { told = append(told, f.(event.Step)) })
	l.add(jsonmessage.JSONMessage{Status: "Pulling from shop/apple", ID: "latest"})
	for i := range int64(100) { // ten seconds, ten times a second
		l.add(jsonmessage.JSONMessage{Status: "Downloading", ID: "abc", Progress: &jsonmessage.JSONProgress{Current: i * 1000, Total: 100_000}})
		now = now.Add(100 * time.Millisecond)
	}
	l.add(jsonmessage.JSONMessage{Status: "Pull complete", ID: "abc"})
	l.add(jsonmessage.JSONMessage{Status: "Pull complete", ID: "abc"})
	l.add(jsonmessage.JSONMessage{Status: "Already exists", ID: "def"})
	l.add(jsonmessage.JSONMessage{Status: "Status: Downloaded newer image"})

	var states []event.StepState
	for _, s := range told {
		if s.State != event.StepProgress {
			states = append(states, s.State)
		}
	}
	if want := []event.StepState{"started", "done", "started", "cached"}; !slices.Equal(states, want) {
		t.Errorf("states are %q, want %q", states, want)
	}
	if progress := len(told) - len(states); progress < 20 || progress > 40 {
		t.Errorf("progress was told %d times in 10 s", progress)
	}
	if last := told[len(told)-4]; last.Detail != "Downloading 99kB of 100kB" && last.State != event.StepProgress {
		t.Errorf("the last progress is %+v", last)
	}
}

func TestAStreamReadAgainGoesOnWhereItBroke(t *testing.T) {
	var got bytes.Buffer
	r := &resumed{w: &got}
	for _, cut := range []int{3, 0, 7, 7, 12} {
		r.rewind()
		_, err := io.Copy(r, iotest.OneByteReader(strings.NewReader("hello, world"[:cut])))
		if err != nil {
			t.Fatal(err)
		}
	}
	if got.String() != "hello, world" {
		t.Errorf("got %q", got.String())
	}
}
