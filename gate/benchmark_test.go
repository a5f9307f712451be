// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
)

// BenchmarkJudge judges a chart of a registry that is in memory:
//
//	go test -run '^$' -bench Judge -benchmem ./gate
func BenchmarkJudge(b *testing.B) {
	folder := trustFolder(b)
	writeFile(b, filepath.Join(folder, "p.rego"), []byte("package chartsign\n\ndeny contains \"unsigned\" if count(input.signers) == 0\n"))
	plain, withRego := mustCompile(b, folder, rule([]string{signRelease, signBot})), mustCompile(b, folder, rule([]string{signRelease, signBot}, "policies: [p.rego]"))
	for _, tc := range []struct {
		name     string
		trust    *gate.Trust
		evidence []chartsign.Evidence
	}{
		{"prov", plain, []chartsign.Evidence{byRelease(b)}},
		{"bundle", plain, []chartsign.Evidence{manifestSigned(b, noBundleOptions)}},
		{"bundle+policy", withRego, []chartsign.Evidence{manifestSigned(b, noBundleOptions)}},
	} {
		b.Run(tc.name, func(b *testing.B) {
			s := remote(b, tc.evidence...)
			for b.Loop() {
				if got := tc.trust.Judge(b.Context(), request(s)); got.Verdict != gate.Allowed {
					b.Fatal(got.Reason)
				}
			}
		})
	}
}

// BenchmarkMatch finds the last of many rules.
func BenchmarkMatch(b *testing.B) {
	text := header + "rules:\n"
	for i := range 200 {
		text += fmt.Sprintf("- {name: r%d, match: [\"oci://registry.example/team%d/**\"], signers: [%s]}\n", i, i, signRelease)
	}
	trust := mustCompile(b, trustFolder(b), text)
	s := remote(b)
	s.subject.Reference = reference(b, "oci://registry.example/nobody/guestbook:1.4.2")
	for b.Loop() {
		if got := trust.Judge(b.Context(), request(s)); got.Verdict != gate.Denied {
			b.Fatal(got.Reason)
		}
	}
}
