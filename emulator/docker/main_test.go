package docker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"go.uber.org/goleak"

	"github.com/caraml-dev/merlin-local/emulator/docker"
)

func TestMain(m *testing.M) {
	if socket := os.Getenv(dialStdio); socket != "" {
		connectStdio(socket)
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := errors.Join(os.RemoveAll(binaryFolder()), forgetImages()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}

// dialStdio makes the test's program connect its standard streams to a socket.
const dialStdio = "MERLIN_LOCAL_TEST_DIAL_STDIO"

func connectStdio(socket string) {
	far, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() {
		_, _ = io.Copy(far, os.Stdin)
		_ = far.(*net.UnixConn).CloseWrite()
	}()
	_, _ = io.Copy(os.Stdout, far)
}

// labelRun is on all that this run of the tests builds, what the classic builder keeps
// of failed builds too.
const labelRun = "dev.merlin-local.test-run"

var run = sync.OnceValue(func() string { return fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixNano()) })

// forgetImages removes what this run built.
func forgetImages() error {
	api, err := directly()
	if missing := (*docker.NoEngineError)(nil); errors.As(err, &missing) {
		return nil
	} else if err != nil {
		return err
	}
	defer api.Close()
	ctx := context.Background()
	built, err := api.ImageList(ctx, image.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", labelRun+"="+run()))})
	for _, i := range built {
		// Children before parents, which go with them: one may be gone already.
		_, _ = api.ImageRemove(ctx, i.ID, image.RemoveOptions{Force: true, PruneChildren: true})
	}
	return err
}
