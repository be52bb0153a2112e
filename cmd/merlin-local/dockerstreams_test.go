//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// streams are streams that are open all the time. Each stays with the revision that it
// was opened on, which answers every message on it, until that revision's end: it then
// ends in order, and a newer revision serves.
type streams struct {
	*load
	opened, ended, messages atomic.Int64
	outlived                atomic.Int64 // messages that were sent after a newer revision was announced
}

// talkEvery is how often each stream says something.
const talkEvery = 100 * time.Millisecond

// keep has one stream open until ctx ends, and then says so in order.
func (s *streams) keep(ctx context.Context, conn *grpc.ClientConn) {
	s.running.Go(func() {
		for ctx.Err() == nil && s.first.Load() == nil {
			s.once(func() (int64, error) { return s.talk(ctx, conn) })
		}
	})
}

// talk opens a stream and returns who answered on it.
func (s *streams) talk(ctx context.Context, conn *grpc.ClientConn) (save int64, err error) {
	own, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := conn.NewStream(own, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/test.Saves/Talk")
	if err != nil {
		return 0, err
	}
	s.opened.Add(1)
	pace := time.NewTicker(talkEvery)
	defer pace.Stop()
	for ctx.Err() == nil {
		answer, err := s.say(stream)
		switch {
		case errors.Is(err, io.EOF) && save != 0:
			s.ended.Add(1)
			return save, s.superseded(ctx, save)
		case err != nil:
			return 0, fmt.Errorf("on the stream of save %d: %w", save, err)
		case save != 0 && answer != save:
			return 0, fmt.Errorf("on the stream of save %d answers save %d", save, answer)
		}
		save = answer
		select {
		case <-pace.C:
		case <-ctx.Done():
		}
	}
	if err := stream.CloseSend(); err != nil {
		return 0, err
	}
	if err := stream.RecvMsg(&wrapperspb.Int64Value{}); !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("the end of the stream of save %d: %w", save, err)
	}
	return save, nil
}

// say sends a message and returns the answer to it; io.EOF once the model has ended the
// stream in order.
func (s *streams) say(stream grpc.ClientStream) (save int64, err error) {
	announced := s.announced.Load()
	if err := stream.SendMsg(wrapperspb.Int64(announced)); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	answer := &wrapperspb.Int64Value{}
	if err := stream.RecvMsg(answer); err != nil {
		return 0, err
	}
	s.messages.Add(1)
	if answer.Value < announced {
		s.outlived.Add(1)
	}
	return answer.Value, nil
}

// superseded waits until a newer save is announced, which is why a stream may end.
func (s *streams) superseded(ctx context.Context, save int64) error {
	again := time.NewTicker(talkEvery)
	defer again.Stop()
	end := time.After(patience)
	for s.announced.Load() <= save {
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil
		case <-end:
			return fmt.Errorf("the model ended the stream of save %d, and no newer one serves", save)
		}
	}
	return nil
}
