// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"
	"testing"
)

// benchmarkModule has n rules of the usual kind: one comparison that an index can use.
func benchmarkModule(n int) map[string]string {
	var b strings.Builder
	b.WriteString("package chartsign\n")
	for i := range n {
		fmt.Fprintf(&b, "deny contains {\"rule\": \"r%d\", \"msg\": sprintf(\"%%s is banned\", [input.name])} if input.name == \"chart-%d\"\n", i, i)
	}
	return map[string]string{"bench.rego": b.String()}
}

// go test -run '^$' -bench . ./policy
func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{10, 50, 200} {
		b.Run(fmt.Sprintf("%drules", n), func(b *testing.B) {
			p := mustCompile(b, benchmarkModule(n), nil)
			in := Input{Name: "chart-7", Version: "1.2.3", Signers: []Signer{{Identity: Identity{Name: "a"}}}, Time: testTime}
			b.ReportAllocs()
			for b.Loop() {
				if d, err := p.Evaluate(b.Context(), in); err != nil || d.Allowed() {
					b.Fatal(d, err)
				}
			}
		})
	}
}

func BenchmarkEvaluateRelease(b *testing.B) {
	p, err := Compile(b.Context(), Options{Sources: []string{"../testdata/policies/release"}})
	if err != nil {
		b.Fatal(err)
	}
	in := Input{Name: "nginx", Version: "15.2.3", Signers: []Signer{{Identity: Identity{Name: "release-bot", Kind: "pgp"}}}, Time: testTime}
	b.ReportAllocs()
	for b.Loop() {
		if d, err := p.Evaluate(b.Context(), in); err != nil || !d.Allowed() {
			b.Fatal(d.Denials(), err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{10, 50, 200} {
		b.Run(fmt.Sprintf("%drules", n), func(b *testing.B) {
			modules := benchmarkModule(n)
			b.ReportAllocs()
			for b.Loop() {
				mustCompile(b, modules, nil)
			}
		})
	}
}
