// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"slices"

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
// in for the material in cache keys and reports.
type TrustRoot struct {
	material    TrustMaterial
	fingerprint chartsign.Digest
}

// NewTrustRoot returns the root that holds material.
func NewTrustRoot(material TrustMaterial) (*TrustRoot, error) {
	material.Keys = slices.Clone(material.Keys)
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

func fingerprintOf(material TrustMaterial) (chartsign.Digest, error) {
	h := sha256.New()
	for _, entity := range material.PGP.Entities() {
		if err := section(h, "pgp", entity.Serialize); err != nil {
			return chartsign.Digest{}, err
		}
	}
	if material.Sigstore != nil {
		digest := material.Sigstore.digest
		if err := section(h, "sigstore", func(w io.Writer) error { _, err := w.Write(digest[:]); return err }); err != nil {
			return chartsign.Digest{}, err
		}
	}
	for _, key := range material.Keys {
		if err := section(h, "key", func(w io.Writer) error { _, err := io.WriteString(w, key.Fingerprint); return err }); err != nil {
			return chartsign.Digest{}, err
		}
	}
	return chartsign.SumDigest(h), nil
}

// section adds the digest of what write writes, so that sections cannot run together.
func section(h hash.Hash, name string, write func(io.Writer) error) error {
	inner := sha256.New()
	if err := write(inner); err != nil {
		return err
	}
	_, err := fmt.Fprintf(h, "%s %x\n", name, inner.Sum(nil))
	return err
}
