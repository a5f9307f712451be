// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"flag"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

var update = flag.Bool("update", false, "write golden files")

// Replacing a function by a forbidden one was not seen by OPA's list of unsafe functions.
// Both guards are tried alone: the check that gives the reason, and the capabilities.
func TestCVE_2022_36085_WithBypass(t *testing.T) {
	rules := []string{
		"_f(x) := x\ndeny contains x if { x := _f({\"method\": \"get\", \"url\": \"http://127.0.0.1:1/\"}) with _f as http.send }",
		"deny contains x if { x := count([1]) with count as opa.runtime }",
		"deny contains x if { x := count({\"url\": \"\"}) with count as http.send }",
		"deny contains \"x\" if { count(input.signers) == 0 with count as net.lookup_ip_addr }",
		"deny contains \"x\" if { _g with count as http.send }\n_g if count([]) == 0",
		"deny contains \"x\" if { http.send({}) with http.send as count }",
		"deny contains \"x\" if { every x in [1] { count(x) == 1 with count as http.send } }",
		"deny contains [x | x := count(\"\") with count as http.send]",
	}
	for _, rule := range rules {
		text := "package chartsign\n" + rule
		_, err := CompileModules(t.Context(), map[string]string{"a.rego": text}, nil, 0)
		if !errors.Is(err, ErrForbiddenBuiltin) {
			t.Errorf("%s: got %v, want %v", rule, err, ErrForbiddenBuiltin)
		}
		tree, err := ast.ParseModuleWithOpts("a.rego", text, ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := compile(map[string]*ast.Module{"a.rego": tree}); !errors.Is(err, ErrCompile) {
			t.Errorf("%s: capabilities alone: got %v, want %v", rule, err, ErrCompile)
		}
	}
}

// A path that is a URL or on a server must never be asked for: on Windows that alone sends
// the credentials of the user.
func TestCVE_2024_8260_PathsOfServers(t *testing.T) {
	for _, name := range []string{
		`\\server\share\policy`, `\\server\share\a.rego`, "//server/share/a.rego", `\\?\UNC\server\share`,
		"file://server/share/a.rego", "file:///etc/passwd", "FILE:a.rego", "http://127.0.0.1/a.rego",
		"oci://registry.example/policy", `file:\\server\share\a.rego`, "a.rego\x00.txt",
	} {
		_, err := Compile(t.Context(), Options{Sources: []string{name}})
		if !errors.Is(err, ErrSource) || !strings.Contains(err.Error(), "want") {
			t.Errorf("Sources %q: got %v, want %v by the check of names", name, err, ErrSource)
		}
		_, err = Compile(t.Context(), Options{Sources: []string{"../testdata/policies/deny-all"}, Data: []string{name + ".json"}})
		if !errors.Is(err, ErrSource) || !strings.Contains(err.Error(), "want") {
			t.Errorf("Data %q: got %v, want %v by the check of names", name, err, ErrSource)
		}
	}
}

// Text from outside must not become part of a query, whatever it says.
func TestCVE_2025_46569_QueryInjection(t *testing.T) {
	evil := []string{
		"deny\"; true", "deny[x] { true }", "data.chartsign.deny == set()", "\n}\nallow", "x\"]; deny = set() #", "../../data",
	}
	for _, text := range evil {
		p := mustCompile(t, map[string]string{text + ".rego": "package chartsign\ndeny contains input.name"}, map[string]any{text: text})
		d, err := p.Evaluate(t.Context(), Input{
			Name: text, Version: text, Reference: Reference{Repository: text},
			Chart: map[string]any{text: text}, Context: Context{Operation: text, File: text}, Time: testTime,
		})
		want := []Finding{{Rule: "deny", Message: text}}
		if diff := cmp.Diff(want, d.Denials()); diff != "" || err != nil || d.Allowed() {
			t.Errorf("%q: allowed %v, %v (-want +got):\n%s", text, d.Allowed(), err, diff)
		}
	}
}

// Crafted policies crashed the parser or the compiler. Here they end in an error, or
// compile, but never panic.
func TestCVE_2022_33082_CraftedPolicies(t *testing.T) {
	const depth = 60_000
	policies := map[string]string{
		"deep array":      "deny contains " + strings.Repeat("[", depth) + "1" + strings.Repeat("]", depth),
		"open array":      "deny contains " + strings.Repeat("[", 4*depth),
		"deep object":     "deny contains " + strings.Repeat("{1:", depth/2) + "1" + strings.Repeat("}", depth/2),
		"deep call":       "deny contains " + strings.Repeat("f(", depth) + "1" + strings.Repeat(")", depth),
		"comprehensions":  "deny contains " + strings.Repeat("[x | x := ", 2000) + "1" + strings.Repeat("]", 2000),
		"in each other":   "deny contains x if x := " + strings.Repeat("[", 25) + "1" + strings.Repeat(" | true]", 25),
		"in templates":    "deny contains x if x := " + strings.Repeat("[$\"{", 25) + "1" + strings.Repeat("}\" | true]", 25),
		"in with":         "deny contains \"x\" if input with input as " + strings.Repeat("{x | x := ", 25) + "1" + strings.Repeat("}", 25),
		"in keys":         "_f[" + strings.Repeat("{x | x := ", 25) + "1" + strings.Repeat("}", 25) + "] := 1\ndeny contains 1",
		"else":            "deny contains \"x\" if _f\n_f := 1 if false" + strings.Repeat(" else := 1 if false", 9000),
		"every":           "deny contains \"x\" if { " + strings.Repeat("every x in [1] { ", 3000) + "true" + strings.Repeat("}", 3000) + "}",
		"minus":           "deny contains " + strings.Repeat("-", depth) + "1",
		"with a call":     "_g(x) := x\ndeny contains \"x\" if input.name == 1 with input as _g(1)",
		"every in every":  "_f(x) := x\ndeny contains \"x\" if every p in [_f(1), 2/2] { every q in [p] { q == 1 } }",
		"key of object":   "deny contains \"x\" if {[y | y := 1]: 2}[_] == 2",
		"open template":   "deny contains $\"{",
		"quotes":          strings.Repeat("\"", 9999),
		"bytes":           "\x00\xff\xfe deny contains 1",
		"with of with":    "deny contains \"x\" if input with input as data with data as input",
		"package in body": "deny contains \"x\" if { package chartsign }",
		"metadata":        "# METADATA\n# custom: [\ndeny contains \"x\"",
	}
	for name, rule := range policies {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			p, err := CompileModules(t.Context(), map[string]string{"a.rego": "package chartsign\n" + rule}, nil, 0)
			if got := time.Since(start); got > 10*time.Second {
				t.Errorf("took %s, want less than a second", got)
			}
			var e *Error
			if (err == nil) != (p != nil) || (err != nil && !errors.As(err, &e)) {
				t.Fatalf("got %v, %v, want a policy or an *Error", p, err)
			}
			if err != nil && strings.Contains(err.Error(), "panicked") {
				t.Errorf("OPA panicked: %.200s", err)
			}
			if p != nil {
				if _, err := p.Evaluate(t.Context(), Input{Time: testTime}); err != nil {
					t.Errorf("Evaluate: got %v, want a decision", err)
				}
			}
		})
	}
}

