package check

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// secretNames are how names of variables end that hold a secret.
var secretNames = regexp.MustCompile(`(?i)(^|_)(password|passwd|passphrase|secret|token|credentials?|api_?key|access_?key|secret_?key|private_?key|auth_?key|encryption_?key)$`)

// secretValues are what secrets of well-known makers look like.
var secretValues = []struct {
	kind    string
	pattern *regexp.Regexp
}{
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)},
	{"an AWS access key", regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`)},
	{"a GitHub token", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})`)},
	{"a GitLab token", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{20,}`)},
	{"a Google API key", regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}\b`)},
	{"a service account's key", regexp.MustCompile(`"private_key"\s*:`)},
	{"a Slack token", regexp.MustCompile(`\bxox[abprs]-[A-Za-z0-9-]{10,}`)},
	{"a token (JWT)", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+`)},
	{"a password in a URL", regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@$][^/\s@]*@`)},
}

// publicNames are variables of well-known images whose values are no secrets.
var publicNames = []string{"GPG_KEY", "GPG_KEYS"}

func imageSecrets(s *Seen) verdict {
	if v, none := s.noImage(); none {
		return v
	}
	var found []string
	for _, line := range s.Image.Env {
		name, value, _ := strings.Cut(line, "=")
		if why := secretIn(name, value); why != "" && !slices.Contains(publicNames, name) {
			found = append(found, name+" "+why)
		}
	}
	if len(found) > 0 {
		return fail("take it out of the Dockerfile and change the secret: whoever can pull the image has it. In production it comes from secrets (mlp_secret_name)",
			"%s", strings.Join(found, "; "))
	}
	return pass("%s, none of which looks like a secret", plural(len(s.Image.Env), "variable"))
}

// secretIn tells why a variable looks like a secret; empty where it does not.
func secretIn(name, value string) string {
	for _, v := range secretValues {
		if v.pattern.MatchString(value) {
			return "holds what looks like " + v.kind
		}
	}
	if secretNames.MatchString(name) && !harmless(value) {
		return "has the name of a secret, and a value"
	}
	return ""
}

// harmless are values that say where a secret is, or that there is none.
func harmless(value string) bool {
	if _, err := strconv.ParseFloat(value, 64); err == nil && len(value) < 4 {
		return true
	}
	switch strings.ToLower(value) {
	case "", "true", "false", "none", "null":
		return true
	}
	return strings.HasPrefix(value, "/") || strings.HasPrefix(value, "$")
}

// hide takes the subject's secrets out of a text.
func (s *Subject) hide(text string) string {
	const hidden, shortest = "***", 4 // a shorter one could be any word
	for _, secret := range s.Hide {
		if len(secret) >= shortest {
			text = strings.ReplaceAll(text, secret, hidden)
		}
	}
	return text
}
