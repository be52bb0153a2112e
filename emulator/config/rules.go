package config

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// dnsLabel is the rule of names that become part of a host.
func dnsLabel(longest int) *rule {
	return &rule{
		pattern: `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`,
		longest: longest,
		want:    "a-z, 0-9 and - (not first or last), at most " + strconv.Itoa(longest) + " characters",
	}
}

func positiveInteger() *rule {
	return &rule{pattern: `^[1-9][0-9]*$`, longest: 18, want: "a whole number from 1"}
}

// envName is Kubernetes' rule for the name of a variable.
func envName() *rule {
	return &rule{
		pattern: `^[-._a-zA-Z][-._a-zA-Z0-9]*$`,
		want:    "letters, digits, _, - and ., not starting with a digit or with ..",
		valid:   func(s string) bool { return s != "." && !strings.HasPrefix(s, "..") },
	}
}

func buildArgName() *rule {
	return &rule{pattern: `^[a-zA-Z_][a-zA-Z0-9_]*$`, want: "letters, digits and _, not starting with a digit"}
}

// secretKey is Kubernetes' rule for a key of a Secret, which an MLP secret's name becomes.
func secretKey() *rule {
	return &rule{pattern: `^[-._a-zA-Z0-9]+$`, longest: 253, want: "letters, digits, _, - and ."}
}

func labelKey() *rule {
	return &rule{
		pattern: `^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`,
		want:    "a Kubernetes label key: at most 63 letters, digits, -, _ and ., with an optional domain/ before",
	}
}

func labelValue() *rule {
	return &rule{
		pattern: `^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`,
		want:    "a Kubernetes label value: at most 63 letters, digits, -, _ and ., with a letter or digit at both ends",
	}
}

// containerPath is absolute and not the root alone: a copy there would replace it.
func containerPath() *rule {
	return &rule{pattern: `^/.*[^/].*$`, want: "an absolute path in the container, such as /app/"}
}

func domainName() *rule {
	return &rule{
		pattern: `^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`,
		longest: 253,
		want:    "a domain name such as models.example.com",
	}
}

func nonEmpty() *rule {
	return &rule{pattern: `\S`, want: "some text"}
}

func off() *rule {
	return &rule{pattern: `^off$`, want: "off, or a mapping of bytes, headers and json"}
}

func headerName() *rule {
	return &rule{pattern: "^[-A-Za-z0-9!#$%&'*+.^_`|~]+$", longest: 63, want: "a header's name such as X-User-Id"}
}

func jsonPath() *rule {
	return &rule{pattern: `^[^.\[\]]+(\[\*\])*(\.[^.\[\]]+(\[\*\])*)*$`, want: "a path such as instances.*.email", valid: func(s string) bool { return s != "$" }}
}

func imageName() *rule {
	return &rule{pattern: `^\S*$`, want: "an image reference without spaces, such as ghcr.io/acme/iris:v1"}
}

// quantityPattern is the grammar of Kubernetes' quantities without a sign.
const quantityPattern = `([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?`

// quantity is a Kubernetes quantity above zero.
func quantity(example string) *rule {
	return &rule{
		pattern: "^" + quantityPattern + "$",
		want:    "a quantity above 0, such as " + example,
		valid: func(s string) bool {
			q, err := resource.ParseQuantity(s)
			return err == nil && q.Sign() > 0
		},
	}
}

// optionalQuantity may be empty or zero, which both mean that none is set.
func optionalQuantity(example string) *rule {
	return &rule{
		pattern: "^(" + quantityPattern + ")?$",
		want:    "a quantity such as " + example + ", or nothing",
		valid: func(s string) bool {
			_, err := resource.ParseQuantity(s)
			return err == nil || s == ""
		},
	}
}

// emptyOr also takes an empty text.
func emptyOr(r *rule) *rule {
	return &rule{
		pattern: "^$|" + r.pattern,
		longest: r.longest,
		want:    r.want,
		valid:   func(s string) bool { return s == "" || r.valid == nil || r.valid(s) },
	}
}

func percentage() *rule {
	return &rule{
		pattern: `^[0-9]+(\.[0-9]+)?$`,
		want:    "a percentage from 0.1 to 100",
		valid: func(s string) bool {
			f, err := strconv.ParseFloat(s, 64)
			return err == nil && f >= 0.1 && f <= 100
		},
	}
}

// secondsPattern is a Go duration that has no sign.
const secondsPattern = `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`

// seconds reads a whole number of seconds, or a Go duration.
func seconds(text string, plain bool) (time.Duration, bool) {
	if plain && isInteger(text) {
		n, err := strconv.ParseInt(text, 10, 32)
		return time.Duration(n) * time.Second, err == nil
	}
	if !regexp.MustCompile(secondsPattern).MatchString(text) {
		return 0, false
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

// isInteger leaves out 010, which is 8 in YAML 1.1 and 10 in 1.2.
func isInteger(text string) bool {
	return regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`).MatchString(text)
}

func isNumber(text string) bool {
	f, err := strconv.ParseFloat(text, 64)
	return err == nil && f-f == 0 && regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`).MatchString(text)
}
