// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package limits

import "time"

// The caps of package policy, in bytes unless the name says otherwise. OPA itself bounds
// neither memory nor time.
const (
	// PolicyModule bounds one Rego module. Written by people, the largest public ones are
	// below 100 KiB.
	PolicyModule int64 = 256 << 10
	// PolicyModules bounds the modules of one policy: compile time grows with them (38 ms
	// for 200 rules), and the largest public rule library has about 300.
	PolicyModules = 1000
	// PolicyNesting bounds terms within terms of a module, and else after else. People write
	// about 20 levels.
	PolicyNesting = 100
	// PolicyQueries bounds comprehensions, `every` and templates within each other. People write three;
	// each level makes OPA's compiler take 2.5 times as long: 1 ms for 6, hours for 25.
	PolicyQueries = 6
	// PolicyEntries bounds the directory entries looked at, so that a policy path that
	// points at / by mistake ends in an error and not in a walk through the whole disk.
	PolicyEntries = 20_000
	// PolicyData bounds each data document and all of them together: they are parsed once
	// and held in memory, at about ten times their size, as long as the policy lives.
	PolicyData int64 = 8 << 20
	// PolicyInput bounds the encoded input of one evaluation. Chart.yaml has at most 1 MiB;
	// the rest are predicates of attestations, of which an SBOM has some MiB.
	PolicyInput = 32 << 20
	// PolicyFindings bounds the denials and the warnings, each, that one evaluation reports;
	// SARIF consumers take 25,000 results for all charts of a run together.
	PolicyFindings = 1000
	// PolicyText bounds rule, message and solution of a finding: a message may quote the
	// chart, and the report is read by people.
	PolicyText = 4 << 10
	// PolicyTime is the deadline of one evaluation. Evaluations take microseconds; an
	// admission webhook answers within ten seconds and may judge several charts.
	PolicyTime = 2 * time.Second
)
