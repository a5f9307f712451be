// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"errors"
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	sigverify "github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/chartsign/chartsign"
)

// sigMaterial is what certificates, logs and times are checked under.
type sigMaterial = root.TrustedMaterial

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

// verifyKey judges a bundle without a certificate against each key that a signer names.
func (v *Verifier) verifyKey(parsed *parsedBundle, artifact chartsign.Digest, result Result) Result {
	material := v.root.Sigstore()
	if material == nil {
		material = &root.BaseTrustedMaterial{}
	}
	var last error
	for _, key := range v.root.Keys() {
		if !slices.ContainsFunc(v.parties, func(p party) bool { return slices.Contains(p.Keys, key.Fingerprint) }) {
			continue
		}
		verifier, err := signature.LoadDefaultVerifier(key.Key)
		if err != nil {
			last = err
			continue
		}
		verified, err := run(parsed, artifact, keyMaterial{TrustedMaterial: material, key: verifier}, sigverify.WithKey(), keyOptions(parsed))
		if err != nil {
			last = err
			continue
		}
		result.identity = chartsign.Identity{Kind: chartsign.IdentityKey, Key: key.Fingerprint}
		return v.accept(parsed.complete(result, verified, material))
	}
	if last == nil {
		return result.failf(ReasonSignerNotTrusted, "the bundle is signed with a key: no signer is named by a public key")
	}
	if v.root.Sigstore() == nil && len(parsed.entries)+len(parsed.times) > 0 {
		return result.failf(ReasonNoTrustedRoot, "there is no trusted root to check the bundle's log entry and time under: %w", last)
	}
	return result.failf(ReasonSignatureInvalid, "no named public key verifies the bundle: %w", last)
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
