package config

// Compare says what counts as a difference between two answers of a model.
type Compare struct {
	Absolute, Relative float64
	At                 []Tolerance
	Ignore, Unordered  []string // paths
	Headers            []string // names
	Integers           string   // apart where it is empty
}

// Tolerance is how far numbers may be apart at some places.
type Tolerance struct {
	Path               string
	Absolute, Relative float64
}

// What Compare.Integers says.
const (
	IntegersApart    = "apart"     // 1 is not 1.0
	IntegersAsFloats = "as_floats" // it is
)

func compare(n *node) Compare {
	c := Compare{
		Absolute: n.number("absolute", 0), Relative: n.number("relative", 0),
		Ignore: texts(n.elements("ignore")), Unordered: texts(n.elements("unordered")), Headers: texts(n.elements("headers")),
		Integers: n.string("integers", ""),
	}
	for _, at := range n.elements("at") {
		c.At = append(c.At, Tolerance{at.string("path", ""), at.number("absolute", 0), at.number("relative", 0)})
	}
	return c
}

// CompareOf are the rules of the model with that ID; none where there is no such model.
func (f *File) CompareOf(id string) Compare {
	for i := range f.Models {
		if f.Models[i].ID() == id {
			return f.Compare[i]
		}
	}
	return Compare{}
}
