// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cyberphone/json-canonicalization/go/src/webpki.org/jsoncanonicalizer"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	rekornote "github.com/sigstore/rekor-tiles/v2/pkg/note"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/rekor/pkg/pki"
	"github.com/sigstore/rekor/pkg/types"
	_ "github.com/sigstore/rekor/pkg/types/dsse/v0.0.1"         // registers the entry type
	_ "github.com/sigstore/rekor/pkg/types/hashedrekord/v0.0.1" // registers the entry type
	"github.com/sigstore/rekor/pkg/util"
	"github.com/sigstore/sigstore/pkg/signature"
	formats "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// rekorLog is a log in which every entry has a tree of its own: proofs are real, and short.
type rekorLog struct {
	url     string
	origin  string
	version uint32
	id      []byte
	key     *ecdsa.PrivateKey
	next    atomic.Int64
}

const treeID = 42

func newRekorLog(tb testing.TB, base string, version uint32) *rekorLog {
	tb.Helper()
	parsed, err := url.Parse(base)
	if err != nil {
		tb.Fatal(err)
	}
	log := &rekorLog{url: base, origin: parsed.Hostname(), version: version, key: newKey(tb)}
	log.id = keyID(tb, log.key.Public())
	if version == 2 {
		log.id = noteKeyID(tb, log.origin, log.key.Public())
	}
	return log
}

// proposal is what a log entry speaks about.
type proposal struct {
	envelope    []byte // the DSSE envelope as JSON; nil for a message signature
	digest      []byte // of the content or, for an envelope, of its pre-authentication encoding
	signature   []byte
	verifierPEM []byte
	verifier    *rekortiles.Verifier
}

// v1Body returns the canonical body of a dsse/0.0.1 or hashedrekord/0.0.1 entry.
func v1Body(ctx context.Context, p proposal) (body []byte, kind string, err error) {
	props := types.ArtifactProperties{PublicKeyBytes: [][]byte{p.verifierPEM}, PKIFormat: string(pki.X509)}
	kind = "hashedrekord"
	if p.envelope != nil {
		kind, props.ArtifactBytes = "dsse", p.envelope
	} else {
		props.ArtifactHash, props.SignatureBytes = util.PrefixSHA(hex.EncodeToString(p.digest)), p.signature
	}
	proposed, err := types.NewProposedEntry(ctx, kind, "0.0.1", props)
	if err != nil {
		return nil, "", err
	}
	body, err = canonicalEntry(ctx, proposed)
	return body, kind, err
}

func canonicalEntry(ctx context.Context, proposed models.ProposedEntry) ([]byte, error) {
	entry, err := types.CreateVersionedEntry(proposed)
	if err != nil {
		return nil, err
	}
	return types.CanonicalizeEntry(ctx, entry)
}

// v2Body returns the canonical body of a hashedrekord/0.0.2 entry.
func v2Body(p proposal) ([]byte, error) {
	encoded, err := protojson.Marshal(&rekortiles.Entry{
		ApiVersion: "0.0.2", Kind: "hashedrekord",
		Spec: &rekortiles.Spec{Spec: &rekortiles.Spec_HashedRekordV002{HashedRekordV002: &rekortiles.HashedRekordLogEntryV002{
			Data:      &protocommon.HashOutput{Algorithm: algorithmOf(p.digest), Digest: p.digest},
			Signature: &rekortiles.Signature{Content: p.signature, Verifier: p.verifier},
		}}},
	})
	if err != nil {
		return nil, err
	}
	return jsoncanonicalizer.Transform(encoded)
}

func algorithmOf(digest []byte) protocommon.HashAlgorithm {
	switch len(digest) {
	case sha512.Size384:
		return protocommon.HashAlgorithm_SHA2_384
	case sha512.Size:
		return protocommon.HashAlgorithm_SHA2_512
	default:
		return protocommon.HashAlgorithm_SHA2_256
	}
}

