package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
)

// answerRules are the flags that say what counts as a difference between answers, over
// the compare section of merlin-local.yaml.
type answerRules struct {
	ignore    []string
	tolerance float64
}

func (a *answerRules) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&a.ignore, "ignore", nil, "a path of answers that is not compared, as predictions.*.id; may be repeated")
	f.Float64Var(&a.tolerance, "tolerance", 0, "how far numbers may be apart, as a share of the larger one, where the configuration allows less")
}

// rulesOfModels are the rules for each model's answers; those of "" are for any other.
type rulesOfModels map[string]compare.Rules

// answers compares an answer by its model's rules.
func (r rulesOfModels) answers(was, is event.Exchange) compare.Result {
	return compare.Answers(was, is, r.of(was.Model))
}

// rules are those of the configuration, where there is one, with the flags.
func (a *answerRules) rules(c *cobra.Command, where *location) (rulesOfModels, error) {
	all := rulesOfModels{"": {}}
	file, err := where.configuration(c)
	if err != nil {
		return nil, err
	}
	if file != nil {
		all = rulesOfFile(file)
	}
	for id, rules := range all {
		rules.Ignore = append(rules.Ignore, a.ignore...)
		rules.Relative = max(rules.Relative, a.tolerance)
		if err := rules.Check(); err != nil {
			return nil, usageError{err}
		}
		all[id] = rules
	}
	return all, nil
}

// rulesOfFile are the rules of a configuration.
func rulesOfFile(file *config.File) rulesOfModels {
	all := rulesOfModels{"": {}}
	for i, m := range file.Models {
		all[m.ID()] = rulesOf(file.Compare[i])
	}
	if len(file.Models) == 1 {
		all[""] = rulesOf(file.Compare[0])
	}
	return all
}

func rulesOf(c config.Compare) compare.Rules {
	rules := compare.Rules{
		Absolute: c.Absolute, Relative: c.Relative, Ignore: c.Ignore, Unordered: c.Unordered, Headers: c.Headers,
		OneNumber: c.Integers == config.IntegersAsFloats,
	}
	for _, at := range c.At {
		rules.At = append(rules.At, compare.Tolerance(at))
	}
	return rules
}
