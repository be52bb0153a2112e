package check

import (
	"fmt"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// Subject is what is checked, and what is expected of it.
type Subject struct {
	ID         string // as sessions name it
	Deployment merlin.Deployment
	OnHost     bool   // it runs as a process of this host, without an image
	Image      *Image // nil where there is none
	// Request is one that the model answers, in JSON; nil where the repo has none.
	// RequestName is the file that it is in, or belongs into.
	Request     []byte
	RequestName string

	Deadline time.Duration // to become ready
	Timeout  time.Duration // of a prediction
	AtOnce   int           // requests that one replica takes at a time; 0 is no limit
	Grace    time.Duration // from SIGTERM to SIGKILL

	Architecture string // of production's nodes
	MostBytes    int64  // that an image should have

	// Hide are texts that no result may quote: the values of secrets.
	Hide []string
}

// CheckRequest tells what is wrong with the request, whatever the model makes of it.
func (s *Subject) CheckRequest() error {
	switch {
	case s.Request == nil:
		return nil
	case !gjson.ValidBytes(s.Request):
		return fmt.Errorf("%s is no JSON", s.RequestName)
	case s.upi():
		if _, err := parseUPI(s.Request); err != nil {
			return fmt.Errorf("%s is no PredictValuesRequest: %w", s.RequestName, err)
		}
	}
	return nil
}

// upi tells a model that speaks gRPC.
func (s *Subject) upi() bool { return s.Deployment.Protocol == merlin.UPIV1 }

// atOnce is how many requests a check has run at a time, of as many as it would like.
func (s *Subject) atOnce(wanted int) int {
	if s.AtOnce > 0 {
		return min(wanted, s.AtOnce)
	}
	return wanted
}

// portVariable is the one that tells the model its port.
func (s *Subject) portVariable() string {
	if s.upi() {
		return "CARAML_GRPC_PORT"
	}
	return "CARAML_HTTP_PORT"
}

// port is the serving port of a variation.
func (s *Subject) port(v Variation) int {
	if s.upi() {
		return v.GRPCPort
	}
	return v.HTTPPort
}

// Seen is all that was observed of a subject. What is nil was not looked at, or could not
// be; Missing says why.
type Seen struct {
	Subject
	Main      *Start // as it is
	Renamed   *Start // with the ports and the full name of variation Other
	Other     Variation
	OtherUser *Start // as User
	User      string

	First    *First
	Contract *Contract
	Idle     *Idle
	Load     *Load
	Bad      map[string]*Bad // by rule
	End      *End

	// Missing tells why the observers stopped before they were done; empty where they
	// did not.
	Missing string
}

// Start is how a replica came up.
type Start struct {
	Ready bool
	Took  time.Duration // from the container's start until it was ready
	// Card says why it was not ready, where it was not.
	Card *event.Failed
	// Probes are the attempts until the first that succeeded, in their order.
	Probes []event.Probed
	// Refused are complaints of its log about the artifact folder that cannot be written.
	Refused []string
}

// First is the first prediction, right after readiness.
type First struct {
	Answer Answer
	// Later is a later one's, where the first was not answered well and it was tried
	// again; After is how long after the first.
	Later *Answer
	After time.Duration
}

// last is the last answer; nil where there was none.
func (f *First) last() *Answer {
	switch {
	case f == nil:
		return nil
	case f.Later != nil:
		return f.Later
	}
	return &f.Answer
}

// Contract is what the endpoints answered.
type Contract struct {
	Health, Alive            Answer
	Predict                  Answer // to the good request, or without one to an empty object
	WrongHealth, WrongAnswer Answer // at another model's name
	WrongName                string
	Metrics                  event.Scraped
	Reflection               []string // services that reflection lists
	ReflectionError          string
	HealthService            string // what gRPC health says; empty where there is no such service
}

// Idle is what liveness costs while nothing else happens.
type Idle struct {
	Answers int // that were good
	Median  time.Duration
	CPU     time.Duration // for each; 0 where it is not known
}

// Load is many good requests at once.
type Load struct {
	Requests, Variants, AtOnce int
	Took                       time.Duration
	Wrong                      []string // answers that were not those of the request alone, some of them
	Failed                     []string // requests without a good answer, some of them
	Bad                        int      // of both
	Compared                   bool     // the same request gives the same answer each time
	Ended                      string   // how the container ended by it; empty where it did not
	Peak, Limit                int64    // memory in bytes; 0 is not known, or none
	OOMKills                   int
}

// Bad is the answers to requests that make no sense.
type Bad struct {
	Tried []Tried
	// Ended is how the container ended by it; empty where it did not.
	Ended string
}

// Tried is one such request.
type Tried struct {
	What   string
	Answer Answer
}

// End is what came of SIGTERM.
type End struct {
	Exit   *event.Exited // nil where it did not end
	Took   time.Duration
	Killed bool // by SIGKILL, after the grace period
	// Cut and Finished are the requests that ran at SIGTERM; Why is of one that was cut.
	Cut, Finished int
	Why           string
	Unasked       string // why none ran
}

func milli(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < 10*time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
