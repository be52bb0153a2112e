package proxy

import (
	"encoding/binary"
	"math"

	"golang.org/x/net/http2"
)

// What both ends of a relay do with the frames that concern one connection only.
// All is called with the lock held.

func (w *h2Wire) ping(f h2Frame) error {
	if len(f.payload) != 8 {
		return http2.ConnectionError(http2.ErrCodeFrameSize)
	}
	if f.stream != 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if !f.flags.Has(http2.FlagPingAck) {
		w.append(http2.FramePing, http2.FlagPingAck, 0, f.payload)
	}
	return nil
}

// widen takes a WINDOW_UPDATE; find gives the flow of a stream, and what resets it.
func (w *h2Wire) widen(f h2Frame, last uint32, find func(id uint32) (*h2Flow, func(http2.ErrCode))) error {
	if len(f.payload) != 4 {
		return http2.ConnectionError(http2.ErrCodeFrameSize)
	}
	by := int64(binary.BigEndian.Uint32(f.payload) & h2WindowMax)
	if f.stream == 0 {
		return w.widenAll(by)
	}
	if f.stream > last {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	flow, reset := find(f.stream)
	switch {
	case flow == nil:
	case by == 0:
		reset(http2.ErrCodeProtocol)
	case !flow.widen(by):
		reset(http2.ErrCodeFlowControl)
	}
	return nil
}

func (w *h2Wire) widenAll(by int64) error {
	if by == 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if w.window += by; w.window > h2WindowMax {
		return http2.ConnectionError(http2.ErrCodeFlowControl)
	}
	if len(w.parked) > 0 {
		w.resume()
	}
	return nil
}

// configure takes the peer's SETTINGS. widen changes the windows of all streams, and
// is false where one gets wider than it may be.
func (w *h2Wire) configure(f h2Frame, widen func(delta int64) bool) error {
	if f.stream != 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if f.flags.Has(http2.FlagSettingsAck) {
		if len(f.payload) > 0 {
			return http2.ConnectionError(http2.ErrCodeFrameSize)
		}
		return nil
	}
	if len(f.payload)%6 != 0 {
		return http2.ConnectionError(http2.ErrCodeFrameSize)
	}
	if !w.greeted {
		w.greeted = true
		w.most = math.MaxUint32 // unless it says so
	}
	for p := f.payload; len(p) > 0; p = p[6:] {
		s := http2.Setting{ID: http2.SettingID(binary.BigEndian.Uint16(p)), Val: binary.BigEndian.Uint32(p[2:])}
		if err := s.Valid(); err != nil {
			return err
		}
		if err := w.set(s, widen); err != nil {
			return err
		}
	}
	w.append(http2.FrameSettings, http2.FlagSettingsAck, 0, nil)
	return nil
}

func (w *h2Wire) set(s http2.Setting, widen func(delta int64) bool) error {
	switch s.ID {
	case http2.SettingHeaderTableSize:
		w.encoder.SetMaxDynamicTableSize(min(s.Val, 4096))
	case http2.SettingInitialWindowSize:
		delta := int64(s.Val) - w.initial
		if w.initial = int64(s.Val); !widen(delta) {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
	case http2.SettingMaxConcurrentStreams:
		w.most = s.Val
	}
	return nil
}
