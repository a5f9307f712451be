// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/keys"
)

// Options adjust a Verifier. The zero value is strict.
type Options struct {
	// HelmCompat accepts what honest .prov files of older tools need: text around the
	// signed message, and signed metadata that differs from the chart's in other fields
	// than name and version. Each Result says what was relaxed.
	HelmCompat bool
}

// Verifier judges evidence under one trust root for one list of signers. It is immutable
// and safe for concurrent use.
type Verifier struct {
	root    *keys.TrustRoot
	parties []party
	options Options
}

// New returns a Verifier. Signers must have distinct names and name at least one key or
// identity each; at least one signer is needed (ErrSigner).
func New(root *keys.TrustRoot, signers []Signer, opts Options) (*Verifier, error) {
	parties, err := compileSigners(signers)
	if err != nil {
		return nil, err
	}
	if root == nil || len(parties) == 0 {
		return nil, ErrSigner
	}
	return &Verifier{root: root, parties: parties, options: opts}, nil
}

// Verify judges one piece of evidence about subject at the time now and returns a Result
// for each signature that it carries: at least one.
func (v *Verifier) Verify(subject chartsign.Subject, evidence chartsign.Evidence, now time.Time) (results []Result) {
	result := Result{evidence: evidence, kind: evidence.Kind(), binds: BindsLayer}
	if problem := evidence.Problem(); problem != nil {
		return []Result{result.failf(ReasonEvidenceUnavailable, "the evidence could not be read: %w", problem)}
	}
	if subject.Chart == nil || subject.Chart.Digest().IsZero() {
		return []Result{result.failf(ReasonEvidenceUnavailable, "nothing is known of the chart that the evidence is about")}
	}
	defer func() {
		if cause := recover(); cause != nil {
			results = []Result{result.failf(malformedCode(evidence.Kind()), "the evidence made a reader stumble: %v", cause)}
		}
	}()
	switch evidence.Kind() {
	case chartsign.KindProvenance:
		return v.verifyProvenance(subject, result, now)
	case chartsign.KindBundle, chartsign.KindAttestation:
		return []Result{v.verifyBundle(subject, result, now)}
	case chartsign.KindCosignLegacy:
		return []Result{result.failf(ReasonUnsupported, "signatures in cosign's older .sig layout are not judged")}
	default:
		return []Result{result.failf(ReasonUnsupported, "evidence of kind %.40q is not judged", evidence.Kind())}
	}
}

// malformedCode is the last net below the libraries that parse evidence: what makes them
// panic is not genuine.
func malformedCode(kind chartsign.EvidenceKind) chartsign.ReasonCode {
	if kind == chartsign.KindProvenance {
		return ReasonProvMalformed
	}
	return ReasonBundleMalformed
}

// accept closes a result whose evidence is genuine: verified if a named signer made it.
func (v *Verifier) accept(result Result) Result {
	logged := result.log != nil
	for _, p := range v.parties {
		if p.fits(result.identity, logged) {
			result.signers = append(result.signers, p.Name)
		}
	}
	if len(result.signers) > 0 {
		result.outcome, result.reason = Verified, nil
		return result
	}
	for _, p := range v.parties {
		if !logged && p.fits(result.identity, true) {
			return result.failf(ReasonLogEntryMissing, "signer %q must be in a transparency log: got no log entry for the signature of %s", p.Name, result.identity)
		}
	}
	return result.failf(ReasonSignerNotTrusted, "the signature is by %s, which is none of the named signers", result.identity)
}
