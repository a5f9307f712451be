// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"time"

	sigverify "github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/chartsign/chartsign"
)

// verifyBundle judges a Sigstore bundle: what it is about, then who made it and when.
func (v *Verifier) verifyBundle(subject chartsign.Subject, result Result, now time.Time) Result {
	parsed, reason := readBundle(result.evidence.Bytes())
	if reason != nil {
		return result.fail(reason)
	}
	result = parsed.describe(result)
	artifact, reason := parsed.about(subject)
	if reason != nil {
		return result.fail(reason)
	}
	if reason := parsed.requireSignature(); reason != nil {
		return result.fail(reason)
	}
	if leaf := parsed.content.Certificate(); leaf != nil {
		return v.verifyCertificate(parsed, artifact, result, now)
	}
	return v.verifyKey(parsed, artifact, result, now)
}

// verifyCertificate judges a bundle that carries a short-lived certificate (keyless).
func (v *Verifier) verifyCertificate(parsed *parsedBundle, artifact chartsign.Digest, result Result, now time.Time) Result {
	var err error
	if result.identity, err = certificateIdentity(parsed.content.Certificate()); err != nil {
		return result.failf(ReasonCertificateInvalid, "the certificate names nobody: %w", err)
	}
	if !v.names(chartsign.IdentityKeyless) {
		return result.failf(ReasonSignerNotTrusted, "the bundle claims to be by %s: no signer is named by issuer and subject", result.identity)
	}
	trusted := v.root.Sigstore()
	if trusted == nil {
		return result.failf(ReasonNoTrustedRoot, "there is no trusted root to check the certificate of %s under", result.identity)
	}
	material := keyMaterial{TrustedMaterial: trusted}
	if len(parsed.times) == 0 && !parsed.HasInclusionPromise() {
		return result.failf(ReasonTimestampMissing, "the bundle has no trusted time: want an RFC 3161 timestamp or a log's signed entry timestamp")
	}
	// Sigstore client specification, 'Verification': log entry, time, certificate at that
	// time, certificate transparency, signature.
	options := []sigverify.VerifierOption{
		sigverify.WithSignedCertificateTimestamps(1), sigverify.WithObserverTimestamps(1), sigverify.WithoutStatementPredicate(),
	}
	if len(parsed.entries) > 0 {
		options = append(options, sigverify.WithTransparencyLog(1))
	}
	verified, reason := run(parsed, artifact, material, sigverify.WithoutIdentitiesUnsafe(), options, now)
	if reason != nil {
		return result.fail(reason)
	}
	// The identity is compared by accept, so that a foreign signer has a reason of its own.
	if verified.Signature == nil || verified.Signature.Certificate == nil {
		return result.failf(ReasonCertificateInvalid, "the signature was not made with the certificate")
	}
	return v.accept(parsed.complete(result, verified))
}

// run verifies the bundle under material for exactly this artifact. Everything that the
// bundle carries must be good: the library is content with one log entry and one time that
// are, and passes over the others.
func run(
	parsed *parsedBundle, artifact chartsign.Digest, material keyMaterial,
	who sigverify.PolicyOption, options []sigverify.VerifierOption, now time.Time,
) (*sigverify.VerificationResult, *chartsign.Reason) {
	if reason := parsed.checkEntries(material); reason != nil {
		return nil, reason
	}
	verifier, err := sigverify.NewVerifier(material, options...)
	if err != nil {
		return nil, chartsign.Reasonf(ReasonBundleMalformed, "the bundle: %w", err)
	}
	verified, err := verifier.Verify(parsed, sigverify.NewPolicy(sigverify.WithArtifactDigest("sha256", artifact[:]), who))
	if err != nil {
		return nil, diagnose(parsed, artifact, material, err)
	}
	if reason := parsed.checkEachTime(material, verified.VerifiedTimestamps); reason != nil {
		return nil, reason
	}
	return verified, parsed.checkEachEntry(material, verified.VerifiedTimestamps, now)
}

// names reports whether any signer is named by an identity of the kind.
func (v *Verifier) names(kind chartsign.IdentityKind) bool {
	for _, p := range v.parties {
		switch kind {
		case chartsign.IdentityPGP:
			if len(p.PGP) > 0 {
				return true
			}
		case chartsign.IdentityKeyless:
			if len(p.Keyless) > 0 {
				return true
			}
		case chartsign.IdentityKey:
			if len(p.Keys) > 0 {
				return true
			}
		}
	}
	return false
}

// complete adds what was verified about time and log.
func (p *parsedBundle) complete(result Result, verified *sigverify.VerificationResult) Result {
	for _, stamp := range verified.VerifiedTimestamps {
		kind := "timestamp-authority"
		if stamp.Type == "Tlog" {
			kind = "log"
		}
		result.timestamps = append(result.timestamps, Timestamp{Kind: kind, Source: stamp.URI, Time: stamp.Timestamp.UTC()})
		if at := stamp.Timestamp.UTC(); result.signedAt.IsZero() || at.Before(result.signedAt) {
			result.signedAt = at
		}
	}
	if len(p.entries) > 0 {
		result.log = describeEntry(p.entries[0])
	}
	return result
}

// describe sets what the bundle claims to be; none of it decides anything.
func (p *parsedBundle) describe(result Result) Result {
	result.kind, result.binds = chartsign.KindBundle, BindsLayer
	if p.statement != nil {
		result.binds, result.predicateType = BindsManifest, p.statement.PredicateType
		if p.statement.PredicateType != predicateSignature {
			result.kind = chartsign.KindAttestation
		}
	}
	return result
}
