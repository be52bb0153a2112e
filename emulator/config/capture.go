package config

import "k8s.io/apimachinery/pkg/api/resource"

// Capture says how much of requests and answers is kept, and what of them is hidden.
type Capture struct {
	Off     bool
	Bytes   int64    // 0 where none was given
	Headers []string // names
	JSON    []string // paths
}

func capture(root *node) Capture {
	n := root.get("capture")
	if n == nil {
		return Capture{}
	}
	c := Capture{Off: n.shape == scalar}
	if q, err := resource.ParseQuantity(n.string("bytes", "")); err == nil {
		c.Bytes = q.Value()
	}
	for _, item := range n.elements("headers") {
		c.Headers = append(c.Headers, item.text)
	}
	for _, item := range n.elements("json") {
		c.JSON = append(c.JSON, item.text)
	}
	return c
}
