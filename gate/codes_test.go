// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
)

// TestCodesAreDocumented: docs/spec/reasons.md has the codes of judgements, each with the
// verdict that it comes with, and no others.
func TestCodesAreDocumented(t *testing.T) {
	want := map[string]chartsign.ReasonCode{
		"denied " + string(gate.ReasonNoRule):             gate.ReasonNoRule,
		"unsigned " + string(gate.ReasonNoEvidence):       gate.ReasonNoEvidence,
		"rejected " + string(gate.ReasonRequirementUnmet): gate.ReasonRequirementUnmet,
		"denied " + string(gate.ReasonPolicyDenied):       gate.ReasonPolicyDenied,
	}
	_, section, found := strings.Cut(string(readFile(t, "../docs/spec/reasons.md")), "## About the judgement as a whole")
	if !found {
		t.Fatal("docs/spec/reasons.md has no section about the judgement as a whole")
	}
	rows := regexp.MustCompile("(?m)^\\| (denied|unsigned|rejected|inconclusive) \\| `([a-z-]+)` \\| .+ \\| .+ \\|$").FindAllStringSubmatch(section, -1)
	for _, row := range rows {
		if _, ok := want[row[1]+" "+row[2]]; !ok {
			t.Errorf("%s with %s is documented and does not exist", row[2], row[1])
		}
		delete(want, row[1]+" "+row[2])
	}
	for missing := range want {
		t.Errorf("not documented: %s", missing)
	}
	// The same codes are what this package declares.
	declared := regexp.MustCompile(`chartsign\.ReasonCode = "([a-z-]+)"`).FindAllStringSubmatch(string(readFile(t, "judgement.go")), -1)
	if len(declared) != len(rows) {
		t.Errorf("got %d codes declared and %d documented", len(declared), len(rows))
	}
}
