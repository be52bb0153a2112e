// Package replay sends captured requests again: one, or a whole recording by a schedule,
// and says what came of it.
//
// A request goes as its client sent it, exact to the byte, over HTTP/1.1 or HTTP/2 as
// then; only what belongs to a connection is new, and what the capture hides is left out.
// The order of header lines of different names is not kept.
//
// A Client may be used by any number of goroutines. Everything that the package starts
// ends before the call returns that started it.
package replay
