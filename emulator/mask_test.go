package emulator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestASecretNeverReachesAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) { fmt.Fprintln(c.write, "connecting with s3cr3t-value to db") }
		model := iris()
		model.Deployment.Secrets = []merlin.Secret{{MLPSecretName: "db", EnvVarName: "DB"}}
		model.SecretValues = map[string]string{"DB": "s3cr3t-value"}
		if err := until(t, w, model); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(w.specs[0].Env, "DB=s3cr3t-value") {
			t.Errorf("the container did not get it: %q", w.specs[0].Env)
		}
		for _, e := range w.events.History() {
			if line, _ := e.MarshalJSON(); strings.Contains(string(line), "s3cr3t") {
				t.Errorf("an event holds the secret: %s", line)
			}
		}
		if logs := facts[event.Log](w); len(logs) != 1 || logs[0].Text != "connecting with *** to db" {
			t.Errorf("logs are %+v", logs)
		}
	})
}

func TestSecretsAreHiddenWhereverTheyTurnUp(t *testing.T) {
	const key = "-----BEGIN KEY-----\nAAAABBBBCCCC\n-----END KEY-----"
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probe = func(int) emulator.ProbeResult {
			return emulator.ProbeResult{Target: "GET /", Outcome: "500 no AAAABBBBCCCC", Body: "boom s3cr3t-value s3cr3t-va"}
		}
		w.run = func(c *fakeContainer) {
			fmt.Fprintf(c.write, "%s\n%q\n%ss3cr3t-valuetail\n", key, key, strings.Repeat("x", 16<<10-5))
			time.Sleep(time.Second)
			c.exit(emulator.Exit{Code: 127, Error: `exec: "/nope/s3cr3t-value"`})
		}
		model := iris()
		model.SecretValues = map[string]string{"DB": "s3cr3t-value", "KEY": key}
		err := w.emulate(t.Context(), model)()
		told := append(w.noted(), err.Error())
		for _, e := range w.events.History() {
			line, _ := e.MarshalJSON()
			told = append(told, string(line))
		}
		all := strings.Join(told, "\n")
		if card := facts[event.Failed](w)[0]; !strings.Contains(card.Exit.Error, "***") || !strings.Contains(card.Probe.Body, "***") || card.Cause != event.CauseCommandNotFound {
			t.Errorf("the card is %+v", card)
		}
		for _, secret := range []string{"s3cr3t", "cr3t-value", "AAAABBBB", "BEGIN KEY"} {
			if i := strings.Index(all, secret); i >= 0 {
				t.Errorf("%q is told: …%s…", secret, all[max(0, i-60):min(len(all), i+60)])
			}
		}
	})
}
