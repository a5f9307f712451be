// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	rekorv1 "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	sigverify "github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"google.golang.org/protobuf/proto"
	sigsjson "sigs.k8s.io/json"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/transparency"
)

// checkEntries refuses log entries whose parts do not belong together or to this bundle. The
// library compares only those parts that it needs itself: of a Rekor v2 entry it ignores the
// body, and it never looks at kind and version.
func (p *parsedBundle) checkEntries(material root.TrustedMaterial) *chartsign.Reason {
	for i, entry := range p.entries {
		if err := p.checkEntry(entry, material); err != nil {
			return chartsign.Reasonf(ReasonLogEntryInvalid, "log entry %d: %w", i+1, err)
		}
	}
	return nil
}

func (p *parsedBundle) checkEntry(entry *tlog.Entry, material root.TrustedMaterial) error {
	if err := checkKind(entry.TransparencyLogEntry()); err != nil {
		return err
	}
	if !bytes.Equal(entry.Signature(), p.signature.Signature()) {
		return errors.New("it records another signature than the bundle's")
	}
	if !p.content.CompareKey(entry.PublicKey(), material) {
		return errors.New("it records another key or certificate than the bundle's")
	}
	if entry.IsRekorV2() {
		if err := p.checkRecordedDigest(entry); err != nil {
			return err
		}
	}
	return checkProof(entry)
}

// checkKind compares what an entry is said to be with what its body is.
func checkKind(entry *rekorv1.TransparencyLogEntry) error {
	body := make(map[string]any)
	strict, err := sigsjson.UnmarshalStrict(entry.GetCanonicalizedBody(), &body, sigsjson.DisallowDuplicateFields)
	if err = errors.Join(append(strict, err)...); err != nil {
		return fmt.Errorf("its body: %w", err)
	}
	if got := entry.GetKindVersion(); got.GetKind() != body["kind"] || got.GetVersion() != body["apiVersion"] {
		return fmt.Errorf("it is said to be %.40s/%.40s and is %.40v/%.40v", got.GetKind(), got.GetVersion(), body["kind"], body["apiVersion"])
	}
	return nil
}

// checkRecordedDigest compares the digest in a Rekor v2 body: that of the archive, or of the
// envelope's pre-authentication encoding.
func (p *parsedBundle) checkRecordedDigest(entry *tlog.Entry) error {
	recorded, algorithm, ok := entry.GetHashedRekordDigest()
	if !ok {
		return errors.New("it records no digest")
	}
	want, err := p.loggedDigest(algorithm)
	if err != nil {
		return err
	}
	if !bytes.Equal(recorded, want) {
		return fmt.Errorf("it records the digest %x: want %x", recorded, want)
	}
	return nil
}

func (p *parsedBundle) loggedDigest(algorithm string) ([]byte, error) {
	if message := p.signature.MessageSignatureContent(); message != nil {
		if message.DigestAlgorithm() != algorithm {
			return nil, fmt.Errorf("it records a digest of %.40s: want %s", algorithm, message.DigestAlgorithm())
		}
		return message.Digest(), nil
	}
	hashes := map[string]crypto.Hash{"SHA2_256": crypto.SHA256, "SHA2_384": crypto.SHA384, "SHA2_512": crypto.SHA512}
	hash, ok := hashes[algorithm]
	if !ok {
		return nil, fmt.Errorf("it records a digest of the unknown algorithm %.40s", algorithm)
	}
	envelope := p.signature.EnvelopeContent().RawEnvelope()
	payload, err := envelope.DecodeB64Payload()
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write(dsse.PAE(envelope.PayloadType, payload))
	return h.Sum(nil), nil
}

