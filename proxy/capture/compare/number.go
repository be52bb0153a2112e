package compare

import (
	"math"
	"math/big"
	"strconv"
)

// longestInteger is how many digits an integer may have whose distance is computed.
const longestInteger = 1000

// apart tells how far two numbers are apart, and the larger one's magnitude; 0 where they
// are the same, and +Inf where no number says it. Integers are compared exactly, floats as doubles.
// What no double can hold is only the same as what is written the same.
func apart(a, b *value) (distance, larger float64) {
	if a.text == b.text {
		return 0, 0
	}
	if a.kind == integer && b.kind == integer {
		return integersApart(a.text, b.text)
	}
	x, errX := strconv.ParseFloat(a.text, 64)
	y, errY := strconv.ParseFloat(b.text, 64)
	switch {
	case errX != nil || errY != nil:
		return math.Inf(1), math.Inf(1)
	case x == y || math.IsNaN(x) && math.IsNaN(y):
		return 0, 0
	case math.IsNaN(x) || math.IsNaN(y) || math.IsInf(x, 0) || math.IsInf(y, 0):
		return math.Inf(1), 1
	}
	return math.Abs(x - y), max(math.Abs(x), math.Abs(y))
}

func integersApart(a, b string) (distance, larger float64) {
	x, errX := strconv.ParseInt(a, 10, 54)
	y, errY := strconv.ParseInt(b, 10, 54)
	if errX == nil && errY == nil {
		return math.Abs(float64(x - y)), max(math.Abs(float64(x)), math.Abs(float64(y)))
	}
	if len(a) > longestInteger || len(b) > longestInteger {
		return math.Inf(1), math.Inf(1)
	}
	m, _ := new(big.Int).SetString(a, 10) // it was read as an integer
	n, _ := new(big.Int).SetString(b, 10)
	distance = magnitude(new(big.Int).Sub(m, n))
	return distance, max(magnitude(m), magnitude(n))
}

// magnitude is a number's, as a double; +Inf where none is as large.
func magnitude(n *big.Int) float64 {
	f, _ := new(big.Float).SetInt(n).Float64()
	return math.Abs(f)
}

// relative is a distance as a share of the larger number.
func relative(distance, larger float64) float64 {
	if math.IsInf(distance, 0) || larger == 0 {
		return distance
	}
	return distance / larger
}
