package check

import (
	"context"
	"fmt"
	"time"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/protobuf/encoding/protowire"
)

// huge is what no model asks for in one request.
const huge = 32 << 20

// The rules about requests that make no sense.
const (
	malformedBody = "malformed-body"
	emptyBody     = "empty-body"
	wrongShape    = "wrong-shape"
	hugeBody      = "huge-body"
)

// nonsenses are the requests that make no sense, of a protocol.
func nonsenses(upi bool) []nonsense {
	if upi {
		const targetName = 2 // its field's number
		head := protowire.AppendVarint(protowire.AppendTag(nil, targetName, protowire.BytesType), huge)
		odd := &upiv1.PredictValuesRequest{TargetName: "nothing", PredictionTable: &upiv1.Table{
			Name:    "merlin-local-check",
			Columns: []*upiv1.Column{{Name: "merlin_local_check", Type: upiv1.Type_TYPE_STRING}},
			Rows:    []*upiv1.Row{{RowId: "1", Values: []*upiv1.Value{{StringValue: "x"}, {StringValue: "y"}}}},
		}}
		return []nonsense{
			{rule: malformedBody, what: "bytes that are no message", body: []byte{0xff, 0xff, 0xff, 0xff}},
			{rule: emptyBody, what: "an empty message", body: []byte{}},
			{rule: wrongShape, what: "a table of other columns, with a value too many", body: tableOf(odd)},
			{rule: hugeBody, what: "a message of 32 MiB", body: head, pad: huge},
		}
	}
	return []nonsense{
		{rule: malformedBody, what: `JSON that breaks off, {"instances": [[`, body: []byte(`{"instances": [[`)},
		{rule: malformedBody, what: "bytes that are no text", body: []byte{0xff, 0xfe, 0x00, 0x01}},
		{rule: emptyBody, what: "an empty body", body: []byte{}},
		{rule: wrongShape, what: "a JSON text", body: []byte(`"merlin-local"`)},
		{rule: wrongShape, what: `a JSON object of something else`, body: []byte(`{"merlin_local_check": [null, {"a": []}]}`)},
		{rule: wrongShape, what: "a JSON list of lists", body: []byte(`[[[]], {}, null]`)},
		{rule: hugeBody, what: "a JSON text of 32 MiB", body: []byte(`{"instances": "`), pad: huge, end: `"}`},
	}
}

// bad sends them one by one. One that ends the container is told, and the next is for
// the container that takes its place.
func (o *observer) bad(ctx context.Context) {
	o.Bad = map[string]*Bad{}
	for _, n := range nonsenses(o.upi()) {
		if o.Bad[n.rule] != nil && o.Bad[n.rule].Ended != "" {
			continue
		}
		exits := len(o.life.now().exits)
		if !o.lives(ctx) {
			return
		}
		if o.Bad[n.rule] == nil {
			o.Bad[n.rule] = &Bad{}
		}
		b := o.Bad[n.rule]
		b.Tried = append(b.Tried, Tried{n.what, o.caller.nonsense(ctx, n)})
		b.Ended = o.endedSince(ctx, exits, n.what, b)
	}
}

const (
	// mournLimit is how long the news of an end may take to come.
	mournLimit = 2 * time.Second
	// returnLimit is how long a container that takes another's place may take to be ready.
	returnLimit = 45 * time.Second
)

// endedSince tells how the container ended since so many had, and by what.
func (o *observer) endedSince(ctx context.Context, exits int, what string, b *Bad) string {
	if b.Tried[len(b.Tried)-1].Answer.Reply != Silence {
		return ""
	}
	if end := o.mourn(ctx, exits); end != "" {
		return fmt.Sprintf("%s ended the container: %s", what, end)
	}
	return ""
}

// mourn tells how a container ended since so many had, once the news of it has come;
// empty where none does.
func (o *observer) mourn(ctx context.Context, exits int) string {
	known, ended := o.life.await(ctx, mournLimit, func(f facts) bool { return len(f.exits) > exits })
	if !ended {
		return ""
	}
	return describe(known.exits[len(known.exits)-1])
}

// lives waits for a container that serves, which may be a new one.
func (o *observer) lives(ctx context.Context) bool {
	_, ready := o.life.await(ctx, returnLimit, func(f facts) bool { return f.ready })
	return ready && o.asks()
}
