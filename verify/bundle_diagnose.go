// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"time"

	sigverify "github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/chartsign/chartsign"
)

// diagnose finds out which step a bundle failed at. It runs only after the verification as
// a whole has failed with cause, and can only choose the reason: never the outcome.
func diagnose(parsed *parsedBundle, artifact chartsign.Digest, material keyMaterial, cause error) *chartsign.Reason {
	if len(parsed.entries) > 0 {
		if _, err := sigverify.VerifyTlogEntry(parsed, material, 1, true); err != nil {
			return chartsign.Reasonf(ReasonLogEntryInvalid, "the log entry proves nothing about this signature: %w", err)
		}
	}
	at, reason := trustedTimes(parsed, material)
	leaf := parsed.content.Certificate()
	if leaf == nil && len(parsed.times) == 0 {
		at, reason = nil, nil // a key needs no time
	}
	if reason != nil {
		return reason
	}
	for _, t := range at {
		chains, err := sigverify.VerifyLeafCertificate(t, leaf, material)
		if err != nil {
			return chartsign.Reasonf(ReasonCertificateInvalid, "the certificate has no chain to a trusted authority at %s: %w", t.UTC().Format(time.RFC3339), err)
		}
		if err := sigverify.VerifySignedCertificateTimestamp(chains, 1, material); err != nil {
			return chartsign.Reasonf(ReasonSCTInvalid, "the certificate is in no trusted certificate transparency log: %w", err)
		}
	}
	digests := []sigverify.ArtifactDigest{{Algorithm: "sha256", Digest: artifact[:]}}
	if err := sigverify.VerifySignatureWithArtifactDigests(parsed.signature, parsed.content, material, digests); err != nil {
		return chartsign.Reasonf(ReasonSignatureInvalid, "the signature does not fit the content and the certificate: %w", err)
	}
	return chartsign.Reasonf(ReasonBundleMalformed, "the bundle: %w", cause)
}

// trustedTimes returns the times over the signature that the material vouches for.
func trustedTimes(parsed *parsedBundle, material keyMaterial) ([]time.Time, *chartsign.Reason) {
	var at []time.Time
	stamps, failures, err := sigverify.VerifySignedTimestamp(parsed, material)
	if err != nil {
		return nil, chartsign.Reasonf(ReasonTimestampInvalid, "the timestamps: %w", err)
	}
	for _, stamp := range stamps {
		at = append(at, stamp.Time)
	}
	if len(parsed.entries) > 0 {
		integrated, err := sigverify.VerifyTlogEntry(parsed, material, 1, true)
		if err == nil {
			for _, stamp := range integrated {
				at = append(at, stamp.Time)
			}
		}
	}
	switch {
	case len(at) > 0:
		return at, nil
	case len(failures) > 0:
		return nil, chartsign.Reasonf(ReasonTimestampInvalid, "the timestamp proves nothing about this signature: %w", failures[0])
	default:
		return nil, chartsign.Reasonf(ReasonTimestampMissing, "the bundle has no time that the trusted root vouches for")
	}
}
