package check

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// Reply is how a request was answered, whatever the protocol.
type Reply string

// The replies.
const (
	Accepted Reply = "accepted" // 200, OK
	Refused  Reply = "refused"  // 4xx, a gRPC status that is the client's fault
	Absent   Reply = "absent"   // 404, 405, 501, UNIMPLEMENTED: nothing is there
	Fault    Reply = "fault"    // 5xx, a gRPC status that is the server's
	Other    Reply = "other"    // any other status
	Silence  Reply = "silence"  // no answer
)

// Answer is one answer.
type Answer struct {
	Reply  Reply
	Status string // as people write it: "400 Bad Request", "InvalidArgument"
	Error  string // why there is none
	Body   []byte // its beginning; of gRPC, JSON of the message, or the status' message
	JSON   bool   // the body is JSON
	Took   time.Duration
}

// String tells it in short, with what it says of itself.
func (a Answer) String() string {
	if a.Reply == Silence {
		return a.Error
	}
	if a.Reply == Accepted || len(bytes.TrimSpace(a.Body)) == 0 {
		return a.Status
	}
	return a.Status + ": " + clip(string(a.Body))
}

// clip makes foreign text fit a line.
func clip(text string) string {
	const most = 160
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// caller asks one replica in its protocol. Its methods are safe for concurrent use.
type caller interface {
	// predict sends a request in JSON, on a connection that is kept.
	predict(ctx context.Context, request []byte) Answer
	// alive asks for liveness, on a connection that is kept.
	alive(ctx context.Context) Answer
	// nonsense sends something that is no request, on a connection of its own.
	nonsense(ctx context.Context, n nonsense) Answer
	// begin sends a request but for its end, and returns once the model has begun with
	// it; finish sends the rest.
	begin(ctx context.Context, request []byte) (finish func(ctx context.Context) Answer, err error)
	// contract asks all endpoints once, but for a prediction where one is known.
	contract(ctx context.Context, s *Subject, predicted *Answer) *Contract
	close()
}

// call bounds a question that needs no model to answer it.
const call = 30 * time.Second

// newCaller asks the replica at an address.
func newCaller(s *Subject, fullName string, at netip.AddrPort) (caller, error) {
	if s.upi() {
		return newUPI(at, cmp.Or(s.Timeout, call))
	}
	return newHTTP(fullName, at, cmp.Or(s.Timeout, call)), nil
}

// nonsense is a body that no model can make sense of.
type nonsense struct {
	rule, what string
	body       []byte
	pad        int64 // so many bytes follow the body, and then end
	end        string
}

// size is all of it.
func (n nonsense) size() int64 { return int64(len(n.body)) + n.pad + int64(len(n.end)) }

// reader reads all of it, without having it in memory.
func (n nonsense) reader() io.Reader {
	return io.MultiReader(bytes.NewReader(n.body), io.LimitReader(letters{}, n.pad), strings.NewReader(n.end))
}

// letters are x without end.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// question is the good request, or without one an object that says nothing.
func (s *Subject) question() []byte {
	if s.Request == nil {
		return []byte("{}")
	}
	return s.Request
}

// variants are the request and smaller ones of single elements of its lists, by which
// answers can be told apart.
func variants(request []byte, paths []string) [][]byte {
	const most = 4
	all := [][]byte{request}
	for _, path := range paths {
		list := gjson.GetBytes(request, path)
		elements := list.Array()
		if !list.IsArray() || len(elements) < 2 || list.Index == 0 {
			continue
		}
		for _, element := range elements[:min(len(elements), most-1)] {
			var smaller []byte
			smaller = append(smaller, request[:list.Index]...)
			smaller = append(smaller, "["+element.Raw+"]"...)
			all = append(all, append(smaller, request[list.Index+len(list.Raw):]...))
		}
		return all
	}
	return all
}

// lists are the paths at which a request's instances may be.
func lists(s *Subject) (paths []string) {
	if s.upi() {
		return []string{"prediction_table.rows", "predictionTable.rows"}
	}
	gjson.ParseBytes(s.Request).ForEach(func(key, value gjson.Result) bool {
		if value.IsArray() {
			paths = append(paths, gjson.Escape(key.String()))
		}
		return true
	})
	return paths
}

// sameJSON compares two answers: numbers by the digits that a float32 has, objects
// whatever their order.
func sameJSON(a, b gjson.Result) bool {
	switch {
	case a.Type != b.Type:
		return false
	case a.Type == gjson.Number:
		return math.Abs(a.Num-b.Num) <= 1e-6*math.Max(1, math.Max(math.Abs(a.Num), math.Abs(b.Num)))
	case a.IsArray() && b.IsArray():
		left, right := a.Array(), b.Array()
		if len(left) != len(right) {
			return false
		}
		for i := range left {
			if !sameJSON(left[i], right[i]) {
				return false
			}
		}
		return true
	case a.IsObject() && b.IsObject():
		left, right := a.Map(), b.Map()
		if len(left) != len(right) {
			return false
		}
		for name, value := range left {
			if other, ok := right[name]; !ok || !sameJSON(value, other) {
				return false
			}
		}
		return true
	}
	return a.String() == b.String()
}

// same compares the bodies of two answers.
func same(a, b Answer) bool {
	if !a.JSON || !b.JSON {
		return bytes.Equal(a.Body, b.Body)
	}
	return sameJSON(gjson.ParseBytes(a.Body), gjson.ParseBytes(b.Body))
}

// noAnswer is the answer where there was none.
func noAnswer(begun time.Time, limit time.Duration, ctx context.Context, err error) Answer {
	a := Answer{Reply: Silence, Error: err.Error(), Took: time.Since(begun)}
	if ctx.Err() != nil {
		a.Error = fmt.Sprintf("no answer within %s", limit)
	}
	return a
}
