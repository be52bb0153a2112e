package config

import (
	"strings"
)

// didYouMean is the allowed name that is nearest to a wrong one, as part of a
// message; empty where none is near.
func didYouMean(wrong string, allowed []string) string {
	best, nearest := "", 1+len(wrong)/3
	for _, name := range allowed {
		if d := distance(fold(wrong), fold(name)); d < nearest || d == 0 {
			best, nearest = name, d
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// fold takes away what names of other styles differ in: modelDir, model-dir.
func fold(name string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
}

// distance counts the letters to insert, delete or change between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
