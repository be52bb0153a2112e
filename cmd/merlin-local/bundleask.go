package main

import (
	"context"
	"fmt"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
)

// asking is what is sent and how its answers are judged.
type asking struct {
	answered []event.Exchange
	expected map[uint64]event.Exchange
	rules    compare.Rules
}

// ask sends every request and says of each answer whether it is the one that it was.
func (r *rerun) ask(ctx context.Context, state *session.State, a *asking) error {
	client := steady(state)
	defer client.Close()
	same, mended := 0, 0
	for _, was := range a.answered {
		aimed, err := aimerAt(state).Aim(was)
		if err != nil {
			return err
		}
		is, err := client.Send(ctx, aimed)
		if is.Status == 0 && err != nil && ctx.Err() != nil {
			return err
		}
		result := compare.Answers(was, is, a.rules)
		if result.Same() {
			same++
		}
		remark := ""
		if want, known := a.expected[was.ID]; known && compare.Answers(want, is, a.rules).Same() {
			mended++
			remark = "; it is what should come"
		}
		fmt.Fprintln(r.out, told(was, is, result, remark))
	}
	if same == len(a.answered) {
		fmt.Fprintf(r.out, "reproduced: %s\n", counted(same, "request is answered as it was", "requests are answered as they were"))
		return nil
	}
	text := fmt.Sprintf("not reproduced: %d of %d are answered as they were", same, len(a.answered))
	if mended > 0 {
		text += fmt.Sprintf(", %d as they should be", mended)
	}
	fmt.Fprintln(r.out, text)
	return errNotReproduced
}

// counted is a number with what it counts, one or several.
func counted(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

// mostTold is how many differences of one answer a person is told.
const mostTold = 5

// told says how an answer is, and how it was where that differs.
func told(was, is event.Exchange, result compare.Result, remark string) string {
	line := fmt.Sprintf("request %d  %s %s  ", was.ID, prose.Clean(was.Method), prose.Clean(was.Path))
	if result.Same() {
		return line + "as it was: " + outcome(is) + remark
	}
	line += "differs: " + outcome(is) + ", and was " + outcome(was) + remark
	for i, d := range result.Differences {
		if i == mostTold {
			line += fmt.Sprintf("\n  and %d more", len(result.Differences)+result.More-mostTold)
			break
		}
		line += "\n  " + prose.Clean(d.String())
	}
	return line
}

// outcome is an answer in a word.
func outcome(x event.Exchange) string {
	switch {
	case x.GRPCStatus != nil:
		return prose.GRPCCode(*x.GRPCStatus)
	case x.Status == 0:
		return prose.Clean(x.Error)
	}
	return fmt.Sprint(x.Status)
}
