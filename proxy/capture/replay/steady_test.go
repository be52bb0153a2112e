package replay_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

func TestARequestThatMetAConnectionBeingClosedIsSentAgainOnce(t *testing.T) {
	const reset = "read tcp 172.17.0.1:1->172.17.0.2:8080: read: connection reset by peer\n"
	type answer struct {
		status int
		body   string
	}
	for name, row := range map[string]struct {
		answers []answer // by the order in which requests come
		want    []int    // statuses of two requests
	}{
		"after a failure":             {[]answer{{500, "x"}, {502, reset}, {200, "ok"}}, []int{500, 200}},
		"at the beginning":            {[]answer{{502, reset}, {200, "ok"}, {200, "ok"}}, []int{200, 200}},
		"once":                        {[]answer{{500, "x"}, {502, reset}, {502, reset}}, []int{500, 502}},
		"not after a success":         {[]answer{{200, "x"}, {502, reset}, {200, "never"}}, []int{200, 502}},
		"not for the model's own 502": {[]answer{{500, "x"}, {502, "upstream is down"}, {200, "never"}}, []int{500, 502}},
	} {
		asked := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			a := row.answers[asked]
			asked++
			http.Error(w, a.body, a.status)
		}))
		base, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		client := &replay.Steady{Client: replay.NewClient(base, 1)}
		x := event.Exchange{Served: event.Served{Method: http.MethodPost, Host: "model", Path: "/", Proto: "HTTP/1.1"}}
		for i, want := range row.want {
			if is, err := client.Send(t.Context(), x); err != nil || is.Status != want {
				t.Errorf("%s: answer %d is %d, %v; not %d", name, i+1, is.Status, err, want)
			}
		}
		client.Close()
		server.Close()
	}
}
