// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/policy"
	"github.com/chartsign/chartsign/verify"
)

// Verdict is the answer about one chart. The zero value is inconclusive.
type Verdict int

// The verdicts. Only Allowed means that the chart may be used.
const (
	// Inconclusive: something could not be looked at.
	Inconclusive Verdict = iota
	// Rejected: the evidence, or the chart itself, is not what it claims to be.
	Rejected
	// Unsigned: there is no evidence.
	Unsigned
	// Denied: the evidence is good, the policy says no; or no rule is about the chart.
	Denied
	// Allowed: enough named signers vouch for exactly this chart and the policy agrees.
	Allowed
)

// String returns the word that the report uses.
func (v Verdict) String() string {
	switch v {
	case Allowed:
		return "allowed"
	case Denied:
		return "denied"
	case Unsigned:
		return "unsigned"
	case Rejected:
		return "rejected"
	case Inconclusive:
		return "inconclusive"
	default:
		return "inconclusive"
	}
}

// Judgement is the answer about one chart and everything that led to it.
type Judgement struct {
	// Subject is what was judged; its Chart is nil if it could not be read.
	Subject chartsign.Subject
	Verdict Verdict
	// Enforced is false where the rule only warns: the verdict stays true, but need not stop
	// anybody.
	Enforced bool
	// Rule is the name of the trust rule that applied; empty if none did.
	Rule string
	// Reason says why the verdict is not Allowed; nil if it is.
	Reason *chartsign.Reason
	// Results are the judgements on each signature.
	Results []verify.Result
	// Denials and Warnings come from the policy; waived denials are among the warnings.
	Denials  []policy.Finding
	Warnings []policy.Finding
	// PolicyDigest and PolicySources are empty if no policy is named.
	PolicyDigest  string
	PolicySources []string
	// TrustDigest names the rule, its signers and the keys that were trusted.
	TrustDigest chartsign.Digest
	// Input is the document that the policy saw, as JSON; nil if none was asked.
	Input []byte
}

// Passes reports whether whoever asked may go on: the chart is allowed, or it is denied or
// unsigned and the rule only warns about that. The zero value does not pass.
func (j Judgement) Passes() bool {
	softened := !j.Enforced && (j.Verdict == Denied || j.Verdict == Unsigned)
	return j.Verdict == Allowed || softened
}

// Codes of reasons that belong to the judgement as a whole.
const (
	// ReasonNoRule: no rule of the trust policy matches the reference.
	ReasonNoRule chartsign.ReasonCode = "no-matching-rule"
	// ReasonNoEvidence: nothing that claims to speak for the chart was found.
	ReasonNoEvidence chartsign.ReasonCode = "no-evidence"
	// ReasonRequirementUnmet: good evidence, but by too few of the named signers.
	ReasonRequirementUnmet chartsign.ReasonCode = "requirement-unmet"
	// ReasonPolicyDenied: the policy says no.
	ReasonPolicyDenied chartsign.ReasonCode = "policy-denied"
)

// verdictOf says whether a failure to read a chart speaks against the chart, or only
// means that nobody could look.
func verdictOf(code chartsign.ReasonCode) Verdict {
	switch code {
	case chartsign.ReasonNotAChart, chartsign.ReasonChartTooLarge, chartsign.ReasonContentMismatch,
		chartsign.ReasonReferenceMismatch, verify.ReasonMetadataMismatch:
		return Rejected
	default:
		return Inconclusive
	}
}
