package imports

import (
	"fmt"
	"io"
)

// gauge fails where more than so many bytes were read since it was last reset.
type gauge struct {
	r          io.Reader
	most, read int
}

func (g *gauge) Read(p []byte) (int, error) {
	if g.read >= g.most {
		return 0, fmt.Errorf("it is longer than %d bytes", g.most)
	}
	n, err := g.r.Read(p[:min(len(p), g.most-g.read)])
	g.read += n
	return n, err
}

func (g *gauge) reset() { g.read = 0 }
