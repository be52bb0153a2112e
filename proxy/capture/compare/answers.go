package compare

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Answers compares the answers of two exchanges, by the rules. Paths in the rules that are
// none lead nowhere: Rules.Check tells them.
func Answers(was, is event.Exchange, rules Rules) Result {
	c, _ := rules.compile()
	f := &found{}
	w := &walk{compiled: c, found: f, keys: mostKeys, tries: mostTries}
	w.outcome(&was, &is)
	w.headers(&was.Answer, &is.Answer)
	w.bodies(&was, &is)
	f.trim()
	return f.Result
}

// outcome compares all that is neither header nor body.
func (w *walk) outcome(was, is *event.Exchange) {
	if was.Error != "" != (is.Error != "") {
		w.differs(Difference{Path: "answer", Kind: Broken, Was: orWhole(was.Error), Is: orWhole(is.Error)})
	}
	if was.Status != is.Status {
		w.differs(Difference{Path: "status", Kind: Status, Was: status(was.Status), Is: status(is.Status)})
	}
	a, b := grpcStatus(was), grpcStatus(is)
	if a != b {
		w.differs(Difference{Path: "grpc-status", Kind: GRPCStatus, Was: code(a), Is: code(b)})
	}
	if a < 0 && b < 0 {
		return
	}
	x, y := grpcMessage(&was.Answer), grpcMessage(&is.Answer)
	if x != y && x != masked && y != masked {
		w.differs(Difference{Path: "grpc-message", Kind: Message, Was: strconv.Quote(x), Is: strconv.Quote(y)})
	}
}

func orWhole(why string) string {
	if why == "" {
		return "a whole answer"
	}
	return why
}

func status(n int) string {
	if n == 0 {
		return "none"
	}
	return strings.TrimSpace(strconv.Itoa(n) + " " + http.StatusText(n))
}

// grpcStatus is the code of a gRPC answer, -1 of another.
func grpcStatus(x *event.Exchange) int {
	if x.GRPCStatus != nil {
		return *x.GRPCStatus
	}
	if all := field(&x.Answer, "grpc-status"); len(all) > 0 {
		if n, err := strconv.Atoi(all[len(all)-1]); err == nil {
			return n
		}
	}
	return -1
}

func code(n int) string {
	if n < 0 {
		return "none"
	}
	return fmt.Sprintf("%d %s", n, codes.Code(n))
}

func grpcMessage(m *event.Message) string {
	text := strings.Join(field(m, "grpc-message"), ", ")
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// headers compares those that were named, each with all its values in their order.
func (w *walk) headers(was, is *event.Message) {
	for _, name := range w.named() {
		a, b := field(was, name), field(is, name)
		x, y := strings.Join(a, ", "), strings.Join(b, ", ")
		switch {
		case x == y && len(a) == len(b):
		case x == masked || y == masked:
			w.Hidden++
		default:
			w.differs(Difference{Path: "header " + name, Kind: Header, Was: present(a, x), Is: present(b, y)})
		}
	}
}

func present(values []string, joined string) string {
	if len(values) == 0 {
		return ""
	}
	return strconv.Quote(joined)
}

// bodies compares the bodies in the way that fits them.
func (w *walk) bodies(was, is *event.Exchange) {
	a, b := &was.Answer, &is.Answer
	w.stars = a.Cut != "" || b.Cut != ""
	if len(a.Body) == 0 && len(b.Body) == 0 && !w.stars {
		return
	}
	if a.IsGRPC() && b.IsGRPC() {
		w.messages(was, is)
		return
	}
	x, y, why := w.plain(a, b)
	if why == "" {
		before, errBefore := parseJSON(x)
		after, errAfter := parseJSON(y)
		if errBefore == nil && errAfter == nil && w.entire(was, is, x, y) {
			w.How = "json"
			w.values(&before, &after)
			return
		}
		if errBefore == errBounds || errAfter == errBounds {
			why = errBounds.Error()
		}
	}
	w.asBytes(was, is, [2][]byte{x, y}, why)
}

// plain is both bodies unpacked; as they are, and why, where one of them cannot be.
func (w *walk) plain(a, b *event.Message) (x, y []byte, why string) {
	x, err := unpack(a.Body, strings.Join(field(a, "content-encoding"), ","))
	if err == nil {
		if y, err = unpack(b.Body, strings.Join(field(b, "content-encoding"), ",")); err == nil {
			return x, y, ""
		}
	}
	if bytes.Equal(a.Body, b.Body) {
		return a.Body, b.Body, ""
	}
	return a.Body, b.Body, err.Error()
}

// entire tells whether all of both bodies is there, but for values that are hidden.
func (w *walk) entire(was, is *event.Exchange, x, y []byte) bool {
	return whole(&was.Answer, x) && whole(&is.Answer, y)
}

// whole tells whether no end of a body is missing. One of whose values some are hidden may be
// shorter than what passed.
func whole(m *event.Message, plain []byte) bool {
	return m.Cut == "" || int64(len(m.Body)) >= m.Size || bytes.Contains(plain, []byte(`"`+masked+`"`))
}

// asBytes compares bodies as they are, and says so where not all of one is there.
func (w *walk) asBytes(was, is *event.Exchange, bodies [2][]byte, why string) {
	w.How = "bytes"
	x, y := bodies[0], bodies[1]
	if !w.entire(was, is, x, y) {
		cut := was.Answer.Cut
		if whole(&was.Answer, x) {
			cut = is.Answer.Cut
		}
		w.differs(Difference{Path: "body", Kind: Uncompared, Note: cut})
		n := min(len(x), len(y))
		x, y = x[:n], y[:n]
	}
	if w.stars && covered(string(x), string(y)) {
		w.Hidden++
		return
	}
	w.bytesDiffer(x, y, why)
}
