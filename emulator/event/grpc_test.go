package event_test

import (
	"reflect"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestAGRPCBodyIsTakenApartByMessage(t *testing.T) {
	for _, row := range []struct {
		body string
		want []event.GRPCMessage
	}{
		{"", nil},
		{"\x00\x00\x00\x00\x02ab\x01\x00\x00\x00\x01c\x00\x00\x00\x00\x00", []event.GRPCMessage{{Data: []byte("ab"), Size: 2}, {Compressed: true, Data: []byte("c"), Size: 1}, {Data: []byte{}}}},
		{"\x00\x00\x00\x00\x02ab\x00\x00\x00\x00\x09abc", []event.GRPCMessage{{Data: []byte("ab"), Size: 2}, {Data: []byte("abc"), Size: 9}}},
		{"\x00\x00\x00", nil},
		{"\x00\xff\xff\xff\xffx", []event.GRPCMessage{{Data: []byte("x"), Size: 1<<32 - 1}}},
	} {
		if got := (event.Message{Body: []byte(row.body)}).GRPCMessages(); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%q: got %+v", row.body, got)
		}
	}
}

func TestAGRPCBodyIsToldByItsContentType(t *testing.T) {
	for kind, want := range map[string]bool{
		"application/grpc": true, "application/GRPC+proto; charset=x": true, "application/grpc-web": false, "application/json": false,
	} {
		m := event.Message{Header: []event.Field{{Name: "X"}, {Name: "content-type", Value: kind}}}
		if m.IsGRPC() != want {
			t.Errorf("%s is gRPC: %t", kind, !want)
		}
	}
}

func TestAFramedMessageIsTakenApartAgain(t *testing.T) {
	for _, text := range []string{"", "ab", string(make([]byte, 70_000))} {
		got := (event.Message{Body: event.GRPCFrame([]byte(text))}).GRPCMessages()
		if len(got) != 1 || string(got[0].Data) != text || got[0].Size != len(text) || got[0].Compressed {
			t.Errorf("%d bytes: got %d messages", len(text), len(got))
		}
	}
}
