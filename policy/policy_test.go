// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
)

func TestEvaluateFindings(t *testing.T) {
	tests := []struct {
		name     string
		rules    string
		denials  []Finding
		warnings []Finding
	}{
		{"nothing", `deny contains "x" if false`, nil, nil},
		{"string", `deny contains "x"`, []Finding{{Rule: "deny", Message: "x"}}, nil},
		{"warning only", "deny contains \"x\" if false\nwarn contains \"w\"", nil, []Finding{{Rule: "warn", Message: "w"}}},
		{"object", `deny contains {"msg": "x"}`, []Finding{{Rule: "deny", Message: "x"}}, nil},
		{"all keys", `deny contains {"message": "x", "rule": "r", "solution": "s"}`, []Finding{{Rule: "r", Message: "x", Solution: "s"}}, nil},
		{"short_name", `deny contains {"msg": "x", "short_name": "r", "severity": 3}`, []Finding{{Rule: "r", Message: "x"}}, nil},
		{"code", `deny contains {"msg": "x", "code": "r"}`, []Finding{{Rule: "r", Message: "x"}}, nil},
		{"sorted, each once", "deny contains \"b\"\ndeny contains \"a\"\ndeny contains {\"msg\": \"a\"}", []Finding{{Rule: "deny", Message: "a"}, {Rule: "deny", Message: "b"}}, nil},
		{"both messages", `deny contains {"msg": "x", "message": "y"}`, []Finding{{Rule: RuleError, Message: "deny: got both msg and message in one element, want one of them"}}, nil},
		{"no message", `deny contains {"rule": "r"}`, []Finding{{Rule: RuleError, Message: "deny: got an element without a message, want a string or an object with msg"}}, nil},
		{"empty message", `deny contains " "`, []Finding{{Rule: RuleError, Message: "deny: got an element without a message, want a string or an object with msg"}}, nil},
		{"message of another type", `deny contains {"msg": 1}`, []Finding{{Rule: RuleError, Message: "deny: got msg of type number, want a string"}}, nil},
		{"rule of another type", `deny contains {"msg": "x", "rule": ["r"]}`, []Finding{{Rule: RuleError, Message: "deny: got rule of type array or set, want a string"}}, nil},
		{"solution of another type", `deny contains {"msg": "x", "solution": null}`, []Finding{{Rule: RuleError, Message: "deny: got solution of type null, want a string"}}, nil},
		{"number", `deny contains 1`, []Finding{{Rule: RuleError, Message: "deny: got an element of type number, want a string or an object with msg"}}, nil},
		{"false", `deny contains false`, []Finding{{Rule: RuleError, Message: "deny: got an element of type boolean, want a string or an object with msg"}}, nil},
		{"null", `deny contains null`, []Finding{{Rule: RuleError, Message: "deny: got an element of type null, want a string or an object with msg"}}, nil},
		{"odd warning denies", "deny contains \"x\" if false\nwarn contains 1", []Finding{{Rule: RuleError, Message: "warn: got an element of type number, want a string or an object with msg"}}, nil},
		{"odd element beside a good one", "deny contains \"x\"\ndeny contains 1", []Finding{{Rule: "deny", Message: "x"}, {Rule: RuleError, Message: "deny: got an element of type number, want a string or an object with msg"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := evaluateText(t, "package chartsign\n"+tt.rules, Input{})
			if got, want := d.Allowed(), len(tt.denials) == 0; got != want {
				t.Errorf("Allowed: got %v, want %v", got, want)
			}
			if diff := cmp.Diff(tt.denials, d.Denials()); diff != "" {
				t.Errorf("Denials (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.warnings, d.Warnings()); diff != "" {
				t.Errorf("Warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// A policy that fails must deny. Without strict errors of built-in functions each of these
// would be undefined, deny would be empty and the chart allowed.
func TestEvaluateErrorsDeny(t *testing.T) {
	tests := []struct{ name, rule, text string }{
		{"built-in", `deny contains "x" if semver.compare(input.version, "1.0.0") < 0`, "semver"},
		{"built-in in warn", "deny contains \"x\" if false\nwarn contains \"x\" if time.parse_rfc3339_ns(input.version) < 0", "time"},
		{"division", `deny contains "x" if 1 / (count(input.signers)) == 2`, "divide by zero"},
		{"type", `deny contains "x" if upper(input.chart.name) == "X"`, "upper"},
		{"conflict", "_x := 1 if input.name == \"\"\n_x := 2 if input.version != \"1\"\ndeny contains \"x\" if _x == 3", "produced conflicting values: 1 at p.rego:2 2 at p.rego:3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := evaluateText(t, "package chartsign\n"+tt.rule, Input{Version: "not a version", Chart: map[string]any{"name": 1}})
			if d.Allowed() || len(d.Denials()) != 1 {
				t.Fatalf("got %v, %v, want one denial", d.Allowed(), d.Denials())
			}
			got := d.Denials()[0]
			if got.Rule != RuleError || !strings.Contains(got.Message, tt.text) {
				t.Errorf("got %v, want rule %s and a message with %q", got, RuleError, tt.text)
			}
		})
	}
}

func TestEvaluateDeadlineDenies(t *testing.T) {
	loops := map[string]string{
		"exponential": `deny contains "x" if {
			n := numbers.range(1, 200)
			some a in n; some b in n; some c in n; some d in n; some e in n
			a + b + c + d + e == 0
		}`,
		"range": `deny contains "x" if count(numbers.range(1, 1000000000000)) == 0`,
	}
	for name, rule := range loops {
		t.Run(name, func(t *testing.T) {
			p, err := CompileModules(t.Context(), map[string]string{"a.rego": "package chartsign\n" + rule}, nil, 20*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			d, err := p.Evaluate(t.Context(), Input{Time: testTime})
			if err != nil {
				t.Fatalf("Evaluate: got %v, want a denial", err)
			}
			want := []Finding{{Rule: RuleTimeout, Message: "the policy took longer than 20ms"}}
			if diff := cmp.Diff(want, d.Denials()); diff != "" || d.Allowed() {
				t.Errorf("allowed %v, denials (-want +got):\n%s", d.Allowed(), diff)
			}
			if got := time.Since(start); got > 5*time.Second {
				t.Errorf("took %s, want about 20ms", got)
			}
		})
	}
}

func TestEvaluateUndefinedDenies(t *testing.T) {
	for _, query := range []string{"deny = data.chartsign.dney", "x = data.chartsign.deny", "deny = data.chartsign.deny; 1 == 2"} {
		tree, err := parse(module{path: "a.rego", text: denyNothing}, capabilities())
		if err != nil {
			t.Fatal(err)
		}
		compiler, err := compile(map[string]*ast.Module{"a.rego": tree})
		if err != nil {
			t.Fatal(err)
		}
		prepared, err := prepare(t.Context(), compiler, map[string]any{}, query)
		if err != nil {
			t.Fatal(err)
		}
		p := &Policy{query: prepared, timeout: time.Second}
		d, err := p.Evaluate(t.Context(), Input{Time: testTime})
		if err != nil || d.Allowed() || len(d.Denials()) != 1 || d.Denials()[0].Rule != RuleUndefined {
			t.Errorf("%s: got %v, %v, %v, want one denial by %s", query, d.Allowed(), d.Denials(), err, RuleUndefined)
		}
	}
}

func TestEvaluateNoSetDenies(t *testing.T) {
	for _, value := range []any{nil, false, true, "x", map[string]any{}, json.Number("1")} {
		findings, problems := parseFindings(denyName, value)
		if len(findings) != 0 || len(problems) != 1 || problems[0].Rule != RuleError {
			t.Errorf("parseFindings(%v): got %v, %v, want one problem", value, findings, problems)
		}
	}
}

func TestZeroAllowsNothing(t *testing.T) {
	var d Decision
	if d.Allowed() {
		t.Error("zero Decision: got allowed")
	}
	var none *Policy
	for _, p := range []*Policy{none, {}} {
		if d, err := p.Evaluate(t.Context(), Input{Time: testTime}); err == nil || d.Allowed() {
			t.Errorf("zero Policy: got %v, %v, want an error", d, err)
		}
	}
	p := mustCompile(t, map[string]string{"a.rego": denyNothing}, nil)
	if d, err := p.Evaluate(t.Context(), Input{}); err == nil || d.Allowed() {
		t.Errorf("no time: got %v, %v, want an error", d, err)
	}
}

func TestEvaluateContextEnds(t *testing.T) {
	p := mustCompile(t, map[string]string{"a.rego": denyNothing}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d, err := p.Evaluate(ctx, Input{Time: testTime})
	if !errors.Is(err, context.Canceled) || d.Allowed() {
		t.Errorf("got %v, %v, want %v and nothing allowed", d, err, context.Canceled)
	}
}

func TestEvaluateInputProblemsDeny(t *testing.T) {
	p := mustCompile(t, map[string]string{"a.rego": denyNothing}, nil)
	deep := any("x")
	for range 20_000 {
		deep = []any{deep}
	}
	tests := map[string]Input{
		"too large":       {Chart: map[string]any{"description": strings.Repeat("x", 33<<20)}},
		"not encodable":   {Chart: map[string]any{"f": func() {}}},
		"malformed":       {Attestations: []Attestation{{Predicate: json.RawMessage(`{"a":`)}}},
		"duplicate key":   {Attestations: []Attestation{{Predicate: json.RawMessage(`{"a":1,"a":2}`)}}},
		"too deep":        {Chart: map[string]any{"d": deep}},
		"time out of RFC": {Time: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			if in.Time.IsZero() {
				in.Time = testTime
			}
			d, err := p.Evaluate(t.Context(), in)
			if err != nil || d.Allowed() || len(d.Denials()) != 1 || d.Denials()[0].Rule != RuleError {
				t.Errorf("got %v, %v, %v, want one denial by %s", d.Allowed(), d.Denials(), err, RuleError)
			}
		})
	}
}

func TestFindingsAreBounded(t *testing.T) {
	d := evaluateText(t, `package chartsign
deny contains sprintf("%d", [i]) if some i in numbers.range(1, 5000)
warn contains input.chart.description`, Input{Chart: map[string]any{"description": strings.Repeat("ä", 10_000)}})
	if got := len(d.Denials()); got != 1001 || d.Allowed() {
		t.Errorf("got %d denials, want 1001", got)
	}
	if got, want := d.Denials()[1000], (Finding{Rule: "deny", Message: "4000 more findings are left out"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := len(d.Warnings()[0].Message); got > 4100 {
		t.Errorf("got a message of %d bytes, want about 4096", got)
	}
}

// Were annotations left out, the metadata would be undefined and nothing denied.
func TestMetadataOfRules(t *testing.T) {
	d := evaluateText(t, `package chartsign

# METADATA
# title: a title
# custom:
#   short_name: a-rule
deny contains {"rule": annotations.custom.short_name, "msg": annotations.title} if annotations := rego.metadata.rule()`, Input{})
	if diff := cmp.Diff([]Finding{{Rule: "a-rule", Message: "a title"}}, d.Denials()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTimeIsThatOfTheInput(t *testing.T) {
	text := `package chartsign
deny contains time.weekday([time.parse_rfc3339_ns(input.time), "UTC"])`
	d := evaluateText(t, text, Input{Time: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)})
	if diff := cmp.Diff([]Finding{{Rule: "deny", Message: "Monday"}}, d.Denials()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInputJSON(t *testing.T) {
	got, err := json.Marshal(Input{Name: "nginx", Time: testTime})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"nginx","version":"","appVersion":"","digest":"","reference":{},"signers":[],"evidence":[],` +
		`"attestations":[],"chart":{},"time":"2026-11-01T12:00:00Z","context":{}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	signer, err := json.Marshal(Signer{Identity: Identity{Name: "a", Kind: "pgp", Fingerprint: "AB"}, SignedAt: testTime, Binds: "layer"})
	if err != nil {
		t.Fatal(err)
	}
	want = `{"name":"a","kind":"pgp","fingerprint":"AB","signedAt":"2026-11-01T12:00:00Z","logged":false,"binds":"layer"}`
	if diff := cmp.Diff(want, string(signer)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The schema decides which typos are errors, so it must be that of the struct.
func TestSchemaIsThatOfInput(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(inputSchema, &schema); err != nil {
		t.Fatal(err)
	}
	compareSchema(t, "input", reflect.TypeFor[Input](), schema)
}

func compareSchema(t *testing.T, path string, typ reflect.Type, schema map[string]any) {
	t.Helper()
	switch {
	case typ.Kind() == reflect.Pointer:
		compareSchema(t, path, typ.Elem(), schema)
		return
	case typ.Kind() == reflect.Slice:
		items, ok := schema["items"].(map[string]any)
		if !ok {
			t.Fatalf("%s: got no items in the schema", path)
		}
		compareSchema(t, path+"[]", typ.Elem(), items)
		return
	case typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]():
		return
	}
	properties, ok := schema["properties"].(map[string]any)
	if !ok || schema["additionalProperties"] != false {
		t.Fatalf("%s: want properties, and additionalProperties false", path)
	}
	fields := make(map[string]reflect.Type)
	for _, f := range reflect.VisibleFields(typ) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			fields[name] = f.Type
		}
	}
	if diff := cmp.Diff(sortedKeys(fields), sortedKeys(properties)); diff != "" {
		t.Errorf("%s (-struct +schema):\n%s", path, diff)
	}
	for name, f := range fields {
		if p, ok := properties[name].(map[string]any); ok {
			compareSchema(t, path+"."+name, f, p)
		}
	}
}

func TestEvaluateConcurrently(t *testing.T) {
	p := mustCompile(t, map[string]string{"a.rego": "package chartsign\ndeny contains input.name if input.name != data.good"}, map[string]any{"good": "g"})
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for j := range 50 {
				name, want := fmt.Sprintf("%d-%d", i, j), false
				if j%2 == 0 {
					name, want = "g", true
				}
				d, err := p.Evaluate(t.Context(), Input{Name: name, Time: testTime})
				if err != nil || d.Allowed() != want || (!want && d.Denials()[0].Message != name) {
					t.Errorf("%s: got %v, %v, %v, want allowed %v", name, d.Allowed(), d.Denials(), err, want)
				}
			}
		})
	}
	group.Wait()
}

// What a caller changes afterwards reaches neither the policy nor a decision.
func TestNothingIsShared(t *testing.T) {
	data := map[string]any{"good": []any{"g"}}
	p := mustCompile(t, map[string]string{"a.rego": "package chartsign\ndeny contains input.name if not input.name in data.good"}, data)
	data["good"] = []any{"bad"}
	d, err := p.Evaluate(t.Context(), Input{Name: "bad", Time: testTime})
	if err != nil || d.Allowed() {
		t.Fatalf("got %v, %v, want denied", d.Allowed(), err)
	}
	d.Denials()[0].Message = "changed"
	d.Sources()[0] = "changed"
	if d.Denials()[0].Message != "bad" || p.Sources()[0] != "a.rego" {
		t.Errorf("got %v, %v, want them unchanged", d.Denials(), p.Sources())
	}
}
