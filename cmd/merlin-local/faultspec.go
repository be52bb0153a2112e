package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/proxy"
)

// faultGrammar is what a fault looks like, for who has made a mistake.
const faultGrammar = `a fault is one of
  latency=TIME[..TIME][:SHARE]  requests reach the model later, as latency=200ms..1s:50%
  errors=STATUS[:SHARE]         500 to 599 as if from the model, as errors=503:10%
  drop[:SHARE]                  the model's connection breaks before the answer
  drop=body[:SHARE]             the same, amid the answer's body
  kill[:SHARE]                  SIGKILL while the next request runs, or such a share
  probes[=readiness|liveness]   probes fail
  cpu=CORES                     a smaller CPU limit, as cpu=100m
  staging=TIME                  the artifact of later revisions takes longer`

// faultSpec is one fault that is asked for.
type faultSpec struct {
	kind string
	text string // as it was asked for
	into func(*proxy.Faults, *emulator.Sabotage)
}

// faultKinds are all of them, with what reads a value; has tells whether there is one.
func faultKinds() map[string]func(value string, has bool) (func(*proxy.Faults, *emulator.Sabotage), error) {
	type into = func(*proxy.Faults, *emulator.Sabotage)
	return map[string]func(string, bool) (into, error){
		"latency": func(value string, _ bool) (into, error) {
			value, share, err := cutShare(value)
			if err != nil {
				return nil, err
			}
			from, to, err := parseRange(value)
			return func(p *proxy.Faults, _ *emulator.Sabotage) {
				p.Latency.From, p.Latency.To, p.Latency.Share = from, to, share
			}, err
		},
		"errors": func(value string, _ bool) (into, error) {
			value, share, err := cutShare(value)
			status, bad := strconv.Atoi(value)
			if err == nil && (bad != nil || status < 500 || status > 599) {
				err = fmt.Errorf("%q is no status from 500 to 599", value)
			}
			return func(p *proxy.Faults, _ *emulator.Sabotage) { p.Errors.Status, p.Errors.Share = status, share }, err
		},
		"drop": func(value string, has bool) (into, error) {
			if where, share, err := cutShare(value); where == "body" {
				return func(p *proxy.Faults, _ *emulator.Sabotage) { p.DropBody = share }, err
			}
			share, err := shareOrAll(value, has)
			return func(p *proxy.Faults, _ *emulator.Sabotage) { p.Drop = share }, err
		},
		"kill": func(value string, has bool) (into, error) {
			if !has {
				return func(p *proxy.Faults, _ *emulator.Sabotage) { p.Kill.Once = true }, nil
			}
			share, err := parseShare(value)
			return func(p *proxy.Faults, _ *emulator.Sabotage) { p.Kill.Share = share }, err
		},
		"probes": func(value string, has bool) (into, error) {
			if has && value != "readiness" && value != "liveness" {
				return nil, fmt.Errorf("%q is neither readiness nor liveness", value)
			}
			return func(_ *proxy.Faults, s *emulator.Sabotage) {
				s.Readiness, s.Liveness = value != "liveness", value != "readiness"
			}, nil
		},
		"cpu": func(value string, _ bool) (into, error) {
			millis, err := parseCores(value)
			return func(_ *proxy.Faults, s *emulator.Sabotage) { s.CPUMillis = millis }, err
		},
		"staging": func(value string, _ bool) (into, error) {
			d, err := parseTime(value)
			return func(_ *proxy.Faults, s *emulator.Sabotage) { s.Staging = d }, err
		},
	}
}

// parseFault reads one fault as a person writes it.
func parseFault(text string) (faultSpec, error) {
	kind, value, has := strings.Cut(text, "=")
	if alone, share, shared := strings.Cut(text, ":"); shared && (alone == "drop" || alone == "kill") {
		kind, value, has = alone, share, true // a share is written so with all others
	}
	read := faultKinds()[kind]
	if read == nil {
		return faultSpec{}, usageError{fmt.Errorf("%q is no fault; %s", text, faultGrammar)}
	}
	into, err := read(value, has)
	if err != nil {
		return faultSpec{}, usageError{fmt.Errorf("%s: %w; %s", text, err, faultGrammar)}
	}
	return faultSpec{kind, text, into}, nil
}

// parseFaults reads several, each kind at most once.
func parseFaults(texts []string) ([]faultSpec, error) {
	var specs []faultSpec
	for _, text := range texts {
		spec, err := parseFault(text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(specs, func(other faultSpec) bool { return other.kind == spec.kind }) {
			return nil, usageError{fmt.Errorf("%s: %s is given twice", text, spec.kind)}
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

// cutShare takes the share off the end of a value; without one it is all.
func cutShare(value string) (rest string, share float64, err error) {
	rest, text, has := strings.Cut(value, ":")
	if !has {
		return rest, 1, nil
	}
	share, err = parseShare(text)
	return rest, share, err
}

func shareOrAll(value string, has bool) (float64, error) {
	if !has {
		return 1, nil
	}
	return parseShare(value)
}

func parseShare(text string) (float64, error) {
	number, is := strings.CutSuffix(text, "%")
	percent, err := strconv.ParseFloat(number, 64)
	if !is || err != nil || !(percent > 0 && percent <= 100) {
		return 0, fmt.Errorf("%q is no share of the requests, above 0%% and up to 100%%", text)
	}
	return percent / 100, nil
}

// longestFault bounds a time: a mistyped unit is seen at once.
const longestFault = 24 * time.Hour

func parseTime(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > longestFault {
		return 0, fmt.Errorf("%q is no time above 0 and up to 24h, as 200ms", text)
	}
	return d, nil
}

func parseRange(text string) (from, to time.Duration, err error) {
	first, last, ranges := strings.Cut(text, "..")
	if from, err = parseTime(first); err != nil || !ranges {
		return from, from, err
	}
	if to, err = parseTime(last); err == nil && to < from {
		err = fmt.Errorf("%s ends before it begins", text)
	}
	return from, to, err
}

// leastCPU is what the kernel can enforce: 1 ms of every 100.
const leastCPU = 10

func parseCores(text string) (millis int64, err error) {
	q, err := resource.ParseQuantity(text)
	if err != nil || q.MilliValue() < leastCPU || q.MilliValue() > 1_000_000 {
		return 0, fmt.Errorf("%q is no number of cores from 10m to 1000, as 100m", text)
	}
	return q.MilliValue(), nil
}
