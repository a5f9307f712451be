// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	sigverify "github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/chartsign/chartsign"
)

// keyMaterial is a trusted root together with the one public key that is tried. The hint
// of a bundle is an untrusted name and chooses nothing.
type keyMaterial struct {
	root.TrustedMaterial
	key signature.Verifier
}

// PublicKeyVerifier returns the key, whatever the hint.
func (m keyMaterial) PublicKeyVerifier(string) (root.TimeConstrainedVerifier, error) {
	if m.key == nil {
		return nil, errors.New("no public key is trusted here")
	}
	return root.NewExpiringKey(m.key, time.Time{}, time.Time{}), nil
}

// verifyKey judges a bundle without a certificate: first which of the named keys has made
// the signature, then what vouches for it.
func (v *Verifier) verifyKey(parsed *parsedBundle, artifact chartsign.Digest, result Result, now time.Time) Result {
	if !v.names(chartsign.IdentityKey) {
		return result.failf(ReasonSignerNotTrusted, "the bundle is signed with a key: no signer is named by a public key")
	}
	trusted := v.root.Sigstore()
	if trusted == nil {
		trusted = &root.BaseTrustedMaterial{}
	}
	last := errNoKey
	for _, key := range v.root.Keys() {
		if !slices.ContainsFunc(v.parties, func(p party) bool { return slices.Contains(p.Keys, key.Fingerprint) }) {
			continue
		}
		material := keyMaterial{TrustedMaterial: trusted}
		if material.key, last = signatureVerifier(parsed, key.Key); last != nil {
			continue
		}
		digests := []sigverify.ArtifactDigest{{Algorithm: "sha256", Digest: artifact[:]}}
		if last = sigverify.VerifySignatureWithArtifactDigests(parsed.signature, parsed.content, material, digests); last != nil {
			continue
		}
		result.identity = chartsign.Identity{Kind: chartsign.IdentityKey, Key: key.Fingerprint}
		if v.root.Sigstore() == nil && len(parsed.entries)+len(parsed.times) > 0 {
			return result.failf(ReasonNoTrustedRoot, "there is no trusted root to check the bundle's log entry and time under")
		}
		verified, reason := run(parsed, artifact, material, sigverify.WithKey(), keyOptions(parsed), now)
		if reason != nil {
			return result.fail(reason)
		}
		return v.accept(parsed.complete(result, verified))
	}
	return result.failf(ReasonSignatureInvalid, "no named public key verifies the bundle: %w", last)
}

var (
	errNoKey       = errors.New("none of them is in the trust root")
	errPureEd25519 = errors.New("an Ed25519 signature over content cannot be checked by the content's digest alone")
)

// signatureVerifier returns the verifier of the key's default algorithm. An Ed25519 key
// signs the whole content, which is not at hand for a message signature: the library would
// check its signature over nothing, and find the one over an empty file good for any chart.
func signatureVerifier(parsed *parsedBundle, key crypto.PublicKey) (signature.Verifier, error) {
	if _, pure := key.(ed25519.PublicKey); pure && parsed.statement == nil {
		return nil, errPureEd25519
	}
	return signature.LoadDefaultVerifier(key)
}

// keyOptions requires what the bundle carries: a log entry or a time that is there must be
// good. A key needs no time of its own; whether a log entry is needed is the signer's word.
func keyOptions(parsed *parsedBundle) []sigverify.VerifierOption {
	options := []sigverify.VerifierOption{sigverify.WithoutStatementPredicate()}
	if len(parsed.entries) > 0 {
		options = append(options, sigverify.WithTransparencyLog(1))
	}
	if len(parsed.times) > 0 || len(parsed.entries) > 0 && parsed.HasInclusionPromise() {
		return append(options, sigverify.WithObserverTimestamps(1))
	}
	return append(options, sigverify.WithNoObserverTimestamps())
}
