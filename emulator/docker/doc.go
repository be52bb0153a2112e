// Package docker runs models on a Docker Engine: it is an emulator.Runtime.
//
// It finds the Engine as the docker CLI does, and needs only the Engine's API, from
// 1.41 on; the CLI itself is never run. Whatever it makes carries the session's label,
// and it touches nothing that does not.
//
// Promises. A Runtime and its Containers are safe for concurrent use. Connect starts
// nothing that outlives it; Start leaves one goroutine a container, which Remove ends.
// A lost connection to the Engine is not a model's exit: the container is looked at
// again until the Engine answers. Every call ends when its context does, and those on
// the way out (Stop, Remove, Sweep) are bounded by themselves, so that an Engine that
// hangs keeps nobody from leaving.
package docker
