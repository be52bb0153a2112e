// Package check tells whether an image is a Merlin custom model: the contract as rules,
// each with an id, what was seen and what to do.
//
// It works in two steps. Observers run the model through a Launcher, ask it what a cluster
// and its clients would ask, and write down what they see (Seen). Rules are pure functions
// of that: they ask nobody, and the order in which they judge does not matter. A rule that
// could not be told is not judged, and says why; it never passes by default.
//
// One Run uses one container at a time for what is measured, and up to three beside each
// other for the rest. When it returns nothing of it runs any more, whatever was found.
package check