// checkProof compares the fields of an inclusion proof with each other, and requires that it
// is about these very bytes: of a Rekor v2 entry the library builds the body that there
// should be, and proves that. Whether the log has signed the checkpoint is its to say.
func checkProof(entry *tlog.Entry) error {
	if !entry.HasInclusionProof() {
		return nil
	}
	logged := entry.TransparencyLogEntry()
	claimed := logged.GetInclusionProof()
	checkpoint, err := transparency.ParseCheckpoint(claimed.GetCheckpoint().GetEnvelope())
	if err != nil {
		return err
	}
	index, size := claimed.GetLogIndex(), claimed.GetTreeSize()
	if index < 0 || size < 0 {
		return fmt.Errorf("its proof is of leaf %d in %d", index, size)
	}
	switch {
	case uint64(size) != checkpoint.Size:
		return fmt.Errorf("its proof is of a tree of %d leaves: the checkpoint has %d", size, checkpoint.Size)
	case !bytes.Equal(claimed.GetRootHash(), checkpoint.Root):
		return errors.New("its proof ends in another root than the checkpoint's")
	case entry.IsRekorV2() && index != entry.LogIndex():
		return fmt.Errorf("its proof is of leaf %d: the entry's index is %d", index, entry.LogIndex())
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(logged.GetCanonicalizedBody())
	return proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), checkpoint.Size, leaf, claimed.GetHashes(), checkpoint.Root)
}

// checkEachEntry requires that every entry verifies, not only one of them, and that its log
// was in service at the time of the signature. Where the log vouches for a time itself,
// that was compared before; else the other trusted times count, or now if there is none.
func (p *parsedBundle) checkEachEntry(material keyMaterial, stamps []sigverify.TimestampVerificationResult, now time.Time) *chartsign.Reason {
	at := []time.Time{now}
	if len(stamps) > 0 {
		at = nil
		for _, stamp := range stamps {
			at = append(at, stamp.Timestamp)
		}
	}
	for i, entry := range p.entries {
		if len(p.entries) > 1 && !p.verifiesAlone(i, material) {
			return chartsign.Reasonf(ReasonLogEntryInvalid, "log entry %d of %d proves nothing about this signature under the trusted root", i+1, len(p.entries))
		}
		log := material.RekorLogs()[hex.EncodeToString([]byte(entry.LogKeyID()))]
		if log == nil || !entry.HasInclusionPromise() && !slices.ContainsFunc(at, inService(log)) {
			return chartsign.Reasonf(ReasonLogEntryInvalid, "log entry %d: the log was not in service at the time of the signature", i+1)
		}
	}
	return nil
}

func inService(log *root.TransparencyLog) func(time.Time) bool {
	return func(t time.Time) bool {
		return !t.Before(log.ValidityPeriodStart) && (log.ValidityPeriodEnd.IsZero() || !t.After(log.ValidityPeriodEnd))
	}
}

// checkEachTime requires that every timestamp verifies, not only one of them. Where as many
// have verified as there are, nothing is left to check.
func (p *parsedBundle) checkEachTime(material keyMaterial, stamps []sigverify.TimestampVerificationResult) *chartsign.Reason {
	verified := 0
	for _, stamp := range stamps {
		if stamp.Type == "TimestampAuthority" {
			verified++
		}
	}
	if verified == len(p.times) {
		return nil
	}
	_, failures, err := sigverify.VerifySignedTimestamp(p, material)
	if err = errors.Join(append(failures, err)...); err != nil {
		return chartsign.Reasonf(ReasonTimestampInvalid, "a timestamp of the bundle proves nothing about this signature under the trusted root: %w", err)
	}
	return nil
}

func (p *parsedBundle) verifiesAlone(index int, material keyMaterial) bool {
	single, ok := proto.Clone(p.Bundle.Bundle).(*protobundle.Bundle)
	if !ok {
		return false
	}
	single.VerificationMaterial.TlogEntries = []*rekorv1.TransparencyLogEntry{single.GetVerificationMaterial().GetTlogEntries()[index]}
	bundle, err := newBundle(single)
	if err != nil {
		return false
	}
	_, err = sigverify.VerifyTlogEntry(bundle, material, 1, true)
	return err == nil
}

// describeEntry tells what a verified entry proves. Index and time of the entry itself are
// signed by the promise alone; without it the proof's index counts, and there is no time.
func describeEntry(entry *tlog.Entry) *LogEntry {
	claimed := entry.TransparencyLogEntry().GetInclusionProof()
	described := &LogEntry{Index: claimed.GetLogIndex()}
	if entry.HasInclusionPromise() {
		described.Index, described.Time = entry.LogIndex(), entry.IntegratedTime().UTC()
	}
	if checkpoint, err := transparency.ParseCheckpoint(claimed.GetCheckpoint().GetEnvelope()); err == nil {
		described.Origin = checkpoint.Origin
	}
	return described
}
