package capture

import (
	"bytes"
	"compress/gzip"
	"reflect"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestAnExchangeFromElsewhereIsHiddenAsACapturedOneIs(t *testing.T) {
	h, err := NewHiding(Options{Headers: []string{"X-User"}, JSON: []string{"**.email"}, Secrets: []string{"hunter22"}})
	if err != nil {
		t.Fatal(err)
	}
	message := func(body string) event.Message {
		return event.Message{
			Header: []event.Field{{Name: "Authorization", Value: "Bearer x"}, {Name: "x-user", Value: "me"}, {Name: "X-Note", Value: "it is hunter22"}, {Name: "Accept", Value: "*/*"}},
			Body:   []byte(body), Size: int64(len(body)),
		}
	}
	x := event.Exchange{Query: "?token=abc&a=1", Request: message(`{"email":"a@b.c","note":"hunter22"}`), Answer: message("plain words")}
	got := h.Exchange(x)
	if got.Query != "?token=***&a=1" {
		t.Errorf("the query is %s", got.Query)
	}
	want := []event.Field{{Name: "Authorization", Value: "***"}, {Name: "x-user", Value: "***"}, {Name: "X-Note", Value: "it is ********"}, {Name: "Accept", Value: "*/*"}}
	if !reflect.DeepEqual(got.Request.Header, want) {
		t.Errorf("the header is %v", got.Request.Header)
	}
	if string(got.Request.Body) != `{"email":"***","note":"********"}` || got.Request.Cut == "" {
		t.Errorf("the body is %s, %q", got.Request.Body, got.Request.Cut)
	}
	if string(got.Answer.Body) != "plain words" || got.Answer.Cut != "" {
		t.Errorf("the answer is %s, %q", got.Answer.Body, got.Answer.Cut)
	}
	if x.Request.Header[0].Value != "Bearer x" || !strings.Contains(string(x.Request.Body), "hunter22") {
		t.Error("what it was given is changed")
	}
}

func TestACompressedBodyFromElsewhereIsKeptWhereItHoldsNoSecret(t *testing.T) {
	h, err := NewHiding(Options{Secrets: []string{"hunter22"}})
	if err != nil {
		t.Fatal(err)
	}
	for text, kept := range map[string]bool{"all is well": true, "it is hunter22": false} {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write([]byte(text))
		_ = w.Close()
		x := event.Exchange{Answer: event.Message{Header: []event.Field{{Name: "content-encoding", Value: "gzip"}}, Body: packed.Bytes(), Size: int64(packed.Len())}}
		got := h.Exchange(x).Answer
		if kept != (len(got.Body) > 0) || kept != (got.Cut == "") {
			t.Errorf("%s: %x, %q", text, got.Body, got.Cut)
		}
	}
}