// Should OPA panic all the same, compiling fails and evaluating denies.
func TestPanicsFailClosed(t *testing.T) {
	err := guard(func() error { panic("crafted") })
	if !errors.Is(err, ErrCompile) {
		t.Errorf("guard: got %v, want %v", err, ErrCompile)
	}
	p := mustCompile(t, map[string]string{"a.rego": denyNothing}, nil)
	p.query = &rego.PreparedEvalQuery{} // dereferences nil
	d, err := p.Evaluate(t.Context(), Input{Time: testTime})
	if err != nil || d.Allowed() || len(d.Denials()) != 1 || d.Denials()[0].Rule != RuleError {
		t.Errorf("Evaluate: got %v, %v, want one denial by %s", d.Denials(), err, RuleError)
	}
}

// A schema in an annotation may refer to a URL, which OPA would fetch while it compiles.
func TestAnnotationsOpenNoConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		if conn, err := listener.Accept(); err == nil {
			_ = conn.Close()
			t.Error("got a connection, want none")
		}
	}()
	text := `package chartsign

# METADATA
# schemas:
#   - input: {$ref: "http://` + listener.Addr().String() + `/schema"}
deny contains "x" if input.name == "x"`
	_, err = CompileModules(t.Context(), map[string]string{"a.rego": text}, nil, 0)
	if err != nil {
		t.Errorf("got %v, want the annotation left alone", err)
	}
	_ = listener.Close()
	<-accepted
}

// The list of functions is reviewed by a person whenever OPA changes it.
func TestCapabilitiesGolden(t *testing.T) {
	var b strings.Builder
	for _, builtin := range capabilities().Builtins {
		b.WriteString(builtin.Name + "\n")
		if builtin.Nondeterministic {
			t.Errorf("%s: got a nondeterministic function", builtin.Name)
		}
	}
	const golden = "testdata/builtins.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("functions (-want +got), review them and run with -update:\n%s", diff)
	}
	for _, name := range forbidden {
		if strings.Contains(b.String(), name+"\n") && !strings.Contains(b.String(), "_"+name) {
			t.Errorf("got %s, want it forbidden", name)
		}
		if ast.BuiltinMap[name] == nil {
			t.Errorf("%s: OPA has no such function, want none that is out of date", name)
		}
	}
}

func TestNondeterministicIsForbidden(t *testing.T) {
	if !isForbidden(&ast.Builtin{Name: "not.in.our.list", Nondeterministic: true}) {
		t.Error("got it allowed, want it forbidden: OPA may add such functions")
	}
}

func TestCapabilitiesAreThoseOfV1(t *testing.T) {
	caps := capabilities()
	if caps.ContainsFeature(ast.FeatureRegoV2) || caps.ContainsFeature(ast.FeatureRegoV2Import) || len(caps.FutureKeywords) != 0 {
		t.Errorf("got features %v and keywords %v, want nothing of a later Rego", caps.Features, caps.FutureKeywords)
	}
	if caps.AllowNet == nil {
		t.Error("got allow_net absent, which means any host, want it empty")
	}
}

// A function that a program adds to OPA is not available to policies.
func TestRegisteredFunctionsAreForbidden(t *testing.T) {
	saved := ast.Builtins
	t.Cleanup(func() { ast.Builtins = saved })
	ast.Builtins = append(slices.Clip(saved), &ast.Builtin{Name: "own.fetch", Decl: ast.Count.Decl})
	for _, builtin := range capabilities().Builtins {
		if builtin.Name == "own.fetch" {
			t.Error("got own.fetch, want only functions of OPA itself")
		}
	}
}
