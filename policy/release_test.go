// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/tester"
)

// The policy of the demo, through the same loader as everybody's.
func TestReleasePolicy(t *testing.T) {
	p, err := Compile(t.Context(), Options{Sources: []string{"../testdata/policies/release"}})
	if err != nil {
		t.Fatal(err)
	}
	bot := Signer{Identity: Identity{Name: "release-bot", Kind: "keyless"}, Logged: true}
	good := Input{
		Name: "nginx", Version: "15.1.0", Signers: []Signer{bot}, Time: testTime,
		Chart: map[string]any{"maintainers": []any{map[string]any{"name": "a"}}}, Context: Context{Namespace: "production"},
	}
	tests := []struct {
		name     string
		change   func(*Input)
		denials  []string
		warnings []string
	}{
		{"good", func(*Input) {}, nil, nil},
		{"unsigned", func(in *Input) { in.Signers = nil }, []string{"release-signer"}, nil},
		{"signed by somebody else", func(in *Input) { in.Signers = []Signer{{Identity: Identity{Name: "intern"}}} }, []string{"release-signer"}, nil},
		{"not logged", func(in *Input) { in.Signers = []Signer{{Identity: bot.Identity}} }, []string{"keyless-logged"}, nil},
		{"old", func(in *Input) { in.Version = "14.9.9" }, []string{"min-version"}, nil},
		{"old with a v", func(in *Input) { in.Version = "v14.9.9" }, []string{"min-version"}, nil},
		{"no version", func(in *Input) { in.Version = "latest" }, []string{RuleError}, nil},
		{"pre-release in production", func(in *Input) { in.Version = "16.0.0-rc.1" }, []string{"no-prerelease"}, nil},
		{"build metadata with a hyphen", func(in *Input) { in.Version = "16.0.0+a-b" }, nil, nil},
		{"pre-release elsewhere", func(in *Input) { in.Version, in.Context.Namespace = "16.0.0-rc.1", "dev" }, nil, nil},
		{"pre-release that is listed", func(in *Input) { in.Name, in.Version = "canary", "1.0.0-rc.1" }, nil, nil},
		{"deprecated without maintainers", func(in *Input) { in.Chart = map[string]any{"deprecated": true} }, nil, []string{"deprecated", "no-maintainers"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := good
			tt.change(&in)
			d, err := p.Evaluate(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.denials, rulesOf(d.Denials())); diff != "" || d.Allowed() != (len(tt.denials) == 0) {
				t.Errorf("allowed %v, denials (-want +got):\n%s", d.Allowed(), diff)
			}
			if diff := cmp.Diff(tt.warnings, rulesOf(d.Warnings())); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func rulesOf(findings []Finding) []string {
	var rules []string
	for _, f := range findings {
		rules = append(rules, f.Rule)
	}
	return rules
}

// The tests in Rego beside that policy pass in OPA's own runner.
func TestReleasePolicyInRego(t *testing.T) {
	modules, store, err := tester.Load([]string{"../testdata/policies/release"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	txn, err := store.NewTransaction(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	results, err := tester.NewRunner().SetStore(store).SetModules(modules).SetTimeout(10*time.Second).RunTests(t.Context(), txn)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for result := range results {
		if count++; !result.Pass() {
			t.Errorf("%s: got %v, want it to pass", result.Name, result)
		}
	}
	if count != 4 {
		t.Errorf("got %d tests, want 4", count)
	}
}
