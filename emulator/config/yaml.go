package config

import (
	"bytes"
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxSize bounds a file: the parser's time grows with the square of nesting.
const maxSize = 256 << 10

// reader makes the tree. Values are taken as source text, since the parser's own
// numbers have lost how they were written.
type reader struct {
	report  *report
	anchors map[string]*node // those read so far: an alias means the last one before it
	lines   []string
}

// parse gives nil where src holds no value, and false where it is not YAML.
func parse(src []byte, report *report) (*node, bool) {
	if len(src) > maxSize {
		report.add(start(), "", "the file is larger than %d KiB: keep data out of the configuration", maxSize>>10)
		return nil, false
	}
	docs, ok := documents(src, report)
	if len(docs) > 1 {
		report.add(docs[1].at, "", "a second YAML document: one file is one document; several models go under models")
	}
	if len(docs) == 0 {
		return nil, ok
	}
	return docs[0], ok
}

func start() place { return place{line: 1, column: 1} }

// documents are the values of a stream, without empty ones.
func documents(src []byte, report *report) ([]*node, bool) {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	file, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		report.syntax(err)
		return nil, false
	}
	r := reader{report: report, anchors: map[string]*node{}, lines: strings.Split(string(src), "\n")}
	var docs []*node
	for _, doc := range file.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); directive || doc.Body == nil {
			continue
		}
		docs = append(docs, r.node(doc.Body))
	}
	return docs, true
}

func (r *report) syntax(err error) {
	at := start()
	message := err.Error()
	var located yaml.Error
	if errors.As(err, &located) {
		at, message = placeOf(located.GetToken()), located.GetMessage()
	}
	r.add(at, "", "not YAML: %s", message)
}

func (r *reader) node(n ast.Node) *node {
	switch n := n.(type) {
	case nil:
		return &node{null: true, at: start()}
	case *ast.AnchorNode:
		value := r.node(n.Value)
		// Known only from here on, so that no value can contain itself.
		r.anchors[n.Name.GetToken().Value] = value
		return value
	case *ast.AliasNode:
		return r.alias(n)
	case *ast.TagNode:
		return r.tag(n)
	case *ast.MappingNode:
		return r.mapping(n.Start, n.Values)
	case *ast.MappingValueNode:
		return r.mapping(n.Start, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		return r.sequence(n)
	}
	return r.scalar(n)
}

func (r *reader) scalar(n ast.Node) *node {
	tk := n.GetToken()
	scalar := &node{at: placeOf(tk)}
	switch n := n.(type) {
	case *ast.NullNode:
		scalar.null = true
	case *ast.LiteralNode:
		scalar.text = n.Value.Value
	case *ast.StringNode:
		scalar.text = n.Value
		scalar.plain = tk.Type != token.DoubleQuoteType && tk.Type != token.SingleQuoteType
		r.checkEscapes(tk)
	default:
		scalar.text, scalar.plain = tk.Value, true
	}
	return scalar
}

func (r *reader) sequence(n *ast.SequenceNode) *node {
	list := &node{shape: sequence, at: placeOf(n.Start)}
	for _, v := range n.Values {
		list.items = append(list.items, r.node(v))
	}
	return list
}

func (r *reader) alias(n *ast.AliasNode) *node {
	name := n.Value.GetToken().Value
	if value, ok := r.anchors[name]; ok {
		return value
	}
	at := placeOf(n.Start)
	r.report.add(at, "", "*%s stands for nothing: no value before it has the anchor &%s", name, name)
	return &node{at: at, bad: true}
}

// tag passes YAML's own tags over, as each key says its type.
func (r *reader) tag(n *ast.TagNode) *node {
	value := r.node(n.Value)
	if !strings.HasPrefix(n.Start.Value, "!!") {
		r.report.add(placeOf(n.Start), "", "the tag %s means nothing here: remove it", n.Start.Value)
	}
	return value
}

func placeOf(tk *token.Token) place {
	if tk == nil || tk.Position == nil {
		return start()
	}
	return place{line: max(tk.Position.Line, 1), column: max(tk.Position.Column, 1)}
}
