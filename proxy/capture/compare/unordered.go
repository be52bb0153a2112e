package compare

import (
	"cmp"
	"slices"
	"strconv"
)

// sets compares arrays whose elements have no order. Elements that are the same but for
// places that are ignored find each other first; what is left is matched within the
// tolerance, and what is left then is paired so that little differs.
func (w *walk) sets(was, is []value) {
	s := &sets{walk: w, was: was, is: is}
	if w.keys <= 0 { // so much was sorted already that it is time to stop
		w.lists(was, is)
		return
	}
	s.exact()
	switch {
	case len(s.left) == 0 || len(s.right) == 0 || len(s.left)+len(s.right) == 2:
	case s.numbers():
		s.matchNumbers()
	case len(s.left) <= mostPairs && len(s.right) <= mostPairs && s.try():
		s.match()
		s.nearest()
	}
	s.rest()
}

// sets is two arrays while their elements are matched.
type sets struct {
	*walk
	was, is     []value
	left, right []int // the elements of each that are not matched yet
	// apart says of each of left how much it differs from each of right.
	apart [][]int
}

// exact matches what is the same without any tolerance.
func (s *sets) exact() {
	there := map[string][]int{}
	for i := range s.is {
		key := s.keyed(&s.is[i])
		there[key] = append(there[key], i)
	}
	taken := make([]bool, len(s.is))
	for i := range s.was {
		key := s.keyed(&s.was[i])
		if same := there[key]; len(same) > 0 {
			taken[same[0]], there[key] = true, same[1:]
			continue
		}
		s.left = append(s.left, i)
	}
	for i := range s.is {
		if !taken[i] {
			s.right = append(s.right, i)
		}
	}
}

// keyed is an element's key; its number is nothing that a rule could know.
func (s *sets) keyed(v *value) (key string) {
	s.with("*", func() { key = string(s.key(nil, v)) })
	return key
}

func (s *sets) numbers() bool {
	for _, i := range s.left {
		if !s.was[i].number() {
			return false
		}
	}
	for _, j := range s.right {
		if !s.is[j].number() {
			return false
		}
	}
	return true
}

// matchNumbers matches numbers within the tolerance, in their order of size.
func (s *sets) matchNumbers() {
	byNumber := func(items []value) func(a, b int) int {
		return func(a, b int) int { return cmp.Compare(double(&items[a]), double(&items[b])) }
	}
	slices.SortStableFunc(s.left, byNumber(s.was))
	slices.SortStableFunc(s.right, byNumber(s.is))
	var left, right []int
	i, j := 0, 0
	for i < len(s.left) && j < len(s.right) {
		a, b := &s.was[s.left[i]], &s.is[s.right[j]]
		switch {
		case s.alike(a, b):
			s.count(&s.Tolerated)
			i, j = i+1, j+1
		case double(a) < double(b):
			left = append(left, s.left[i])
			i++
		default:
			right = append(right, s.right[j])
			j++
		}
	}
	s.left, s.right = append(left, s.left[i:]...), append(right, s.right[j:]...)
}

// alike tells whether two elements are the same number, within the tolerance.
func (s *sets) alike(a, b *value) (same bool) {
	s.with("*", func() { same = s.judge(a, b).Kind == "" })
	return same
}

func double(v *value) float64 {
	n, _ := strconv.ParseFloat(v.text, 64) // of what is too large it is infinite
	return n
}

// differing is at how many places two values differ.
func (s *sets) differing(i int, a, b *value) int {
	trying, before := s.trying, s.differ
	s.trying, s.differ = true, 0
	s.with(strconv.Itoa(i), func() { s.values(a, b) })
	n := s.differ
	s.trying, s.differ = trying, before
	return n
}

// try compares each with each; false where that is too much.
func (s *sets) try() bool {
	s.apart = make([][]int, len(s.left))
	for i, a := range s.left {
		s.apart[i] = make([]int, len(s.right))
		for j, b := range s.right {
			s.apart[i][j] = s.differing(a, &s.was[a], &s.is[b])
			if s.tries <= 0 {
				return false
			}
		}
	}
	return true
}

// match finds as many pairs as there are that differ nowhere beyond the tolerance, by
// augmenting paths: the first that fits may be the only one that fits another.
func (s *sets) match() {
	of := make([]int, len(s.right)) // who has it
	for j := range of {
		of[j] = -1
	}
	var seen []bool
	var find func(i int) bool
	find = func(i int) bool {
		for j := range s.right {
			if s.apart[i][j] != 0 || seen[j] {
				continue
			}
			seen[j] = true
			if of[j] < 0 || find(of[j]) {
				of[j] = i
				return true
			}
		}
		return false
	}
	for i := range s.left {
		seen = make([]bool, len(s.right))
		find(i)
	}
	for j, i := range of {
		if i >= 0 {
			// They are walked through once more, to count what is tolerated and ignored.
			s.with(strconv.Itoa(s.left[i]), func() { s.values(&s.was[s.left[i]], &s.is[s.right[j]]) })
			s.left[i], s.right[j] = -1, -1
		}
	}
}

// nearest pairs what is left so that the least differs, one pair after the other.
func (s *sets) nearest() {
	type pair struct{ i, j, apart int }
	var all []pair
	for i, a := range s.left {
		for j, b := range s.right {
			if a >= 0 && b >= 0 {
				all = append(all, pair{i, j, s.apart[i][j]})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b pair) int { return cmp.Compare(a.apart, b.apart) })
	for _, p := range all {
		if a, b := s.left[p.i], s.right[p.j]; a >= 0 && b >= 0 {
			s.with(strconv.Itoa(a), func() { s.values(&s.was[a], &s.is[b]) })
			s.left[p.i], s.right[p.j] = -1, -1
		}
	}
}

// rest pairs what was not matched in the order of the keys, and tells what is over.
func (s *sets) rest() {
	gone := func(i int) bool { return i < 0 }
	s.left, s.right = slices.DeleteFunc(s.left, gone), slices.DeleteFunc(s.right, gone)
	if len(s.left) > 0 && len(s.right) > 0 && !s.numbers() {
		s.sortByKey(s.left, s.was)
		s.sortByKey(s.right, s.is)
	}
	for i := range max(len(s.left), len(s.right)) {
		var was, is *value
		at := 0
		if i < len(s.right) {
			at, is = s.right[i], &s.is[s.right[i]]
		}
		if i < len(s.left) {
			at, was = s.left[i], &s.was[s.left[i]]
		}
		s.with(strconv.Itoa(at), func() { s.pair(was, is) })
	}
}

func (s *sets) sortByKey(indexes []int, items []value) {
	keys := make(map[int]string, len(indexes))
	for _, i := range indexes {
		keys[i] = s.keyed(&items[i])
	}
	slices.SortStableFunc(indexes, func(a, b int) int { return cmp.Compare(keys[a], keys[b]) })
}
