// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"testing"
	"time"
)

// Whatever a policy puts into deny, the chart is not allowed, and every finding has a rule
// and a message.
func FuzzParseFindings(f *testing.F) {
	for _, seed := range []string{
		`["x"]`, `[""]`, `[]`, `null`, `{}`, `"x"`, `[1]`, `[null]`, `[false]`, `[[]]`,
		`[{"msg": "x", "rule": "r", "solution": "s"}]`, `[{"message": "x", "code": 1}]`,
		`[{"msg": "x", "message": "y"}]`, `[{"msg": {"a": 1}}]`, `[{"msg": "\u0000"}]`, `[{"msg": "x", "rule": ""}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var value any
		if json.Unmarshal(text, &value) != nil {
			return
		}
		findings, problems := parseFindings(denyName, value)
		elements, ok := value.([]any)
		if empty := ok && len(elements) == 0; empty != (len(findings)+len(problems) == 0) {
			t.Errorf("%s: got %v and %v, want none if and only if the set is empty", text, findings, problems)
		}
		for _, finding := range append(findings, problems...) {
			if finding.Rule == "" || finding.Message == "" {
				t.Errorf("%s: got %v, want a rule and a message", text, finding)
			}
		}
	})
}

// Whatever a module says, it compiles or is an *Error, OPA does not panic, and a policy that
// compiles comes to a decision.
func FuzzCompileModules(f *testing.F) {
	for _, seed := range []string{
		"", denyNothing, "package chartsign\ndeny[x] { x }", "package chartsign\ndeny := 1", "package chartsign.deny\nx := 1",
		"package chartsign\ndeny contains x if { x := count(1) with count as http.send }",
		"package chartsign\n_f(x) := $\"{x}\"\ndeny contains _f(input.name)",
		"package chartsign\nimport data.x\ndeny contains {\"msg\": x}",
		"package chartsign\n_x[y] := 1 if some y in input.signers\ndeny contains \"x\" if every x in [1] { _x[x] }",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := CompileModules(t.Context(), map[string]string{"a.rego": text}, nil, 50*time.Millisecond)
		if (err == nil) != (p != nil) {
			t.Fatalf("got %v, %v, want one of them", p, err)
		}
		if err != nil {
			return
		}
		d, err := p.Evaluate(t.Context(), Input{Time: testTime})
		if err != nil || d.Allowed() != (len(d.Denials()) == 0) {
			t.Errorf("got %v, %v, %v, want a decision", d.Allowed(), d.Denials(), err)
		}
	})
}

// Data parses to an object, or not at all, and twice to the same.
func FuzzParseDocument(f *testing.F) {
	for _, seed := range []string{"a: 1", "a: 1\na: 2", "{}", "[]", "---\na: 1\n---\nb: 2", "1: a", "a: &x [1]\nb: *x", `{"a": {"b": 1, "b": 2}}`, "{} x"} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, text []byte, isJSON bool) {
		name := "data.yaml"
		if isJSON {
			name = "data.json"
		}
		object, err := parseDocument(document{name: name, text: text})
		if err != nil {
			return
		}
		encoded, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseDocument(document{name: "data.json", text: encoded}); err != nil {
			t.Errorf("%q: got %v for its own JSON", text, err)
		}
	})
}
