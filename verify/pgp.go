// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto"
	"errors"
	"slices"
	"strings"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/keys"
)

// clockSkew is how far in the future a signature's own time may lie.
const clockSkew = 5 * time.Minute

// strongHashes are the names, as the Hash header spells them, of what may be signed with.
var strongHashes = map[crypto.Hash]string{
	crypto.SHA256: "SHA256", crypto.SHA384: "SHA384", crypto.SHA512: "SHA512", crypto.SHA3_256: "SHA3-256", crypto.SHA3_512: "SHA3-512",
}

// verifySignatures judges each signature of the message by itself.
func (v *Verifier) verifySignatures(message *clearsigned, base Result, now time.Time) []Result {
	var results []Result
	v.root.PGP().Locked(func() {
		for _, signature := range message.signatures {
			result := base
			result.relaxed = slices.Clone(base.relaxed)
			result.signedAt = signature.CreationTime.UTC()
			results = append(results, v.verifySignature(message, signature, result, now))
		}
	})
	return results
}

func (v *Verifier) verifySignature(message *clearsigned, signature *packet.Signature, result Result, now time.Time) Result {
	if reason := checkForm(message, signature); reason != nil {
		return result.fail(reason)
	}
	entity, key := findKey(v.root.PGP(), signature)
	if entity == nil {
		return result.failf(ReasonSignerNotTrusted, "the signature is by %s, which is in no keyring", issuerOf(signature))
	}
	result.identity = chartsign.Identity{
		Kind:        chartsign.IdentityPGP,
		Fingerprint: chartsign.FingerprintOf(entity.PrimaryKey.Fingerprint),
		UserID:      keys.UserID(entity),
	}
	if err := checkBytes(message, signature, key); err != nil {
		return result.failf(ReasonSignatureInvalid, "the signature does not fit the text and the key %s: %w", result.identity, err)
	}
	if reason := checkKey(entity, key, signature, now); reason != nil {
		return result.fail(reason)
	}
	return v.accept(result)
}

// checkForm refuses signatures that would not protect the text even if they were genuine.
func checkForm(message *clearsigned, signature *packet.Signature) *chartsign.Reason {
	// RFC 9580, 5.2.1.2: a signature over a cleartext message is of type 0x01.
	if signature.SigType != packet.SigTypeText {
		return chartsign.Reasonf(ReasonSignatureType, "the signature is of type 0x%02x: want 0x01, a signature over text", uint8(signature.SigType))
	}
	name, strong := strongHashes[signature.Hash]
	if !strong {
		return chartsign.Reasonf(ReasonWeakHash, "the signature uses %s: want SHA-256 or stronger", signature.Hash)
	}
	if len(message.hashes) > 0 && !slices.Contains(message.hashes, name) {
		return chartsign.Reasonf(ReasonProvArmor, "the Hash header says %s: the signature uses %s", strings.Join(message.hashes, ","), name)
	}
	for _, notation := range signature.Notations {
		if notation.IsCritical {
			return chartsign.Reasonf(ReasonSignatureInvalid, "the signature has the critical notation %.80q, whose meaning is unknown", notation.Name)
		}
	}
	return nil
}

// findKey returns the primary or sub key that the signature names as its issuer. Issuer
// fields are hints: whether the key made the signature is checked afterwards.
func findKey(ring *keys.PGPKeyring, signature *packet.Signature) (*openpgp.Entity, *packet.PublicKey) {
	for _, entity := range ring.Entities() {
		if signature.CheckKeyIdOrFingerprint(entity.PrimaryKey) {
			return entity, entity.PrimaryKey
		}
		for i := range entity.Subkeys {
			if signature.CheckKeyIdOrFingerprint(entity.Subkeys[i].PublicKey) {
				return entity, entity.Subkeys[i].PublicKey
			}
		}
	}
	return nil, nil
}

func issuerOf(signature *packet.Signature) string {
	switch {
	case signature.IssuerFingerprint != nil:
		return "the key " + string(chartsign.FingerprintOf(signature.IssuerFingerprint))
	case signature.IssuerKeyId != nil:
		return "the key " + (&packet.PublicKey{KeyId: *signature.IssuerKeyId}).KeyIdString()
	default:
		return "an unnamed key"
	}
}

func checkBytes(message *clearsigned, signature *packet.Signature, key *packet.PublicKey) error {
	hash, err := signature.PrepareVerify()
	if err != nil {
		return err
	}
	if _, err := hash.Write(message.canonical); err != nil {
		return err
	}
	return key.VerifySignature(hash, signature)
}

// pgpConfig judges keys at now. DSA is verified though nobody should sign with it any more;
// everything else is the library's own list of what is too weak.
func pgpConfig(now time.Time) *packet.Config {
	return &packet.Config{
		Time:                      func() time.Time { return now },
		RejectPublicKeyAlgorithms: map[packet.PublicKeyAlgorithm]bool{packet.PubKeyAlgoElGamal: true},
		MinRSABits:                2048,
	}
}

// checkKey judges the key now, not at the time that the signature claims for itself: who
// has got hold of an expired key writes any time into a signature.
func checkKey(entity *openpgp.Entity, key *packet.PublicKey, signature *packet.Signature, now time.Time) *chartsign.Reason {
	name := chartsign.FingerprintOf(key.Fingerprint)
	config := pgpConfig(now)
	if created := signature.CreationTime; created.Before(key.CreationTime) || created.After(now.Add(clockSkew)) || signature.SigExpired(now) {
		return chartsign.Reasonf(ReasonSignatureTime, "the signature claims to be of %s: want a time after its key's, before now, and not expired", created.UTC().Format(time.RFC3339))
	}
	if entity.Revoked(now) {
		return chartsign.Reasonf(ReasonKeyRevoked, "the key %s is revoked", name)
	}
	if _, err := entity.VerifyPrimaryKey(now, config); err != nil {
		return keyReason(err, "the primary key of "+string(name))
	}
	if reason := checkStrength(name, key); reason != nil {
		return reason
	}
	if usable, ok := entity.SigningKeyById(now, key.KeyId, config); ok && bytes.Equal(usable.PublicKey.Fingerprint, key.Fingerprint) {
		return checkStrength(name, entity.PrimaryKey)
	}
	for i := range entity.Subkeys {
		if subkey := &entity.Subkeys[i]; subkey.PublicKey == key {
			if _, err := subkey.Verify(now, config); err != nil {
				return keyReason(err, "the subkey "+string(name))
			}
		}
	}
	return chartsign.Reasonf(ReasonKeyUsage, "the key %s may not sign data", name)
}

// checkStrength refuses keys that can be computed (RSA below 2048 bits).
func checkStrength(name chartsign.Fingerprint, key *packet.PublicKey) *chartsign.Reason {
	switch key.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSASignOnly, packet.PubKeyAlgoDSA:
		if bits, err := key.BitLength(); err != nil || bits < 2047 {
			return chartsign.Reasonf(ReasonWeakKey, "the key %s has %d bits: want at least 2048", name, bits)
		}
		return nil
	default:
		return nil
	}
}

func keyReason(err error, what string) *chartsign.Reason {
	switch {
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return chartsign.Reasonf(ReasonKeyRevoked, "%s is revoked: %w", what, err)
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return chartsign.Reasonf(ReasonKeyExpired, "%s is expired: %w", what, err)
	default:
		return chartsign.Reasonf(ReasonKeyUsage, "%s has no valid self-signature: %w", what, err)
	}
}
