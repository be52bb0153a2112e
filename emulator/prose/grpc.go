package prose

import "strconv"

// grpcCodes are the names of gRPC's status codes, by number.
var grpcCodes = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// GRPCCode is a gRPC status by its name, as the specification writes it; a number that
// has none is itself.
func GRPCCode(code int) string {
	if code < 0 || code >= len(grpcCodes) {
		return strconv.Itoa(code)
	}
	return grpcCodes[code]
}
