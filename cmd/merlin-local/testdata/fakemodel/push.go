package main

import (
	"fmt"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
)

// pushes are a metric that goes to the Pushgateway which a variable names; at once, with
// each prediction, and once more at the end.
func (m *model) pushes(ended bool) {
	if m.push == "" {
		return
	}
	gauge := func(name string, value float64) prometheus.Collector {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name})
		g.Set(value)
		return g
	}
	pusher := push.New(os.Getenv(m.push), "fake").Grouping("model", m.name).Collector(gauge("pushed_predictions", float64(m.predictions.Load())))
	if ended {
		pusher = pusher.Collector(gauge("ended", 1))
	}
	if err := pusher.Push(); err != nil {
		fmt.Println("push:", err)
		return
	}
	fmt.Println("pushed")
}
