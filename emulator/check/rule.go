package check

import (
	"fmt"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// Severity is how much it matters that a rule does not hold.
type Severity string

// The severities, the gravest first.
const (
	Error   Severity = "error"   // production refuses it, or loses requests by it
	Warning Severity = "warning" // it serves, until something ordinary happens
	Info    Severity = "info"    // good to know
)

// rank orders severities: the graver the higher.
func (s Severity) rank() int {
	switch s {
	case Error:
		return 3
	case Warning:
		return 2
	case Info:
		return 1
	}
	return 0
}

// AtLeast tells whether s is as grave as other, or graver.
func (s Severity) AtLeast(other Severity) bool { return s.rank() >= other.rank() }

// Outcome is what came of a rule.
type Outcome string

// The outcomes.
const (
	Passed    Outcome = "pass"
	Failed    Outcome = "fail"       // with severity error
	Warned    Outcome = "warning"    // it does not hold, with severity warning
	Noted     Outcome = "info"       // it does not hold, with severity info
	NotJudged Outcome = "not judged" // Evidence says why
)

// Group is what a rule is about.
type Group string

// The groups, in the order of a model's life.
const (
	ImageGroup    Group = "image"
	StartGroup    Group = "start"
	ContractGroup Group = "contract"
	RequestGroup  Group = "requests"
	EndGroup      Group = "end"
)

// Rule is one point of the contract.
type Rule struct {
	ID       string
	Group    Group
	Severity Severity
	Protocol merlin.Protocol // the only one that it is about; empty for both
	// About is what it asks for, and Sign how that is told, as sentences for people.
	About, Sign string

	needs need
	judge func(*Seen) verdict
}

// need is what must be observed for a rule to be judged.
type need uint

const (
	needsMain      need = 1 << iota // the model as it is, ready
	needsContract                   // its endpoints
	needsIdle                       // liveness, measured
	needsLoad                       // many requests at once
	needsBad                        // requests that make no sense
	needsEnd                        // SIGTERM
	needsRenamed                    // with other ports and another full name
	needsOtherUser                  // as another user
)

// Result is what came of one rule.
type Result struct {
	Rule     string   `json:"rule"`
	Group    Group    `json:"group"`
	Severity Severity `json:"severity"` // with which it counts where it does not hold
	Outcome  Outcome  `json:"outcome"`
	About    string   `json:"about"`
	Evidence string   `json:"evidence"`
	Fix      string   `json:"fix,omitempty"`
}

// verdict is what a rule's function says; severity replaces the rule's own where it is set.
type verdict struct {
	outcome       Outcome
	severity      Severity
	evidence, fix string
}

func pass(format string, args ...any) verdict {
	return verdict{outcome: Passed, evidence: fmt.Sprintf(format, args...)}
}

func unjudged(format string, args ...any) verdict {
	return verdict{outcome: NotJudged, evidence: fmt.Sprintf(format, args...)}
}

func fail(fix, format string, args ...any) verdict {
	return verdict{outcome: Failed, evidence: fmt.Sprintf(format, args...), fix: fix}
}

// as gives a failure another severity than the rule's.
func (v verdict) as(s Severity) verdict {
	v.severity = s
	return v
}

// verdict is what comes of a rule: its judgement, where what it needs was seen.
func (r Rule) verdict(s *Seen) verdict {
	if v, unseen := r.unseen(s); unseen {
		return v
	}
	return r.judge(s)
}

// unseen gives the verdict of a rule where not all was seen that it judges.
func (r Rule) unseen(s *Seen) (verdict, bool) {
	if why := onHost(r.ID); s.OnHost && why != "" {
		return unjudged("%s", why), true
	}
	if r.needs&needsMain != 0 {
		if v, told := s.told(r.ID); told {
			return v, true
		}
	}
	switch {
	case r.needs&needsContract != 0 && s.Contract == nil:
		return unjudged("the check was ended before"), true
	case r.needs&needsLoad != 0 && s.Request == nil:
		return unjudged("%s", s.noRequest()), true
	case r.needs&needsLoad != 0 && s.Load == nil:
		return unjudged("it does not answer the request: see predicts"), true
	}
	return verdict{}, false
}

// onHost is why a rule cannot be judged of a process of this host; empty where it can.
func onHost(rule string) string {
	switch rule {
	case "all-addresses":
		return "a process of this host is reached on 127.0.0.1 itself"
	case "artifact-read-only":
		return "the artifact folder of a host process can be written to"
	case "any-user":
		return "a process of this host has its user"
	case "memory":
		return "a process of this host has no limit"
	}
	return ""
}

// result is the verdict of a rule as a result.
func (r Rule) result(s *Seen) Result {
	v := r.verdict(s)
	result := Result{Rule: r.ID, Group: r.Group, Severity: r.Severity, Outcome: v.outcome, About: r.About, Evidence: v.evidence, Fix: v.fix}
	if v.outcome != Failed {
		return result
	}
	if v.severity != "" {
		result.Severity = v.severity
	}
	switch result.Severity {
	case Warning:
		result.Outcome = Warned
	case Info:
		result.Outcome = Noted
	}
	return result
}

// Select gives the rules that a protocol has, those of the given ids where there are any.
// It names an id that is none.
func Select(protocol merlin.Protocol, ids []string) ([]Rule, error) {
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	var rules []Rule
	for _, r := range Rules() {
		if (len(ids) == 0 || wanted[r.ID]) && (r.Protocol == "" || r.Protocol == protocol) {
			rules = append(rules, r)
		}
		delete(wanted, r.ID)
	}
	for _, id := range ids {
		if wanted[id] {
			return nil, fmt.Errorf("there is no rule %q: --list lists them", id)
		}
	}
	return rules, nil
}
