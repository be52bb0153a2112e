package event

import (
	"maps"
	"math"
	"slices"
)

// Says tells whether two samples say the same, whenever they were taken. A NaN says the
// same as another one.
func (s Scraped) Says(other Scraped) bool {
	return s.Of() == other.Of() && s.Series == other.Series && s.Cut == other.Cut && s.Error == other.Error && s.Gone == other.Gone &&
		slices.EqualFunc(s.Families, other.Families, sameFamily)
}

func sameFamily(a, b Family) bool {
	return a.Name == b.Name && a.Help == b.Help && a.Type == b.Type && a.Unit == b.Unit && slices.EqualFunc(a.Series, b.Series, sameSeries)
}

func sameSeries(a, b Series) bool {
	return sameNumber(a.Value, b.Value) && sameNumber(a.Count, b.Count) && sameNumber(a.Sum, b.Sum) && maps.Equal(a.Labels, b.Labels) &&
		slices.EqualFunc(a.Buckets, b.Buckets, func(a, b Bucket) bool { return sameNumber(a.UpTo, b.UpTo) && sameNumber(a.Count, b.Count) }) &&
		slices.EqualFunc(a.Quantiles, b.Quantiles, func(a, b Quantile) bool { return sameNumber(a.Share, b.Share) && sameNumber(a.Value, b.Value) })
}

func sameNumber(a, b Number) bool {
	return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b))
}
