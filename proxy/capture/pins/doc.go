// Package pins keeps requests with the answers that are expected, as files of a model repo
// that a person reviews: one request a file, always written in the same form, and without
// what differs from one call to the next, such as times.
//
// A body is exact to the byte: JSON stands as JSON where the way in which it was written
// can be told in a word, text as text, and all else in base64, a UPI message with its
// content beside it. A file is written whole or not at all, and is never overwritten
// unless that is asked for.
//
// What is secret has to be hidden before an exchange comes here. A Store may be used by
// several goroutines and processes; of two that replace a pin at once the last one counts.
package pins
