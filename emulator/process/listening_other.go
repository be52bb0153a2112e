//go:build !linux

package process

import (
	"context"
	"errors"
	"net/netip"
)

// Listening cannot be known here.
func (c *container) Listening(context.Context) ([]netip.AddrPort, error) {
	return nil, errors.ErrUnsupported
}
