// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import "github.com/chartsign/chartsign"

// Matches reports, as nil or the reason against it, whether evidence is well formed and
// speaks about subject. It checks no signature and says nothing about who made it: it is
// for those who carry evidence, never for those who decide.
func Matches(subject chartsign.Subject, evidence chartsign.Evidence) *chartsign.Reason {
	if subject.Chart == nil || subject.Chart.Digest().IsZero() {
		return chartsign.Reasonf(ReasonEvidenceUnavailable, "nothing is known of the chart that the evidence is about")
	}
	switch evidence.Kind() {
	case chartsign.KindProvenance:
		message, reason := readClearsigned(evidence.Bytes(), false)
		if reason != nil {
			return reason
		}
		content, reason := readProvenance(message.plaintext)
		if reason != nil {
			return reason
		}
		_, reason = content.matches(subject.Chart, false)
		return reason
	case chartsign.KindBundle, chartsign.KindAttestation:
		parsed, reason := readBundle(evidence.Bytes())
		if reason != nil {
			return reason
		}
		_, reason = parsed.about(subject)
		return reason
	case chartsign.KindCosignLegacy:
		return chartsign.Reasonf(ReasonUnsupported, "signatures in cosign's older .sig layout are not carried")
	default:
		return chartsign.Reasonf(ReasonUnsupported, "evidence of kind %.40q is unknown", evidence.Kind())
	}
}

// BundleAnnotations returns what cosign and Artifact Hub expect as annotations of the
// referrer that carries a bundle: its form of content and its predicate type.
func BundleAnnotations(evidence chartsign.Evidence) (map[string]string, *chartsign.Reason) {
	parsed, reason := readBundle(evidence.Bytes())
	if reason != nil {
		return nil, reason
	}
	if parsed.statement == nil {
		return map[string]string{"dev.sigstore.bundle.content": "message-signature"}, nil
	}
	return map[string]string{
		"dev.sigstore.bundle.content":       "dsse-envelope",
		"dev.sigstore.bundle.predicateType": parsed.statement.PredicateType,
	}, nil
}
