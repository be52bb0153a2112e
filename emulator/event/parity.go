package event

// Parity says, point by point, how a model's run compares with production.
type Parity struct {
	Points []ParityPoint `json:"points"`
}

// Verdict is how near one point is to production.
type Verdict string

// The verdicts.
const (
	Same         Verdict = "same"
	Approximated Verdict = "approximated"
	NotEmulated  Verdict = "not emulated"
)

// ParityPoint is one point of a comparison with production.
type ParityPoint struct {
	Area    string  `json:"area"` // "variables", "limits", …
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"` // what is as in production, or what is not and why
}

// Count counts the points by verdict.
func (p Parity) Count() (same, approximated, notEmulated int) {
	for _, point := range p.Points {
		switch point.Verdict {
		case Same:
			same++
		case Approximated:
			approximated++
		case NotEmulated:
			notEmulated++
		}
	}
	return same, approximated, notEmulated
}
