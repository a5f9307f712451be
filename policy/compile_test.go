// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const denyNothing = "package chartsign\ndeny contains \"never\" if false\n"

// testTime is the effective time of every test.
var testTime = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func mustCompile(tb testing.TB, modules map[string]string, data map[string]any) *Policy {
	tb.Helper()
	p, err := CompileModules(tb.Context(), modules, data, 0)
	if err != nil {
		tb.Fatalf("CompileModules: got %v, want no error", err)
	}
	return p
}

// evaluateText compiles one module and evaluates it.
func evaluateText(tb testing.TB, text string, in Input) Decision {
	tb.Helper()
	if in.Time.IsZero() {
		in.Time = testTime
	}
	d, err := mustCompile(tb, map[string]string{"p.rego": text}, nil).Evaluate(tb.Context(), in)
	if err != nil {
		tb.Fatalf("Evaluate: got %v, want no error", err)
	}
	return d
}

func TestCompileModulesRefuses(t *testing.T) {
	tests := []struct {
		name    string
		modules map[string]string
		want    error
		text    string // in the message
	}{
		{"no modules", nil, ErrNoDeny, "deny contains"},
		{"no deny", map[string]string{"a.rego": "package chartsign\nwarn contains \"x\""}, ErrNoDeny, ""},
		{"deny in a library only", map[string]string{"a.rego": "package chartsign.lib.x\ndeny contains \"x\""}, ErrNoDeny, ""},
		{"deny in a test only", map[string]string{"a_test.rego": "package chartsign_test\ndeny contains \"x\""}, ErrNoDeny, ""},
		{"tests in the package itself", map[string]string{"a_test.rego": "package chartsign\ntest_x if true"}, ErrNoDeny, ""},
		{"deny in a test file", map[string]string{"a.rego": denyNothing, "a_test.rego": denyNothing}, ErrUnknownRule, "never evaluated: move the rule, or use package chartsign_test: a_test.rego:2"},
		{"deny in a test file, upper case", map[string]string{"a.rego": denyNothing, "a_TEST.REGO": denyNothing}, ErrUnknownRule, "a_TEST.REGO:2"},
		{"other package", map[string]string{"a.rego": denyNothing, "b.rego": "package main\ndeny contains \"x\""}, ErrForbiddenPackage, "got package main, want chartsign"},
		{"package of a near name", map[string]string{"a.rego": denyNothing, "b.rego": "package chartsing\ndeny contains \"x\""}, ErrForbiddenPackage, "b.rego:1"},
		{"package below", map[string]string{"a.rego": denyNothing, "b.rego": "package chartsign.deny\nx := 1"}, ErrForbiddenPackage, ""},
		{"package of a near library", map[string]string{"a.rego": denyNothing, "b.rego": "package chartsign.libs\nx := 1"}, ErrForbiddenPackage, ""},
		{"package system", map[string]string{"a.rego": denyNothing, "b.rego": "package system.authz\nallow := true"}, ErrForbiddenPackage, ""},
		{"typo", map[string]string{"a.rego": denyNothing + "denny contains \"x\""}, ErrUnknownRule, "got denny, want deny or warn: did you mean deny? helpers begin with _ or live in package chartsign.lib: a.rego:3"},
		{"suffix", map[string]string{"a.rego": denyNothing + "deny_all contains \"x\""}, ErrUnknownRule, "did you mean deny?"},
		{"typo of warn", map[string]string{"a.rego": denyNothing + "wran contains \"x\""}, ErrUnknownRule, "did you mean warn?"},
		{"allow", map[string]string{"a.rego": denyNothing + "default allow := false"}, ErrUnknownRule, "got allow, want deny or warn: helpers begin"},
		{"helper without underscore", map[string]string{"a.rego": denyNothing + "f(x) := x"}, ErrUnknownRule, "got f"},
		{"library as rule", map[string]string{"a.rego": denyNothing + "lib.x := 1"}, ErrUnknownRule, "got lib"},
		{"complete deny", map[string]string{"a.rego": "package chartsign\ndeny := false"}, ErrRuleKind, "write `deny contains message if { … }`: a.rego:2"},
		{"complete deny by unification", map[string]string{"a.rego": "package chartsign\ndeny = false"}, ErrRuleKind, ""},
		{"boolean deny", map[string]string{"a.rego": "package chartsign\ndeny if input.name == \"x\""}, ErrRuleKind, ""},
		{"complete deny of a set", map[string]string{"a.rego": "package chartsign\ndeny := {\"x\"}"}, ErrRuleKind, ""},
		{"default deny", map[string]string{"a.rego": "package chartsign\ndefault deny := false"}, ErrRuleKind, ""},
		{"function deny", map[string]string{"a.rego": "package chartsign\ndeny(x) := x"}, ErrRuleKind, ""},
		{"function of a set", map[string]string{"a.rego": "package chartsign\ndeny(x) contains x"}, ErrCompile, ""},
		{"deny with else", map[string]string{"a.rego": "package chartsign\ndeny contains 1 if false else := 2"}, ErrCompile, ""},
		{"object deny", map[string]string{"a.rego": "package chartsign\ndeny[x] := 1 if x := input.name"}, ErrRuleKind, ""},
		{"map deny", map[string]string{"a.rego": "package chartsign\ndeny[x] if x := input.name"}, ErrRuleKind, ""},
		{"deeper deny", map[string]string{"a.rego": "package chartsign\ndeny.x contains \"y\""}, ErrRuleKind, ""},
		{"complete warn", map[string]string{"a.rego": denyNothing + "warn := true"}, ErrRuleKind, "got warn"},
		{"v0 set", map[string]string{"a.rego": "package chartsign\ndeny[msg] { msg := input.name }"}, ErrCompile, "a.rego:2"},
		{"v0 import", map[string]string{"a.rego": "package chartsign\nimport future.keywords.or\ndeny contains \"x\""}, ErrCompile, ""},
		{"v2", map[string]string{"a.rego": "package chartsign\nimport rego.v2\ndeny contains \"x\""}, ErrCompile, ""},
		{"no package", map[string]string{"a.rego": "deny contains \"x\""}, ErrCompile, ""},
		{"empty module", map[string]string{"a.rego": ""}, ErrCompile, "empty module"},
		{"unknown input field", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if input.singers == []"}, ErrCompile, "undefined ref: input.singers"},
		{"unknown field of a signer", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if input.signers[_].subjct == \"x\""}, ErrCompile, "undefined ref"},
		{"number for a string", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if input.version == 1"}, ErrCompile, "match error"},
		{"rule that does not exist", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if data.chartsign.lib.bad(input.name)"}, ErrCompile, ""},
		{"reference to no rule", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if input.name in data.chartsign.lib.bad"}, ErrCompile, "got a reference to data.chartsign.lib.bad, which neither a rule nor the policy data defines: a.rego:2"},
		{"reference to a test", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if input.name in data.chartsign_test.bad", "b.rego": "package chartsign_test\nbad := [1]"}, ErrCompile, ""},
		{"reference to no data", map[string]string{"a.rego": "package chartsign\nimport data.banned\ndeny contains \"x\" if input.name in banned"}, ErrCompile, "data.banned"},
		{"metadata that is not there", map[string]string{"a.rego": "package chartsign\n# METADATA\n# title: x\ndeny contains rego.metadata.rule().custom.short_name"}, ErrCompile, ""},
		{"recursion", map[string]string{"a.rego": "package chartsign\n_f(x) := _f(x)\ndeny contains \"x\" if _f(1)"}, ErrCompile, "recursive"},
		{"deep terms", map[string]string{"a.rego": "package chartsign\ndeny contains " + strings.Repeat("[", 101) + strings.Repeat("]", 101)}, ErrCompile, "want at most 100: a.rego:1"},
		{"deep comprehensions", map[string]string{"a.rego": "package chartsign\ndeny contains " + strings.Repeat("[", 7) + "1" + strings.Repeat(" | true]", 7)}, ErrCompile, "got 7 levels, want at most 6"},
		{"network", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if http.send({}).status_code == 1"}, ErrForbiddenBuiltin, "got http.send"},
		{"clock", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if time.now_ns() > 1"}, ErrForbiddenBuiltin, "no clock but input.time: a.rego:2"},
		{"clock of certificates", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if crypto.x509.parse_and_verify_certificates(\"\")[0]"}, ErrForbiddenBuiltin, ""},
		{"environment", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if opa.runtime().env.HOME"}, ErrForbiddenBuiltin, ""},
		{"time zone of the environment", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if time.weekday([1, \"Local\"]) == \"Monday\""}, ErrForbiddenBuiltin, "time zone Local"},
		{"remote schema", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if json.match_schema({}, {\"$ref\": \"http://127.0.0.1:1/\"})[0]"}, ErrForbiddenBuiltin, ""},
		{"forbidden in a library", map[string]string{"a.rego": denyNothing, "l.rego": "package chartsign.lib\nx := rand.intn(\"a\", 2)"}, ErrForbiddenBuiltin, "l.rego:2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := CompileModules(t.Context(), tt.modules, nil, 0)
			if !errors.Is(err, tt.want) || p != nil {
				t.Fatalf("CompileModules: got %v, %v, want %v", p, err, tt.want)
			}
			var e *Error
			if !errors.As(err, &e) || e.Kind == nil {
				t.Errorf("got %T, want an *Error", err)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %q, want it to contain %q", err, tt.text)
			}
		})
	}
}

func TestCompileModulesAccepts(t *testing.T) {
	tests := []struct {
		name    string
		modules map[string]string
	}{
		{"deny", map[string]string{"a.rego": denyNothing}},
		{"import of v1", map[string]string{"a.rego": "package chartsign\nimport rego.v1\ndeny contains \"x\" if false"}},
		{"keywords of v1", map[string]string{"a.rego": "package chartsign\nimport future.keywords.in\nimport future.keywords\ndeny contains \"x\" if 1 in [2]"}},
		{"helpers", map[string]string{"a.rego": denyNothing + "_f(x) := x\n_set contains 1\ndefault _x := 1\n_deep.y := 2"}},
		{"libraries", map[string]string{"a.rego": denyNothing, "b.rego": "package chartsign.lib\nx := 1", "c.rego": "package chartsign.lib.a.b\nallow := 1"}},
		{"several modules", map[string]string{"a.rego": denyNothing, "b.rego": denyNothing + "warn contains \"x\" if false"}},
		{"tests with fixtures", map[string]string{"a.rego": denyNothing, "a_test.rego": "package chartsign\nfixture := {}\ntest_x if count(deny) == 0", "b.rego": "package foo_test\nx := 1"}},
		{"metadata", map[string]string{"a.rego": "package chartsign\n# METADATA\n# custom:\n#   short_name: x\ndeny contains rego.metadata.rule().custom.short_name if false"}},
		{"print", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if { print(input.name); false }"}},
		{"free-form parts of the input", map[string]string{"a.rego": "package chartsign\ndeny contains \"x\" if input.chart.annotations.foo == \"x\"\ndeny contains \"y\" if input.attestations[_].predicate.builder.id == 1\ndeny contains \"z\" if input.signers[_].extensions.sourceRepositoryURI == \"\""}},
		{"message named Local", map[string]string{"a.rego": "package chartsign\ndeny contains \"Local\" if false"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustCompile(t, tt.modules, nil)
			d, err := p.Evaluate(t.Context(), Input{Time: testTime})
			if err != nil || !d.Allowed() {
				t.Errorf("Evaluate: got %v, %v, want allowed", d.Denials(), err)
			}
		})
	}
}

func TestCompileReportsEveryMistake(t *testing.T) {
	_, err := CompileModules(t.Context(), map[string]string{
		"a.rego": "package chartsign\ndenny contains 1\nwran contains 2",
		"b.rego": "package elsewhere",
	}, nil, 0)
	for _, want := range []string{"a.rego:2", "a.rego:3", "b.rego:1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a mistake at %s", err, want)
		}
	}
	if !errors.Is(err, ErrUnknownRule) || !errors.Is(err, ErrForbiddenPackage) {
		t.Errorf("got %v, want both kinds", err)
	}
}

func TestReferencesToData(t *testing.T) {
	data := map[string]any{"lists": map[string]any{"banned": []any{"nginx"}, "null": nil}}
	tests := []struct {
		ref  string
		want error
	}{
		{"data.lists.banned", nil},
		{"data.lists[input.name]", nil},
		{"data.lists.banned[0]", nil},
		{"data.lists.null", nil},
		{"object.get(data.lists, \"optional\", null)", nil},
		{"data.lists.bannned", ErrCompile},
		{"data.lists.banned.deeper", ErrCompile},
		{"data.list.banned", ErrCompile},
		{"data.chartsign.denny", ErrCompile},
		{"data.chartsign._helper.x", nil},
	}
	for _, tt := range tests {
		t.Run(tt.ref, func(t *testing.T) {
			text := "package chartsign\n_helper := {\"x\": 1}\ndeny contains \"x\" if " + tt.ref + " == 1"
			_, err := CompileModules(t.Context(), map[string]string{"a.rego": text}, data, 0)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestCompileModulesCaps(t *testing.T) {
	large := denyNothing + "# " + strings.Repeat("x", 256<<10)
	if _, err := CompileModules(t.Context(), map[string]string{"a.rego": large}, nil, 0); !errors.Is(err, ErrSource) {
		t.Errorf("large module: got %v, want %v", err, ErrSource)
	}
	many := make(map[string]string)
	for i := range 1001 {
		many[strings.Repeat("x", i)+".rego"] = denyNothing
	}
	if _, err := CompileModules(t.Context(), many, nil, 0); !errors.Is(err, ErrSource) {
		t.Errorf("many modules: got %v, want %v", err, ErrSource)
	}
	data := map[string]any{"x": strings.Repeat("x", 9<<20)}
	if _, err := CompileModules(t.Context(), map[string]string{"a.rego": denyNothing}, data, 0); !errors.Is(err, ErrData) {
		t.Errorf("large data: got %v, want %v", err, ErrData)
	}
	if _, err := CompileModules(t.Context(), map[string]string{"a.rego": denyNothing}, nil, -1); err == nil {
		t.Error("negative timeout: got no error")
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{{"deny", "deny", 0}, {"denny", "deny", 1}, {"dney", "deny", 2}, {"", "warn", 4}, {"wran", "warn", 2}, {"allow", "deny", 5}}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, distance(tt.a, tt.b)); diff != "" {
			t.Errorf("distance(%q, %q) (-want +got):\n%s", tt.a, tt.b, diff)
		}
	}
}
