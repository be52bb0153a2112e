package pins

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
)

// Pin is a request, and what is expected of its answer.
type Pin struct {
	Name string
	// Exchange is the request and the answer that was taken for the expectation. It has no
	// times and no number, and its Model is whose it is.
	Exchange event.Exchange
	Expect   Expect
	Rules    Rules
}

// Expect is what passes.
type Expect string

// What may be expected.
const (
	SameAnswer Expect = "same answer" // as the rules compare them
	NoFailure  Expect = "no failure"  // any answer below status 400, of gRPC OK
)

// New makes a pin of an exchange. Where its answer was a failure of the server, that is not
// what is wanted: it passes once the request is answered without one.
func New(name string, x event.Exchange) (Pin, error) {
	if err := CheckName(name); err != nil {
		return Pin{}, err
	}
	if int64(len(x.Request.Body)) < x.Request.Size {
		return Pin{}, fmt.Errorf("pin %s: the request's body cannot be had: %s", name, x.Request.Cut)
	}
	p := Pin{Name: name, Exchange: x, Expect: SameAnswer}
	switch {
	case Failure(x) != "":
		p.Expect = NoFailure
	case !complete(&x.Answer):
		return Pin{}, fmt.Errorf("pin %s: the answer's body cannot be had: %s", name, x.Answer.Cut)
	}
	return p, nil
}

// complete tells whether a body is all there, but for what is hidden in it.
func complete(m *event.Message) bool {
	return m.Cut == "" || int64(len(m.Body)) >= m.Size || strings.Contains(string(m.Body), `"***"`)
}

// Failure says how an answer is the server's failure: none at all, one that broke off, status
// 500 and above, or one of gRPC's codes for it. Empty where it is none.
func Failure(x event.Exchange) string {
	switch {
	case x.Error != "":
		return x.Error
	case x.Status == 0:
		return "there is no answer"
	case x.Status >= http.StatusInternalServerError:
		return fmt.Sprintf("it answers %d %s", x.Status, http.StatusText(x.Status))
	case x.GRPCStatus != nil && event.GRPCServers(*x.GRPCStatus):
		return fmt.Sprintf("it answers gRPC status %d %s", *x.GRPCStatus, codes.Code(*x.GRPCStatus))
	}
	return ""
}

// refused says how an answer refuses the request; empty where it does not.
func refused(x event.Exchange) string {
	switch {
	case x.GRPCStatus != nil && *x.GRPCStatus != 0:
		return fmt.Sprintf("it answers gRPC status %d %s", *x.GRPCStatus, codes.Code(*x.GRPCStatus))
	case x.Status >= http.StatusBadRequest:
		return fmt.Sprintf("it answers %d %s", x.Status, http.StatusText(x.Status))
	}
	return ""
}

var name = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9_.]{0,99}$`)

// CheckName is an error where a text cannot name a pin.
func CheckName(text string) error {
	if !name.MatchString(text) || strings.HasSuffix(text, ".") {
		return fmt.Errorf("%q cannot name a pin: up to 100 letters, digits, -, _ and ., beginning with a letter or digit", text)
	}
	return nil
}

// errAnswer says that there was none.
var errAnswer = errors.New("there was no answer")

// Judge compares the answer of now, or the error that came in its place, with what is expected,
// by the rules of the model and the pin's own.
func (p Pin) Judge(is event.Exchange, err error, rules compare.Rules) event.PinVerdict {
	v := event.PinVerdict{Name: p.Name, Outcome: event.PinPass, Took: is.Took}
	failure := Failure(is)
	if err == nil && is.Status == 0 && is.Error == "" {
		err = errAnswer
	}
	switch {
	case err != nil:
		v.Outcome, v.Why = event.PinFailed, err.Error()
		return v
	case p.Expect == NoFailure:
		if failure == "" {
			failure = refused(is)
		}
		if failure != "" {
			v.Outcome, v.Why = event.PinFailed, failure
		}
		return v
	}
	result := compare.Answers(p.Exchange, is, p.Rules.over(rules))
	if result.Same() {
		return v
	}
	first := result.Differences[0]
	v.Outcome, v.Differences = event.PinChanged, len(result.Differences)+result.More
	v.Path, v.Was, v.Is, v.Why = first.Path, first.Was, first.Is, first.String()
	if failure != "" {
		v.Outcome, v.Why = event.PinFailed, failure
	}
	return v
}
