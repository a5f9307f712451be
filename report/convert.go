// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
)

func newResult(judgement gate.Judgement) Result {
	subject := judgement.Subject
	result := Result{
		Reference: Reference{Given: subject.Reference.Given, Resolved: subject.Resolved(), ManifestDigest: subject.Manifest.String()},
		Verdict:   judgement.Verdict.String(), Enforced: judgement.Enforced || !judgement.Passes(), Rule: judgement.Rule,
		Evidence: newEvidence(judgement), Denials: []Finding{}, Warnings: []Finding{},
		Trust: Trust{Digest: judgement.TrustDigest.String()}, Reason: newReason(judgement.Reason),
	}
	if chart := subject.Chart; chart != nil {
		result.Chart = &Chart{Name: chart.Name(), Version: chart.Version(), AppVersion: chart.AppVersion(), Digest: chart.Digest().String(), Size: chart.Size()}
	}
	if judgement.PolicyDigest != "" {
		result.Policy = &Policy{Digest: judgement.PolicyDigest, Sources: append([]string{}, judgement.PolicySources...)}
	}
	for _, finding := range judgement.Denials {
		result.Denials = append(result.Denials, Finding(finding))
	}
	for _, finding := range judgement.Warnings {
		result.Warnings = append(result.Warnings, Finding(finding))
	}
	return result
}

func newEvidence(judgement gate.Judgement) []Evidence {
	rows := []Evidence{}
	for _, result := range judgement.Results {
		evidence := result.Evidence()
		row := Evidence{
			Kind: string(result.Kind()), Source: string(evidence.Source()), Location: evidence.Location(), Digest: evidence.Digest().String(),
			Binds: string(result.Binds()), Verdict: result.Outcome().String(), SignedAt: timeOrNil(result.SignedAt()), Timestamps: []Timestamp{},
			PredicateType: result.PredicateType(), Relaxed: result.Relaxed(), Reason: newReason(result.Reason()),
		}
		if identity := result.Identity(); identity.ID() != "" {
			row.Signer = &Signer{Identity: identity}
			if names := result.Signers(); len(names) > 0 {
				row.Signer.Name = names[0]
			}
		}
		for _, stamp := range result.Timestamps() {
			row.Timestamps = append(row.Timestamps, Timestamp(stamp))
		}
		if entry := result.Log(); entry != nil {
			row.Log = &Log{Origin: entry.Origin, Index: entry.Index, Time: timeOrNil(entry.Time)}
		}
		rows = append(rows, row)
	}
	return rows
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func newReason(reason *chartsign.Reason) *Reason {
	if reason == nil {
		return nil
	}
	return &Reason{Code: string(reason.Code), Message: reason.Message}
}
