package check

import (
	"strings"
)

func concurrent(s *Seen) verdict {
	l := s.Load
	fix := "share nothing between requests, or guard it by a lock; a model that takes one at a time needs container_concurrency: 1"
	switch {
	case l.OOMKills > 0:
		return unjudged("it was killed for its memory meanwhile: see memory")
	case l.Ended != "":
		return fail(fix, "%d requests from %d clients ended the container: %s", l.Requests, l.AtOnce, l.Ended)
	case l.AtOnce == 1 && len(l.Wrong)+len(l.Failed) == 0:
		return unjudged("container_concurrency is 1: production gives it one request at a time, and those were answered")
	case len(l.Wrong) > 0:
		return fail(fix, "%d of %d answers are not those of the same request alone: %s", l.Bad, l.Requests, strings.Join(l.Wrong, "; "))
	case len(l.Failed) > 0:
		return fail(fix, "%d of %d requests failed that are answered alone: %s", l.Bad, l.Requests, strings.Join(l.Failed, "; "))
	case !l.Compared:
		return pass("%d requests from %d clients, all answered; the same request has not the same answer twice, so that answers were not compared", l.Requests, l.AtOnce)
	}
	return pass("%d requests from %d clients, %d different ones, all answered as alone, in %s", l.Requests, l.AtOnce, l.Variants, milli(l.Took))
}

// near is how near to its limit memory may come.
const near = 0.9

func memory(s *Seen) verdict {
	l, fix := s.Load, "raise memory_request (the limit follows), or find what grows"
	switch {
	case l.OOMKills > 0:
		return fail(fix, "the kernel killed a process of it for the limit of %s", bytesOf(l.Limit))
	case l.Limit == 0:
		return unjudged("there is no limit")
	case l.Peak == 0:
		return unjudged("the Engine told no sample of its memory")
	case float64(l.Peak) > near*float64(l.Limit):
		return fail(fix, "%s of %s after %s", bytesOf(l.Peak), bytesOf(l.Limit), plural(l.Requests, "request")).as(Warning)
	}
	return pass("%s of %s after %s", bytesOf(l.Peak), bytesOf(l.Limit), plural(l.Requests, "request"))
}

// refuses judges what became of requests that make no sense.
func refuses(rule string) func(*Seen) verdict {
	return func(s *Seen) verdict {
		b := s.Bad[rule]
		switch {
		case s.Bad == nil:
			return unjudged("the check was ended before")
		case b == nil:
			return unjudged("an earlier request ended the container, and it did not come back in time")
		case b.Ended != "":
			return fail("catch what the request causes, and bound what is read", "%s", b.Ended)
		}
		return refused(rule, s.upi(), b.Tried)
	}
}

func refused(rule string, upi bool, all []Tried) verdict {
	var taken verdict
	var statuses []string
	for _, t := range all {
		text := t.What + ": " + t.Answer.String()
		switch a := t.Answer; {
		case a.Reply == Silence && rule == hugeBody && !strings.HasPrefix(a.Error, "no answer"):
			statuses = append(statuses, t.What+": "+a.Error) // a way to refuse
		case a.Reply == Silence:
			return fail("answer 400 with what is wrong, in any case", "%s", text)
		case a.Reply == Fault && upi && rule != emptyBody && rule != wrongShape:
			statuses = append(statuses, t.What+": "+a.Status) // gRPC's own libraries say Internal of what they cannot read
		case a.Reply == Fault:
			return fail("answer 4xx with what is wrong (UPI_V1: InvalidArgument): 5xx is the server's fault, and alarms somebody else", "%s", text)
		case a.Reply == Accepted && rule != hugeBody:
			taken = fail("refuse what the model cannot know: a caller's mistake passes for a prediction", "%s", text).as(Warning)
		default:
			statuses = append(statuses, t.What+": "+t.Answer.Status)
		}
	}
	if taken.outcome == Failed {
		return taken
	}
	return pass("%s", strings.Join(statuses, "; "))
}

func sigtermExit(s *Seen) verdict {
	e := s.End
	switch {
	case e == nil:
		return unjudged("it did not serve any more when it was to be ended")
	case e.Killed || e.Exit == nil:
		return fail("handle SIGTERM; a shell as PID 1 does not pass it on: write ENTRYPOINT as a JSON list, or exec the server",
			"it did not end within %s after SIGTERM, and was killed", s.Grace)
	case e.Exit.Code != 0 && e.Exit.Code != 143:
		return fail("exit with 0 once all requests are answered", "it ended after %s with %s", milli(e.Took), describe(*e.Exit)).as(Warning)
	}
	return pass("exit code %d, %s after SIGTERM", e.Exit.Code, milli(e.Took))
}

func sigtermDrains(s *Seen) verdict {
	e := s.End
	switch {
	case e == nil:
		return unjudged("it did not serve any more when it was to be ended")
	case e.Cut > 0:
		return fail("at SIGTERM take no more connections, finish what runs, then exit", "%d of %d requests that ran at SIGTERM were cut: %s", e.Cut, e.Cut+e.Finished, e.Why)
	case e.Finished == 0:
		return unjudged("%s", e.Unasked)
	}
	return pass("%s that ran at SIGTERM were answered", plural(e.Finished, "request"))
}
