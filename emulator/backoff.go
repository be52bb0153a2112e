package emulator

import "time"

// backOff is the kubelet's wait before it starts a container again: none after the
// first end, then 10 s from the end on, doubling to 5 min; from the start again where
// no restart was needed for 10 min.
type backOff struct {
	wait    time.Duration // before the next start
	renewed time.Time     // when wait was set; zero where nothing has ended yet
}

const (
	backOffFirst = 10 * time.Second
	backOffMost  = 5 * time.Minute
	backOffReset = 2 * backOffMost
)

// next returns how long to wait after an end at that time.
func (b *backOff) next(ended time.Time) time.Duration {
	if b.renewed.IsZero() || ended.Sub(b.renewed) > backOffReset {
		b.wait, b.renewed = backOffFirst, ended
		return 0
	}
	wait := b.wait
	b.wait, b.renewed = min(2*b.wait, backOffMost), ended.Add(wait)
	return wait
}
