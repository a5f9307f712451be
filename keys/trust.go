// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/chartsign/chartsign"
)

// TrustMaterial is what NewTrustRoot gathers. Every field may be empty.
type TrustMaterial struct {
	// PGP holds the OpenPGP keys whose signatures are checked.
	PGP *PGPKeyring
	// Sigstore holds certificate authorities, logs and timestamp authorities.
	Sigstore *SigstoreRoot
	// Keys are public keys that sign Sigstore bundles without a certificate.
	Keys []PublicKey
}

// TrustRoot is everything that signatures are checked against. It is immutable and safe
// for concurrent use. Its fingerprint is equal exactly for equal material, so it can stand
// in for the material in cache keys and reports; of Sigstore material that is the digest of
// the file that it was read from.
type TrustRoot struct {
	material    TrustMaterial
	fingerprint chartsign.Digest
}

// NewTrustRoot returns the root that holds material. It is an error if a public key does
// not have the fingerprint that it says, or if the Sigstore material has no digest: both
// would let different material pass for the same.
func NewTrustRoot(material TrustMaterial) (*TrustRoot, error) {
	publicKeys := make([]PublicKey, 0, len(material.Keys))
	for _, given := range material.Keys {
		key, err := NewPublicKey(given.Key)
		if err != nil {
			return nil, fmt.Errorf("trust root: %w", err)
		}
		if key.Fingerprint != given.Fingerprint {
			return nil, fmt.Errorf("trust root: %w: got the fingerprint %.80q of the key %s", ErrPublicKey, given.Fingerprint, key.Fingerprint)
		}
		publicKeys = append(publicKeys, key)
	}
	material.Keys = publicKeys
	fingerprint, err := fingerprintOf(material)
	if err != nil {
		return nil, fmt.Errorf("trust root: %w", err)
	}
	return &TrustRoot{material: material, fingerprint: fingerprint}, nil
}

// PGP returns the OpenPGP keys; it may be nil.
func (t *TrustRoot) PGP() *PGPKeyring { return t.material.PGP }

// Sigstore returns the trusted material of Sigstore, or nil if there is none.
func (t *TrustRoot) Sigstore() root.TrustedMaterial {
	if t.material.Sigstore == nil {
		return nil
	}
	return t.material.Sigstore.material
}

// Keys returns the public keys.
func (t *TrustRoot) Keys() []PublicKey { return slices.Clone(t.material.Keys) }

// Fingerprint returns the digest of the material.
func (t *TrustRoot) Fingerprint() chartsign.Digest { return t.fingerprint }

// fingerprintOf hashes the material as a set: neither the order of keys and signatures nor
// copies of them make a difference, and nor do certifications by others, which nobody asks.
func fingerprintOf(material TrustMaterial) (chartsign.Digest, error) {
	var lines []string
	var err error
	material.PGP.Locked(func() {
		for _, entity := range material.PGP.Entities() {
			var line string
			if line, err = entityLine(entity); err != nil {
				return
			}
			lines = append(lines, line)
		}
	})
	if err != nil {
		return chartsign.Digest{}, err
	}
	if material.Sigstore != nil && material.Sigstore.material != nil {
		if material.Sigstore.digest.IsZero() {
			return chartsign.Digest{}, fmt.Errorf("%w: it has no digest", ErrTrustedRoot)
		}
		lines = append(lines, "sigstore "+material.Sigstore.digest.Hex())
	}
	for _, key := range material.Keys {
		lines = append(lines, "key "+key.Fingerprint)
	}
	return digestOfSet(lines), nil
}

// entityLine stands for an OpenPGP key with all that its owner has signed about it.
func entityLine(entity *openpgp.Entity) (string, error) {
	var set entitySet
	set.add("primary", entity.PrimaryKey)
	set.signatures("revocation", entity.Revocations)
	set.signatures("direct", entity.DirectSignatures)
	for name, identity := range entity.Identities {
		set.lines = append(set.lines, fmt.Sprintf("user %q", name))
		set.signatures(fmt.Sprintf("user %q certification", name), identity.SelfCertifications)
		set.signatures(fmt.Sprintf("user %q revocation", name), identity.Revocations)
	}
	for i := range entity.Subkeys {
		subkey := &entity.Subkeys[i]
		name := string(chartsign.FingerprintOf(subkey.PublicKey.Fingerprint))
		set.add("subkey "+name, subkey.PublicKey)
		set.signatures("subkey "+name+" binding", subkey.Bindings)
		set.signatures("subkey "+name+" revocation", subkey.Revocations)
	}
	return "pgp " + digestOfSet(set.lines).Hex(), set.err
}

// entitySet gathers one line for each packet of a key.
type entitySet struct {
	lines []string
	err   error
}

func (s *entitySet) add(what string, packet interface{ Serialize(io.Writer) error }) {
	h := sha256.New()
	if err := packet.Serialize(h); err != nil {
		s.err = fmt.Errorf("%s: %w", what, err)
	}
	s.lines = append(s.lines, fmt.Sprintf("%s %x", what, h.Sum(nil)))
}

func (s *entitySet) signatures(what string, list []*packet.VerifiableSignature) {
	for _, signature := range list {
		s.add(what, signature.Packet)
	}
}

// digestOfSet returns the digest of the lines, of which none holds a line end.
func digestOfSet(lines []string) chartsign.Digest {
	slices.Sort(lines)
	h := sha256.New()
	for _, line := range slices.Compact(lines) {
		_, _ = io.WriteString(h, line+"\n") // a hash never fails
	}
	return chartsign.SumDigest(h)
}
