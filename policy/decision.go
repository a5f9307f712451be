// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import "slices"

// The rules of denials that the policy did not make, but that stand for a policy which came
// to no decision. They must never be waived.
const (
	// RuleError: the evaluation failed, or a result is not of the form that it must have.
	RuleError = "policy-error"
	// RuleTimeout: the evaluation missed its deadline.
	RuleTimeout = "policy-timeout"
	// RuleUndefined: the evaluation ended without a result.
	RuleUndefined = "policy-undefined"
)

// Finding is one denial or warning. Its texts come from the policy, and may quote the chart.
type Finding struct {
	Rule     string `json:"rule"`
	Message  string `json:"message"`
	Solution string `json:"solution,omitempty"`
}

// Decision is what a Policy decided about one input. Only Policy.Evaluate mints one that
// allows; the zero Decision does not.
type Decision struct {
	allowed  bool
	denials  []Finding
	warnings []Finding
	digest   string
	sources  []string
}

// Allowed reports whether the policy was evaluated to the end and denied nothing.
func (d Decision) Allowed() bool { return d.allowed && len(d.denials) == 0 }

// Denials returns why the chart is denied, sorted; at least one unless Allowed or zero.
func (d Decision) Denials() []Finding { return slices.Clone(d.denials) }

// Warnings returns what the policy warns of, sorted.
func (d Decision) Warnings() []Finding { return slices.Clone(d.warnings) }

// PolicyDigest returns the digest of the policy that decided; see Policy.Digest.
func (d Decision) PolicyDigest() string { return d.digest }

// Sources returns the sources of the policy that decided; see Policy.Sources.
func (d Decision) Sources() []string { return slices.Clone(d.sources) }
