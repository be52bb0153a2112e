// Package compare tells how two answers to the same request differ, and whether one set of
// answers took longer than another.
//
// JSON and UPI messages are compared by path, other bodies byte by byte, unpacked where
// they are compressed in a way that is known. All work is bounded: what is larger or
// deeper than the bounds below is compared by bytes, of many differences the worst are
// kept, and unordered arrays that are too large to be matched element with element are
// sorted and then paired. What could not be compared is a difference itself, so that
// nothing counts as the same that was not looked at.
//
// The functions have no state and are safe for concurrent use.
package compare

const (
	// largest is how many bytes of a body, unpacked, are compared by path.
	largest = 32 << 20
	// largestUPI is how many bytes of a UPI message are: in memory it is many times as large.
	largestUPI = 8 << 20
	// mostValues is how many values a body may have that is compared by path.
	mostValues = 1 << 20
	// deepest is how many levels a body may have that is compared by path.
	deepest = 200
	// mostKept is how many differences a Result has at most.
	mostKept = 1000
	// mostTries is how many values are looked at to match unordered elements, of all
	// arrays of a body; mostPairs how many elements an array may have for that.
	mostTries = 1 << 20
	// mostKeys is how many values are looked at to sort unordered arrays.
	mostKeys  = 16 << 20
	mostPairs = 256
	// shown is how many bytes of a value a Difference has at most.
	shown = 200
)
