package check

import (
	"fmt"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// told gives the verdict of a rule where the model did not become ready: a failure of the
// rule that the cause belongs to, and of no other.
func (s *Seen) told(rule string) (verdict, bool) {
	switch {
	case s.Main == nil && s.Missing != "":
		return unjudged("%s", s.Missing), true
	case s.Main == nil:
		return unjudged("the check was ended before"), true
	case s.Main.Ready && s.Missing != "":
		return unjudged("%s", s.Missing), true
	case s.Main.Ready:
		return verdict{}, false
	}
	card := s.Main.Card
	if card == nil {
		card = &event.Failed{What: "was not ready within " + s.Deadline.String(), Next: "look at its log: merlin-local up shows it"}
	}
	if to := s.blamed(card.Cause); to != rule {
		return unjudged("it never became ready: see %s", to), true
	}
	return fail(card.Next, "%s", cardText(card)), true
}

// blamed is the rule that a cause belongs to, of those that the protocol has.
func (s *Seen) blamed(cause event.Cause) string {
	to := blame(cause)
	for _, r := range Rules() {
		if r.ID == to && (r.Protocol == "" || r.Protocol == s.Deployment.Protocol) {
			return to
		}
	}
	return "starts"
}

// cardText is a failure card in a sentence, with the last line of the log.
func cardText(c *event.Failed) string {
	text := c.What
	if c.Why != "" {
		text += ": " + c.Why
	}
	if n := len(c.LastLogs); n > 0 && !strings.Contains(text, strings.TrimSpace(c.LastLogs[n-1])) {
		text += "; its last line: " + clip(c.LastLogs[n-1])
	}
	return text
}

// why says in short why a replica was not ready.
func (st *Start) why() string {
	if st.Card == nil {
		return "it was not ready in time"
	}
	return cardText(st.Card)
}

// cause is that of a replica that was not ready.
func (st *Start) cause() event.Cause {
	if st.Card == nil {
		return event.CauseNotReady
	}
	return st.Card.Cause
}

func starts(s *Seen) verdict {
	return pass("ready after %s, of %s", milli(s.Main.Took), s.Deadline)
}

func portFromVariable(s *Seen) verdict {
	variable := s.portVariable()
	fix := fmt.Sprintf("listen on the port in %s, and write no number into the code, command or args", variable)
	switch {
	case s.OnHost:
		return pass("it listens on the port in %s, a free one of this host", variable)
	case s.Renamed == nil:
		return unjudged("the check was ended before")
	case s.Renamed.Ready:
		return pass("with %s=%d it listens there", variable, s.port(s.Other))
	}
	switch cause := s.Renamed.cause(); blame(cause) {
	case "full-name", "health-endpoint", "grpc-health":
		return pass("with %s=%d it answers there", variable, s.port(s.Other))
	default:
		return fail(fix, "with %s=%d it does not become ready: %s", variable, s.port(s.Other), s.Renamed.why())
	}
}

func fullName(s *Seen) verdict {
	name := s.renamed()
	switch {
	case s.Renamed == nil:
		return unjudged("the check was ended before")
	case s.Renamed.Ready:
		return pass("it answers at %s, and with CARAML_MODEL_FULL_NAME=%s at that", s.Deployment.FullName(), name)
	}
	switch blame(s.Renamed.cause()) {
	case "full-name", "health-endpoint":
		return fail("build the paths from CARAML_MODEL_FULL_NAME: it is another one after a redeployment of the version",
			"with CARAML_MODEL_FULL_NAME=%s: %s", name, s.Renamed.why())
	default:
		return unjudged("it does not become ready with another port and full name: see port-from-variable")
	}
}

func allAddresses(s *Seen) verdict {
	return pass("it is reached from outside its container")
}

func speaks(s *Seen) verdict {
	return pass("%s", s.Deployment.Protocol)
}

func artifactReadOnly(s *Seen) verdict {
	if len(s.Main.Refused) > 0 {
		return fail("write below /tmp: /mnt/models is read-only in production", "it goes on, and its log says: %s", clip(s.Main.Refused[0])).as(Warning)
	}
	return pass("it serves with a read-only artifact folder")
}

func anyUser(s *Seen) verdict {
	switch {
	case s.OtherUser == nil:
		return unjudged("the check was ended before")
	case s.OtherUser.Ready:
		return pass("it serves as user %s", s.User)
	}
	return fail("let everybody read what it needs (chmod a+rX) and have it write below /tmp: a cluster may choose the user", "as user %s it does not become ready: %s", s.User, s.OtherUser.why())
}

// noRequest says what is missing for rules that need a good request.
func (s *Subject) noRequest() string {
	return "put a request that it answers into " + s.RequestName
}

func healthAfterLoad(s *Seen) verdict {
	f := s.First
	switch {
	case s.Request == nil:
		return unjudged("whether it can predict once it is healthy: %s", s.noRequest())
	case f == nil:
		return unjudged("the check was ended before")
	case f.Answer.Reply == Accepted || f.Answer.Reply == Refused:
		return pass("%sthe prediction right after it was ready was answered (%s, %s)", s.Main.before(), f.Answer.Status, milli(f.Answer.Took))
	case f.Later == nil || f.Later.Reply != Accepted && f.Later.Reply != Refused:
		return unjudged("it does not answer the request at all: see predicts")
	}
	return fail("answer 503 to the health path until the model is loaded", "it said that it is healthy after %s; the prediction right then: %s; %s later: %s",
		milli(s.Main.Took), f.Answer, milli(f.After), f.Later.Status)
}

// before tells what its probes were answered before it was ready.
func (st *Start) before() string {
	early := st.early()
	if len(early) == 0 {
		return "it did not listen before; "
	}
	return "before, its health was " + early[len(early)-1].Outcome + "; "
}

// early are the probes that its port answered before it was ready.
func (st *Start) early() (answered []event.Probed) {
	for _, p := range st.Probes {
		if !p.OK && (p.Status != 0 || p.Kind == "grpc" && (p.Outcome == "NOT_SERVING" || p.Outcome == "UNKNOWN") || strings.HasPrefix(p.Outcome, "no answer within")) {
			answered = append(answered, p)
		}
	}
	return answered
}

func listensAfterLoad(s *Seen) verdict {
	early := s.Main.early()
	if len(early) == 0 {
		return pass("its port answered once it was ready, and not before")
	}
	return fail("load first, then listen: Merlin's deployments are probed by a TCP connect, and get requests from then on",
		"%s found it listening and not ready (%s)", plural(len(early), "probe"), early[len(early)-1].Outcome)
}
