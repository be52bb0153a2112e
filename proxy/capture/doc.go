// Package capture keeps the exchanges that pass through the port, requests and their
// answers with headers and bodies, within a budget of bytes.
//
// A Store has memory in blocks, outside the garbage collector's. What runs through the
// port is copied there as it passes, so that nothing is held back; an exchange that has
// ended stays until newer ones need its blocks, the oldest first. Of a body the first
// MiB is in memory, and the rest in a file that a goroutine of the Store's own writes. No
// bound is ever passed: where memory, the disk or its pace does not suffice, bodies are
// cut and say so, and what is dropped is counted.
//
// Rules hide headers, query parameters, members of JSON bodies and the values of secrets
// before anything is kept, whether in memory or on disk.
//
// All methods of Store are safe for concurrent use. The two sides of one Recording may be
// taken by two goroutines. The lock is never held while a body is copied, or a file used.
package capture
