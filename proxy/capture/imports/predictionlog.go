package imports

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// predictionLogs reads UPI's prediction logs, as JSON lines or as protobuf messages with
// their lengths in front.
func (s *source) predictionLogs() error {
	if begin, _ := s.in.Peek(1); len(begin) == 1 && begin[0] == '{' && !s.delimited() {
		return s.lines(func(_ int, text []byte) error {
			m := &upiv1.PredictionLog{}
			if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, m); err != nil {
				return err
			}
			return s.prediction(m)
		})
	}
	for number := 1; ; number++ {
		m := &upiv1.PredictionLog{}
		err := protodelim.UnmarshalOptions{MaxSize: int64(min(s.Longest, longestMessage))}.UnmarshalFrom(s.in, m)
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err == nil {
			err = s.prediction(m)
		}
		if errors.Is(err, errStop) {
			return err
		}
		if err != nil {
			return &PlaceError{fmt.Sprintf("message %d", number), cutOff(err)}
		}
	}
}

func (s *source) delimited() bool {
	begin, _ := s.in.Peek(looked)
	return looksDelimited(begin)
}

// looksDelimited tells whether a file begins with a prediction log and its length.
func looksDelimited(begin []byte) bool {
	size, n := binary.Uvarint(begin)
	if n <= 0 || size < 2 || uint64(len(begin)-n) < size {
		return false
	}
	m := &upiv1.PredictionLog{}
	if proto.Unmarshal(begin[n:n+int(size)], m) != nil || len(m.ProtoReflect().GetUnknown()) > 0 {
		return false
	}
	return m.Input != nil || m.Output != nil
}

// prediction makes a call of a log.
func (s *source) prediction(m *upiv1.PredictionLog) error {
	request, err := requestOf(m)
	if err != nil {
		return fmt.Errorf("input: %w", err)
	}
	body, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	x := call(body)
	x.Request.Header = append(x.Request.Header, headersOf(m.GetInput().GetHeaders())...)
	if name := m.GetModelName(); name != "" {
		if x.Host = name; m.GetModelVersion() != "" {
			x.Host += "-" + m.GetModelVersion()
		}
		if m.GetProjectName() != "" {
			x.Host += "." + m.GetProjectName()
		}
	}
	if at := m.GetRequestTimestamp(); at.IsValid() && at.AsTime().Year() < 10_000 {
		x.Arrived = at.AsTime()
	}
	s.note("calls are made anew of prediction logs: their tables, variables and headers are those of the log, and the order of bytes may not be")
	if m.Output == nil {
		x.Answer.Cut = "no answer is recorded: the prediction log has no output"
		return s.give(x)
	}
	if err := answered(&x, m); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return s.give(x)
}

// answered adds the answer.
func answered(x *event.Exchange, m *upiv1.PredictionLog) error {
	status := int(m.Output.GetStatus())
	x.Status, x.GRPCStatus = http.StatusOK, &status
	headers := headersOf(m.Output.GetHeaders())
	trailer := []event.Field{{Name: "Grpc-Status", Value: strconv.Itoa(status)}}
	if text := m.Output.GetMessage(); text != "" {
		trailer = append(trailer, event.Field{Name: "Grpc-Message", Value: grpcText(text)})
	}
	if status != 0 {
		x.Answer = event.Message{Header: append([]event.Field{{Name: "Content-Type", Value: "application/grpc"}}, headers...), Trailer: trailer}
		return nil
	}
	response, err := responseOf(m)
	if err != nil {
		return err
	}
	body, err := proto.Marshal(response)
	if err != nil {
		return err
	}
	x.Answer = framed(body)
	x.Answer.Header = append(x.Answer.Header, headers...)
	x.Answer.Trailer = trailer
	x.BytesOut = x.Answer.Size
	return nil
}

// grpcText is a status' message as a trailer writes it.
func grpcText(text string) string {
	var out []byte
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '%' {
			out = fmt.Appendf(out, "%%%02X", c)
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

func headersOf(all []*upiv1.Header) []event.Field {
	var fields []event.Field
	for _, h := range all {
		fields = append(fields, event.Field{Name: h.GetKey(), Value: h.GetValue()})
	}
	return fields
}

// longestMessage is how many bytes one message may have; its length alone makes memory be
// taken.
const longestMessage = 256 << 20
