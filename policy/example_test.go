// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"context"
	"fmt"
	"time"

	"github.com/chartsign/chartsign/policy"
)

// A policy is compiled once and decides about many charts.
func Example() {
	ctx := context.Background()
	p, err := policy.Compile(ctx, policy.Options{Sources: []string{"../testdata/policies/release"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, version := range []string{"15.1.0", "14.9.9", "latest"} {
		decision, err := p.Evaluate(ctx, policy.Input{
			Name:    "nginx",
			Version: version,
			Signers: []policy.Signer{{Identity: policy.Identity{Name: "release-bot", Kind: "pgp"}}},
			Chart:   map[string]any{"maintainers": []any{"a"}},
			Time:    time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(version, decision.Allowed())
		for _, denial := range decision.Denials() {
			fmt.Println("  "+denial.Rule+":", denial.Message)
		}
	}
	// Output:
	// 15.1.0 true
	// 14.9.9 false
	//   min-version: nginx 14.9.9 is older than 15.0.0
	// latest false
	//   policy-error: ../testdata/policies/release/lib/versions.rego:10: eval_builtin_error: semver.compare: operand 1: string "latest" is not a valid SemVer
}

// Modules that are in memory need no files. What no policy denies is allowed.
func ExampleCompileModules() {
	ctx := context.Background()
	p, err := policy.CompileModules(ctx, map[string]string{"own.rego": `package chartsign

deny contains {"rule": "own-charts", "msg": "not one of ours"} if {
	not startswith(input.name, "acme-")
}`}, nil, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	decision, err := p.Evaluate(ctx, policy.Input{Name: "nginx", Time: time.Unix(0, 0)})
	fmt.Println(decision.Allowed(), decision.Denials(), err)
	// Output: false [{own-charts not one of ours }] <nil>
}
