package check

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// answered judges an endpoint that must give 200.
func answered(a Answer, target, fix string) verdict {
	if a.Reply == Accepted {
		return pass("%s: %s in %s", target, a.Status, milli(a.Took))
	}
	return fail(fix, "%s: %s", target, a)
}

func healthEndpoint(s *Seen) verdict {
	return answered(s.Contract.Health, "GET "+s.Deployment.ReadinessPath(), "answer 200 there once the model is loaded")
}

func livenessEndpoint(s *Seen) verdict {
	return answered(s.Contract.Alive, "GET /", "answer 200 at / for as long as the process is well, with or without a model")
}

func wrongName(s *Seen) verdict {
	c := s.Contract
	for _, asked := range []struct {
		target string
		answer Answer
	}{{"GET /v1/models/" + c.WrongName, c.WrongHealth}, {"POST /v1/models/" + c.WrongName + ":predict", c.WrongAnswer}} {
		if asked.answer.Reply == Accepted {
			return fail("answer 404 for every name but that of CARAML_MODEL_FULL_NAME: a request that went astray is noticed then", "%s: %s", asked.target, asked.answer.Status)
		}
	}
	return pass("%s gets %s", c.WrongName, c.WrongHealth.Status)
}

func (s *Seen) predictTarget() string {
	if s.upi() {
		return "PredictValues"
	}
	return "POST " + s.Deployment.PredictPath()
}

func predictEndpoint(s *Seen) verdict {
	a := s.Contract.Predict
	switch a.Reply {
	case Absent, Silence:
		fix := "answer POST at /v1/models/ with the name in CARAML_MODEL_FULL_NAME and :predict behind it"
		if s.upi() {
			fix = "implement caraml.upi.v1.UniversalPredictionService/PredictValues"
		}
		return fail(fix, "%s: %s", s.predictTarget(), a)
	}
	return pass("%s: %s", s.predictTarget(), a.Status)
}

func predicts(s *Seen) verdict {
	a := s.Contract.Predict
	switch {
	case s.Request == nil:
		return unjudged("%s", s.noRequest())
	case a.Reply == Absent || a.Reply == Silence:
		return unjudged("there is no answer at all: see predict-endpoint")
	case a.Reply != Accepted:
		return fail("mend the model, or "+s.noRequest(), "%s with %s: %s", s.predictTarget(), s.RequestName, a)
	case !a.JSON:
		return fail("answer JSON: callers of an HTTP_JSON model read it", "%s is no JSON: %s", s.predictTarget(), clip(string(a.Body)))
	}
	return pass("%s with %s: %s in %s", s.predictTarget(), s.RequestName, a.Status, milli(a.Took))
}

// What liveness may take: a call, and its CPU time.
const (
	cheapLatency = 100 * time.Millisecond
	cheapCPU     = 20 * time.Millisecond
)

func livenessCheap(s *Seen) verdict {
	i, see := s.Idle, "liveness-endpoint"
	if s.upi() {
		see = "grpc-health"
	}
	fix := "answer liveness without calling the model: it is asked every 10 s, also while the model is busy"
	switch {
	case i == nil:
		return unjudged("the check was ended before")
	case i.Answers == 0:
		return unjudged("liveness does not answer: see %s", see)
	case i.CPU > cheapCPU:
		return fail(fix, "each takes %s of CPU time, and %s", milli(i.CPU), milli(i.Median))
	case i.Median > cheapLatency:
		return fail(fix, "it takes %s, the median of %d", milli(i.Median), i.Answers)
	case i.CPU > 0:
		return pass("%s, the median of %d; each takes %s of CPU time", milli(i.Median), i.Answers, milli(i.CPU))
	}
	return pass("%s, the median of %d", milli(i.Median), i.Answers)
}

func metrics(s *Seen) verdict {
	m := s.Contract.Metrics
	severity := Error
	if s.upi() {
		severity = Info // it may push
	}
	switch {
	case m.Error != "":
		return fail("serve Prometheus metrics at /metrics on the serving port; a Prometheus library does it", "%s", m.Error).as(severity)
	case m.Series == 0:
		return fail("count at least requests and their time", "the page has no metric").as(Warning)
	}
	return pass("%s, %d series", plural(len(m.Families), "metric"), m.Series)
}

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

func metricNames(s *Seen) verdict {
	m := s.Contract.Metrics
	if m.Error != "" {
		return unjudged("there are no metrics to look at: see metrics")
	}
	if wrong := wrongNames(m.Families); len(wrong) > 0 {
		return fail("use letters, digits and _ alone: older Prometheus drops the page, newer ones need the name in quotes in each query",
			"%s", strings.Join(wrong[:min(len(wrong), mostTold)], ", "))
	}
	return pass("%s", plural(len(m.Families), "metric"))
}

func wrongNames(families []event.Family) (wrong []string) {
	add := func(name string) {
		if !slices.Contains(wrong, name) {
			wrong = append(wrong, name)
		}
	}
	for _, f := range families {
		if !metricName.MatchString(f.Name) {
			add(f.Name)
		}
		for _, series := range f.Series {
			for _, name := range slices.Sorted(maps.Keys(series.Labels)) {
				if !labelName.MatchString(name) {
					add(f.Name + "{" + name + "}")
				}
			}
		}
	}
	return wrong
}

func grpcHealth(s *Seen) verdict {
	switch said := s.Contract.HealthService; said {
	case "SERVING":
		return pass("%s", said)
	case "":
		return fail("register grpc.health.v1.Health and set SERVING for the empty service name once the model is loaded", "there is no gRPC health service")
	default:
		return fail("set SERVING for the empty service name", "it says %s", clip(said))
	}
}

const upiService = "caraml.upi.v1.UniversalPredictionService"

func grpcReflection(s *Seen) verdict {
	c, fix := s.Contract, "register reflection: one line in most languages, and grpcurl needs no .proto files"
	switch {
	case c.ReflectionError != "":
		return fail(fix, "%s", c.ReflectionError)
	case !slices.Contains(c.Reflection, upiService):
		return fail(fix, "it lists %s, and not %s", strings.Join(c.Reflection, ", "), upiService)
	}
	return pass("%s", strings.Join(c.Reflection, ", "))
}
