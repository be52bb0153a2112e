package replay

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// mostBody is how much of an answer's body is kept, to be compared.
const mostBody = 64 << 20

// answer reads an answer to its end into the exchange.
func answer(response *http.Response, is *event.Exchange) error {
	is.Status, is.Proto = response.StatusCode, response.Proto
	is.Answer.Header = fields(response.Header)
	for _, coding := range response.TransferEncoding {
		is.Answer.Header = append(is.Answer.Header, event.Field{Name: "Transfer-Encoding", Value: coding})
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, mostBody))
	is.Answer.Body, is.Answer.Size = body, int64(len(body))
	if err == nil {
		var more int64
		more, err = io.Copy(io.Discard, response.Body)
		is.Answer.Size += more
		if more > 0 {
			is.Answer.Cut = fmt.Sprintf("only the first %d MiB are kept to be compared", mostBody>>20)
		}
	}
	is.BytesOut = is.Answer.Size
	is.Answer.Trailer = fields(response.Trailer)
	is.GRPCStatus = grpcStatus(response)
	if err != nil {
		is.Answer.Cut = "it was broken off"
		return fmt.Errorf("its answer was broken off: %w", err)
	}
	return nil
}

// fields are the lines of a header, by name, for their order is not known any more.
func fields(header http.Header) []event.Field {
	var all []event.Field
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			all = append(all, event.Field{Name: name, Value: value})
		}
	}
	return all
}

// grpcStatus is what a gRPC server says in the trailer, or in the header where its answer
// has no message; nil where it is no gRPC server.
func grpcStatus(response *http.Response) *int {
	for _, header := range []http.Header{response.Trailer, response.Header} {
		if code, err := strconv.Atoi(header.Get("Grpc-Status")); err == nil {
			return &code
		}
	}
	return nil
}
