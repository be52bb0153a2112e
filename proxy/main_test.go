package proxy

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// onGeneral has every port of a test carried by the general engine alone.
var onGeneral bool

// TestMain runs every test twice: on the engines that serve users, and on the general
// one, which also has to do all that they do not understand.
func TestMain(m *testing.M) {
	code := 0
	for _, onGeneral = range []bool{false, true} {
		fmt.Printf("on the general engine alone: %t\n", onGeneral)
		code = max(code, m.Run())
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
