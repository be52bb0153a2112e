package capture

import (
	"slices"
	"strings"
	"testing"
)

func TestJSONPathsHideWhatTheyLeadTo(t *testing.T) {
	for _, row := range []struct {
		paths, body, want string
		hid, whole        bool
	}{
		{"[*].a", `[{"a":1}]`, `[{"a":"***"}]`, true, true},
		{"email", `{"email": "a@b", "x":1}`, `{"email": "***", "x":1}`, true, true},
		{"$.instances[*].email", `{"instances":[{"email":"a","n":1.50},{"email":null}],"email":"kept"}`, `{"instances":[{"email":"***","n":1.50},{"email":"***"}],"email":"kept"}`, true, true},
		{"a.b", `{"a":{"b":{"deep":[1,{"x":2}]},"c":3}}`, `{"a":{"b":"***","c":3}}`, true, true},
		{"a.b", `{"b":1,"a":{"x":{"b":2}}}`, `{"b":1,"a":{"x":{"b":2}}}`, false, true},
		{"**.token", `[{"token":"a"},{"x":[{"token":[1,2]}]}]`, `[{"token":"***"},{"x":[{"token":"***"}]}]`, true, true},
		{"*.0", `[[1]]`, `[[1]]`, false, true},
		{"*.*", `[[1, "two" , {}]]`, `[["***", "***" , "***"]]`, true, true},
		{"a", "{\"a\":1}\n{\"a\":2}\n", "{\"a\":\"***\"}\n{\"a\":\"***\"}\n", true, true},
		{"a", "{\"a\" :\t12 , \"b\":\"\\u0041\"}  ", "{\"a\" :\t\"***\" , \"b\":\"\\u0041\"}  ", true, true},
		{"a;b", `{"a":"x","b":{"a":1}}`, `{"a":"***","b":"***"}`, true, true},
		{"a", `{"x":1,"a":"se`, `{"x":1,"a"`, false, false},
		{"a", `{"a":{"b":"secr`, `{"a":"***"`, true, false},
		{"a", `{"x":1} nonsense "a":"secret"`, `{"x":1}`, false, false},
		{"a", ``, ``, false, true},
		{"a", `{"k":"a","a":"a"}`, `{"k":"a","a":"***"}`, true, true},
	} {
		r, err := newRules(Options{JSON: strings.Split(row.paths, ";")})
		if err != nil {
			t.Fatal(err)
		}
		out, hid, whole := r.hideJSON([]byte(row.body))
		if string(out) != row.want || hid != row.hid || whole != row.whole {
			t.Errorf("%s in %s: got %s, %t, %t; want %s, %t, %t", row.paths, row.body, out, hid, whole, row.want, row.hid, row.whole)
		}
	}
}

func TestServerSentEventsAreHiddenByTheirDataLines(t *testing.T) {
	r, err := newRules(Options{JSON: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	out, hid, whole := r.hideEvents([]byte("event: x\ndata: {\"a\":1,\"b\":2}\n\ndata: [DONE]\n\ndata:{\"a\":\n\n"))
	if want := "event: x\ndata: {\"a\":\"***\",\"b\":2}\n\ndata: [\n\ndata:{\"a\"\n\n"; string(out) != want || !hid || whole {
		t.Errorf("got %q, %t, %t", out, hid, whole)
	}
}

func TestAPathThatIsNoneIsAnError(t *testing.T) {
	for _, text := range []string{"", "a..b", "a.", "$", "a[0]", "a]"} {
		if _, err := newRules(Options{JSON: []string{text}}); err == nil || !strings.Contains(err.Error(), "instances.*.email") {
			t.Errorf("%q: error is %v", text, err)
		}
	}
}

func TestHeaderLinesAreKeptButForWhatIsHidden(t *testing.T) {
	r, err := newRules(Options{Headers: []string{"X-Mine"}, Secrets: []string{"hunter22", "abc"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range [][2]string{
		{"Accept: a\r\nAUTHORIZATION: Bearer x\r\nB: c\r\n", "Accept: a\r\nAUTHORIZATION: ***\r\nB: c\r\n"},
		{"authorization: x\r\nCookie: y\r\nset-cookie: z\r\nproxy-authorization: q\r\nx-api-key: k\r\n", "authorization: ***\r\nCookie: ***\r\nset-cookie: ***\r\nproxy-authorization: ***\r\nx-api-key: ***\r\n"},
		{"x-mine: 1\r\nx-yours: 2\r\n", "x-mine: ***\r\nx-yours: 2\r\n"},
		{"X-A: my hunter22!\r\nX-B: abc\r\n", "X-A: my ********!\r\nX-B: abc\r\n"},
		{"", ""},
		{"Cookie: no end", "Cookie: ***\r\n"},
	} {
		var got []byte
		lines := []byte(row[0])
		for piece := range r.lines(lines) {
			got = append(got, piece...)
		}
		if string(got) != row[1] || string(lines) != row[0] {
			t.Errorf("%q became %q, want %q", lines, got, row[1])
		}
	}
}

func TestAQueryIsKeptButForWhatIsHidden(t *testing.T) {
	r, err := newRules(Options{Secrets: []string{"s3cr et!"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range [][2]string{
		{"", ""},
		{"?", "?"},
		{"?a=1&b", "?a=1&b"},
		{"?Token=x&a=%20&api%5Fkey=y", "?Token=***&a=%20&api%5Fkey=***"},
		{"?a=s3cr+et%21", "?a=**********"},
	} {
		if got := r.query(row[0]); got != row[1] {
			t.Errorf("%q became %q, want %q", row[0], got, row[1])
		}
	}
}

func TestASecretIsFoundInItsForms(t *testing.T) {
	got := forms([]string{"a\"b\nline two\nx", "a"})
	var texts []string
	for _, f := range got {
		texts = append(texts, string(f))
	}
	if !slices.Contains(texts, "line two") || !slices.Contains(texts, `a\"b\nline two\nx`) || slices.Contains(texts, "a") || slices.Contains(texts, "x") {
		t.Errorf("got %q", texts)
	}
}
