package scrape

import (
	"bytes"
	"strings"
)

// plainText turns OpenMetrics into the text form, which is all that expfmt reads whole:
// a counter's family has its series' name, types that the text form lacks are near ones,
// units come back by family, and timestamps, exemplars and _created series, which nothing
// here shows, are left out. What is in neither form stays as it is, for the parser to
// refuse.
func plainText(page []byte) (text []byte, units map[string]string) {
	o := openMetrics{types: map[string]string{}, units: map[string]string{}}
	lines := strings.SplitAfter(string(page), "\n")
	for _, line := range lines { // a HELP may stand before its TYPE
		if name, kind, ok := o.metadata(line, "# TYPE "); ok {
			o.types[name] = kind
		}
	}
	for _, line := range lines {
		if strings.TrimRight(line, "\r\n") == "# EOF" {
			break
		}
		o.line(line)
	}
	return o.out.Bytes(), o.units
}

type openMetrics struct {
	types map[string]string // by family, in OpenMetrics' words
	units map[string]string // by family, in the text form's words
	out   bytes.Buffer
}

func (o *openMetrics) metadata(line, what string) (name, rest string, ok bool) {
	text, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), what)
	if !ok {
		return "", "", false
	}
	if strings.HasPrefix(text, `"`) { // a name of any characters
		if end := quoted(text); end > 0 {
			return text[:end], strings.TrimPrefix(text[end:], " "), true
		}
	}
	name, rest, _ = strings.Cut(text, " ")
	return name, rest, true
}

func (o *openMetrics) line(line string) {
	if name, kind, ok := o.metadata(line, "# TYPE "); ok {
		if kind = plainType(kind); kind != "" {
			o.write("# TYPE ", o.seriesName(name), " ", kind, "\n")
		}
		return
	}
	if name, help, ok := o.metadata(line, "# HELP "); ok {
		o.write("# HELP ", o.seriesName(name), " ", strings.ReplaceAll(help, `\"`, `"`), "\n")
		return
	}
	if name, unit, ok := o.metadata(line, "# UNIT "); ok {
		o.units[strings.Trim(o.seriesName(name), `"`)] = unit
		return
	}
	if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
		return
	}
	o.sample(line)
}

// sample writes a series with its value alone.
func (o *openMetrics) sample(line string) {
	end := labelsEnd(line)
	series, rest := line[:end], strings.Fields(line[end:])
	name, _, _ := strings.Cut(series, "{")
	if family, is := strings.CutSuffix(name, "_created"); is && o.types[family] != "" || len(rest) == 0 {
		return
	}
	o.write(series, " ", rest[0], "\n")
}

func (o *openMetrics) write(parts ...string) {
	for _, p := range parts {
		o.out.WriteString(p)
	}
}

// seriesName is the name that a family's series have, where it is one name.
func (o *openMetrics) seriesName(family string) string {
	suffix := map[string]string{"counter": "_total", "info": "_info"}[o.types[family]]
	if open, is := strings.CutSuffix(family, `"`); is {
		return open + suffix + `"`
	}
	return family + suffix
}

// plainType is the text form's nearest type; empty leaves a family untyped.
func plainType(kind string) string {
	switch kind {
	case "counter", "gauge", "histogram", "summary":
		return kind
	case "info", "stateset":
		return "gauge"
	}
	return ""
}

// labelsEnd is where a series' name and labels end in its line.
func labelsEnd(line string) int {
	brace := strings.IndexAny(line, "{ \t")
	if brace < 0 || line[brace] != '{' {
		return max(brace, 0)
	}
	for i := brace + 1; i < len(line); i++ {
		switch line[i] {
		case '}':
			return i + 1
		case '"':
			end := quoted(line[i:])
			if end == 0 {
				return len(line)
			}
			i += end - 1
		}
	}
	return len(line)
}

// quoted is how long the quoted text is that a text begins with; 0 where it has no end.
func quoted(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}
