// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/chartsign/chartsign/internal/limits"
)

// The aliases of each part of a finding, so that policies written for other tools work.
var (
	messageKeys = []string{"msg", "message"}
	ruleKeys    = []string{"rule", "short_name", "code"}
)

// parseFindings reads the value of the set named set. Whatever cannot be read is returned
// as problems: findings of RuleError, which deny.
func parseFindings(set string, value any) (findings, problems []Finding) {
	elements, ok := value.([]any)
	if !ok {
		return nil, []Finding{problem("%s: got %s, want a set", set, typeName(value))}
	}
	for _, element := range elements {
		finding, err := parseFinding(set, element)
		if err != nil {
			problems = append(problems, problem("%s: %v", set, err))
			continue
		}
		findings = append(findings, finding)
	}
	return bounded(set, findings), bounded(RuleError, problems)
}

// parseFinding reads one element: a message, or an object with one.
func parseFinding(set string, element any) (Finding, error) {
	switch e := element.(type) {
	case string:
		return newFinding(set, e, "")
	case map[string]any:
		message, err := text(e, messageKeys...)
		if err != nil {
			return Finding{}, err
		}
		rule, err := text(e, ruleKeys...)
		if err != nil {
			return Finding{}, err
		}
		solution, err := text(e, "solution")
		if err != nil {
			return Finding{}, err
		}
		return newFinding(cmp.Or(rule, set), message, solution)
	default:
		return Finding{}, fmt.Errorf("got an element of type %s, want a string or an object with msg", typeName(element))
	}
}

func newFinding(rule, message, solution string) (Finding, error) {
	if strings.TrimSpace(message) == "" {
		return Finding{}, fmt.Errorf("got an element without a message, want a string or an object with msg")
	}
	return Finding{Rule: shorten(rule), Message: shorten(message), Solution: shorten(solution)}, nil
}

// text returns the string under the one of keys that is there, or "".
func text(object map[string]any, keys ...string) (string, error) {
	found, value := "", ""
	for _, key := range keys {
		v, ok := object[key]
		if !ok {
			continue
		}
		if found != "" {
			return "", fmt.Errorf("got both %s and %s in one element, want one of them", found, key)
		}
		s, ok := v.(string)
		if !ok {
			return "", fmt.Errorf("got %s of type %s, want a string", key, typeName(v))
		}
		found, value = key, s
	}
	return value, nil
}

// problem is a denial by RuleError.
func problem(format string, args ...any) Finding {
	return Finding{Rule: RuleError, Message: shorten(fmt.Sprintf(format, args...))}
}

// bounded sorts findings and cuts them at the cap, with a last one by rule that says so. A
// list that is not empty stays so.
func bounded(rule string, findings []Finding) []Finding {
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message), cmp.Compare(a.Solution, b.Solution))
	})
	findings = slices.Compact(findings)
	left := len(findings) - limits.PolicyFindings
	if left <= 0 {
		return findings
	}
	return append(findings[:limits.PolicyFindings], Finding{Rule: rule, Message: fmt.Sprintf("%d more findings are left out", left)})
}

// shorten cuts s at the cap and marks the cut.
func shorten(s string) string {
	if len(s) <= limits.PolicyText {
		return s
	}
	return strings.ToValidUTF8(s[:limits.PolicyText], "") + "…"
}

// typeName names the type of a value as Rego does.
func typeName(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array or set"
	case map[string]any:
		return "object"
	default:
		return "number"
	}
}
