// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"encoding/hex"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	rekorv1 "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	sigbundle "github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	sigverify "github.com/sigstore/sigstore-go/pkg/verify"
	"google.golang.org/protobuf/proto"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/transparency"
)

// diagnose finds out which step a bundle failed at. It runs only after the verification as
// a whole has failed with cause, and can only choose the reason: never the outcome.
func diagnose(parsed *parsedBundle, artifact chartsign.Digest, material sigMaterial, cause error) *chartsign.Reason {
	if len(parsed.entries) > 0 {
		if _, err := sigverify.VerifyTlogEntry(parsed, material, 1, true); err != nil {
			return chartsign.Reasonf(ReasonLogEntryInvalid, "the log entry proves nothing about this signature: %w", err)
		}
	}
	at, reason := trustedTimes(parsed, material)
	if reason != nil {
		return reason
	}
	leaf := parsed.content.Certificate()
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
func trustedTimes(parsed *parsedBundle, material sigMaterial) ([]time.Time, *chartsign.Reason) {
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

// verifiedEntry returns the first log entry that verifies by itself. The bundle as a whole
// has been verified before, so that there is at least one if it has entries.
func (p *parsedBundle) verifiedEntry(material sigMaterial) *LogEntry {
	for i, entry := range p.entries {
		if _, known := material.RekorLogs()[hex.EncodeToString([]byte(entry.LogKeyID()))]; !known {
			continue
		}
		if len(p.entries) == 1 || p.verifiesAlone(i, material) {
			return describeEntry(entry)
		}
	}
	return nil
}

func (p *parsedBundle) verifiesAlone(index int, material sigMaterial) bool {
	single, ok := proto.Clone(p.Bundle.Bundle).(*protobundle.Bundle)
	if !ok {
		return false
	}
	single.VerificationMaterial.TlogEntries = []*rekorv1.TransparencyLogEntry{single.GetVerificationMaterial().GetTlogEntries()[index]}
	bundle, err := sigbundle.NewBundle(single)
	if err != nil {
		return false
	}
	_, err = sigverify.VerifyTlogEntry(bundle, material, 1, true)
	return err == nil
}

func describeEntry(entry *tlog.Entry) *LogEntry {
	described := &LogEntry{Index: entry.LogIndex(), Time: logTime(entry.IntegratedTime())}
	proof := entry.TransparencyLogEntry().GetInclusionProof()
	if checkpoint, err := transparency.ParseCheckpoint(proof.GetCheckpoint().GetEnvelope()); err == nil {
		described.Origin = checkpoint.Origin
	}
	return described
}
