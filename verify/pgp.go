// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto"
	"errors"
	"maps"
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

// maxCandidates bounds how many keys are tried for one signature. Two would be a collision
// of 64 bits, or one subkey that several primary keys claim.
const maxCandidates = 8

// minKeyBits is the least size of an RSA or DSA key: 112 bits of security (NIST SP 800-57).
const minKeyBits = 2048

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
			if !signature.CreationTime.IsZero() {
				result.signedAt = signature.CreationTime.UTC()
			}
			results = append(results, v.verifySignature(message, signature, result, now))
		}
	})
	return results
}

func (v *Verifier) verifySignature(message *clearsigned, packet signaturePacket, result Result, now time.Time) Result {
	signature := packet.Signature
	if packet.problem != nil && (signature.Hash != 0 || !signature.PubKeyAlgo.CanSign()) {
		return result.failf(ReasonUnsupported, "the signature is of a kind that is not judged: %w", packet.problem)
	}
	if reason := checkForm(message, signature); reason != nil {
		return result.fail(reason)
	}
	candidates := findKeys(v.root.PGP(), signature)
	if len(candidates) == 0 {
		return result.failf(ReasonSignerNotTrusted, "the signature is by %s, which is in no keyring", issuerOf(signature))
	}
	var first *Result
	for _, candidate := range candidates {
		judged := candidate.judge(message, signature, result, now)
		if judged.reason == nil {
			return v.accept(judged)
		}
		// The key that made the signature explains more than those that only look like it.
		if first == nil || first.reason.Code == ReasonSignatureInvalid && judged.reason.Code != ReasonSignatureInvalid {
			first = &judged
		}
	}
	return *first
}

// candidate is a key that a signature may be of: of short names there can be several.
type candidate struct {
	entity *openpgp.Entity
	key    *packet.PublicKey
}

// judge returns the result without a reason if the key made the signature and may do so.
func (c candidate) judge(message *clearsigned, signature *packet.Signature, result Result, now time.Time) Result {
	result.identity = chartsign.Identity{
		Kind:        chartsign.IdentityPGP,
		Fingerprint: chartsign.FingerprintOf(c.entity.PrimaryKey.Fingerprint),
		UserID:      keys.UserID(c.entity),
	}
	if err := checkBytes(message, signature, c.key); err != nil {
		return result.failf(ReasonSignatureInvalid, "the signature does not fit the text and the key %s: %w", result.identity, err)
	}
	if reason := checkKey(c.entity, c.key, signature, now); reason != nil {
		return result.fail(reason)
	}
	return result
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
	// RFC 4880, 7: the header names the hashes that are used. A weak one beside a strong one
	// would leave the choice to the reader.
	for _, listed := range message.hashes {
		if !slices.Contains(slices.Collect(maps.Values(strongHashes)), listed) {
			return chartsign.Reasonf(ReasonProvArmor, "the Hash header names %s, which is too weak", listed)
		}
	}
	if !slices.Contains(message.hashes, name) {
		return chartsign.Reasonf(ReasonProvArmor, "the Hash header says %s: the signature uses %s", strings.Join(message.hashes, ","), name)
	}
	for _, notation := range signature.Notations {
		if notation.IsCritical {
			return chartsign.Reasonf(ReasonSignatureInvalid, "the signature has the critical notation %.80q, whose meaning is unknown", notation.Name)
		}
	}
	return nil
}

// findKeys returns the primary and sub keys that the signature may be of. Issuer fields are
// hints: whether a key made the signature is checked afterwards.
func findKeys(ring *keys.PGPKeyring, signature *packet.Signature) []candidate {
	var found []candidate
	for _, entity := range ring.Entities() {
		if signature.CheckKeyIdOrFingerprint(entity.PrimaryKey) {
			found = append(found, candidate{entity, entity.PrimaryKey})
		}
		for i := range entity.Subkeys {
			if key := entity.Subkeys[i].PublicKey; signature.CheckKeyIdOrFingerprint(key) {
				found = append(found, candidate{entity, key})
			}
		}
	}
	return found[:min(len(found), maxCandidates)]
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
	// The key ID may stand where nothing protects it; the fingerprint was compared before.
	if signature.IssuerKeyId != nil && *signature.IssuerKeyId != key.KeyId {
		return errors.New("it names two keys as its issuer")
	}
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
		MinRSABits:                minKeyBits,
	}
}

// checkKey judges the key now, not at the time that the signature claims for itself: who
// has got hold of an expired key writes any time into a signature.
func checkKey(entity *openpgp.Entity, key *packet.PublicKey, signature *packet.Signature, now time.Time) *chartsign.Reason {
	name := chartsign.FingerprintOf(key.Fingerprint)
	config := pgpConfig(now)
	forget(entity)
	created := signature.CreationTime
	if created.Before(key.CreationTime) || created.After(now.Add(clockSkew)) || signature.SigExpired(latest(now, created)) {
		return chartsign.Reasonf(ReasonSignatureTime, "the signature claims to be of %s: want a time after its key's, before now, and not expired", created.UTC().Format(time.RFC3339))
	}
	if entity.Revoked(now) {
		return chartsign.Reasonf(ReasonKeyRevoked, "the key %s is revoked", chartsign.FingerprintOf(entity.PrimaryKey.Fingerprint))
	}
	if _, err := entity.VerifyPrimaryKey(now, config); err != nil {
		return keyReason(err, "the primary key of "+string(name))
	}
	for _, used := range []*packet.PublicKey{key, entity.PrimaryKey} {
		if reason := checkStrength(used); reason != nil {
			return reason
		}
	}
	if usable, ok := entity.SigningKeyById(now, key.KeyId, config); ok && bytes.Equal(usable.PublicKey.Fingerprint, key.Fingerprint) {
		return nil
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

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// forget makes the library judge anew whatever depends on the time. It remembers whether
// a signature of the key was valid at the first time it was asked for, so that a revocation
// which was not in force then would never be, in a process that lives on.
func forget(entity *openpgp.Entity) {
	for _, identity := range entity.Identities {
		forgetAll(identity.SelfCertifications)
		forgetAll(identity.Revocations)
	}
	forgetAll(entity.DirectSignatures)
	for i := range entity.Subkeys {
		forgetAll(entity.Subkeys[i].Bindings)
	}
}

func forgetAll(signatures []*packet.VerifiableSignature) {
	for _, signature := range signatures {
		mortal := signature.Packet.SigLifetimeSecs != nil && *signature.Packet.SigLifetimeSecs != 0
		if mortal || signature.Packet.SigType == packet.SigTypeCertificationRevocation {
			signature.Valid = nil
		}
	}
}

// checkStrength refuses keys that can be computed (RSA and DSA below 2048 bits).
func checkStrength(key *packet.PublicKey) *chartsign.Reason {
	switch key.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSASignOnly, packet.PubKeyAlgoDSA:
		if bits, err := key.BitLength(); err != nil || bits < minKeyBits {
			return chartsign.Reasonf(ReasonWeakKey, "the key %s has %d bits: want at least %d", chartsign.FingerprintOf(key.Fingerprint), bits, minKeyBits)
		}
	case packet.PubKeyAlgoECDSA, packet.PubKeyAlgoEdDSA:
		if curve, err := key.Curve(); err != nil || (&packet.Config{}).RejectCurve(curve) {
			return chartsign.Reasonf(ReasonWeakKey, "the key %s is on the curve %s, which is not accepted", chartsign.FingerprintOf(key.Fingerprint), curve)
		}
	default:
	}
	return nil
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