// add logs what p speaks about.
func (l *rekorLog) add(ctx context.Context, p proposal, at time.Time) (*protorekor.TransparencyLogEntry, error) {
	if l.version == 2 {
		body, err := v2Body(p)
		if err != nil {
			return nil, err
		}
		return l.includeV2(ctx, body)
	}
	body, kind, err := v1Body(ctx, p)
	if err != nil {
		return nil, err
	}
	return l.includeV1(ctx, body, kind, at)
}

// includeV1 returns the entry with signed entry timestamp, inclusion proof and checkpoint.
func (l *rekorLog) includeV1(ctx context.Context, body []byte, kind string, at time.Time) (*protorekor.TransparencyLogEntry, error) {
	signer, err := signature.LoadECDSASignerVerifier(l.key, crypto.SHA256)
	if err != nil {
		return nil, err
	}
	rootHash := rfc6962.DefaultHasher.HashLeaf(body)
	checkpoint, err := util.CreateAndSignCheckpoint(ctx, l.origin, treeID, 1, rootHash, signer)
	if err != nil {
		return nil, err
	}
	entry := l.entry(body, kind, "0.0.1", checkpoint, rootHash)
	// Rekor's proofs use the index in the shard, its promise the index over all shards.
	entry.LogIndex, entry.IntegratedTime = 1000+l.next.Add(1), at.Unix()
	promise, err := l.promise(entry)
	entry.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: promise}
	return entry, err
}

// promise signs what Rekor v1 calls the signed entry timestamp.
func (l *rekorLog) promise(entry *protorekor.TransparencyLogEntry) ([]byte, error) {
	payload, err := json.Marshal(map[string]any{
		"body": base64.StdEncoding.EncodeToString(entry.GetCanonicalizedBody()), "integratedTime": entry.GetIntegratedTime(),
		"logIndex": entry.GetLogIndex(), "logID": hex.EncodeToString(l.id),
	})
	if err != nil {
		return nil, err
	}
	if payload, err = jsoncanonicalizer.Transform(payload); err != nil {
		return nil, err
	}
	return sign(l.key, payload)
}

func (l *rekorLog) includeV2(ctx context.Context, body []byte) (*protorekor.TransparencyLogEntry, error) {
	signer, err := signature.LoadECDSASignerVerifier(l.key, crypto.SHA256)
	if err != nil {
		return nil, err
	}
	noteSigner, err := rekornote.NewNoteSigner(ctx, l.origin, signer)
	if err != nil {
		return nil, err
	}
	rootHash := rfc6962.DefaultHasher.HashLeaf(body)
	text := formats.Checkpoint{Origin: l.origin, Size: 1, Hash: rootHash}.Marshal()
	checkpoint, err := note.Sign(&note.Note{Text: string(text)}, noteSigner)
	if err != nil {
		return nil, err
	}
	return l.entry(body, "hashedrekord", "0.0.2", checkpoint, rootHash), nil
}

func (l *rekorLog) entry(body []byte, kind, version string, checkpoint, rootHash []byte) *protorekor.TransparencyLogEntry {
	return &protorekor.TransparencyLogEntry{
		LogId:             &protocommon.LogId{KeyId: l.id},
		KindVersion:       &protorekor.KindVersion{Kind: kind, Version: version},
		CanonicalizedBody: body,
		InclusionProof: &protorekor.InclusionProof{
			TreeSize: 1, RootHash: rootHash, Checkpoint: &protorekor.Checkpoint{Envelope: string(checkpoint)},
		},
	}
}

// ResignLogEntry makes a changed Rekor v1 entry look genuine again: promise, proof and
// checkpoint fit its present body, index and time.
func (v *VirtualSigstore) ResignLogEntry(tb testing.TB, entry *protorekor.TransparencyLogEntry) {
	tb.Helper()
	fresh, err := v.rekor1.includeV1(tb.Context(), entry.GetCanonicalizedBody(), entry.GetKindVersion().GetKind(), time.Unix(entry.GetIntegratedTime(), 0))
	if err != nil {
		tb.Fatal(err)
	}
	proto.Reset(entry)
	proto.Merge(entry, fresh)
}
