package event

import (
	"encoding/binary"
	"strings"
)

// GRPCMessage is one message of a gRPC body.
type GRPCMessage struct {
	Compressed bool   // as the message's grpc-encoding says
	Data       []byte // without its framing
	Size       int    // as its framing says; more than Data has where the body was cut
}

// grpcFrame stands before a message: whether it is compressed, and its length.
const grpcFrame = 5

// IsGRPC tells whether the body is in gRPC's framing.
func (m Message) IsGRPC() bool {
	for _, f := range m.Header {
		if strings.EqualFold(f.Name, "Content-Type") {
			kind, _, _ := strings.Cut(f.Value, ";")
			kind = strings.ToLower(strings.TrimSpace(kind))
			return kind == "application/grpc" || strings.HasPrefix(kind, "application/grpc+")
		}
	}
	return false
}

// GRPCMessages takes the body of a gRPC call apart. They share the body's memory.
func (m Message) GRPCMessages() []GRPCMessage {
	var all []GRPCMessage
	for rest := m.Body; len(rest) >= grpcFrame; {
		size := int(binary.BigEndian.Uint32(rest[1:grpcFrame]))
		data := rest[grpcFrame:min(len(rest), grpcFrame+size)]
		all = append(all, GRPCMessage{Compressed: rest[0] == 1, Data: data, Size: size})
		rest = rest[grpcFrame+len(data):]
	}
	return all
}

// GRPCServers tells whether a status of gRPC is the server's fault, as gRPC counts it.
func GRPCServers(status int) bool {
	switch status {
	case 2, 4, 12, 13, 14, 15: // unknown, deadline exceeded, unimplemented, internal, unavailable, data loss
		return true
	}
	return false
}

// GRPCFrame is one message in gRPC's framing, not compressed. It is a copy.
func GRPCFrame(message []byte) []byte {
	frame := binary.BigEndian.AppendUint32(make([]byte, 1, grpcFrame+len(message)), uint32(len(message)))
	return append(frame, message...)
}
