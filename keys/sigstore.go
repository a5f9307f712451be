// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// ErrTrustedRoot is wrapped by every error about a trusted root that cannot be read.
var ErrTrustedRoot = errors.New("unreadable trusted root")

// ErrPublicKey is wrapped by every error about a public key that cannot be read.
var ErrPublicKey = errors.New("unreadable public key")

// SigstoreRoot is a Sigstore trusted root: the certificate authorities, transparency logs
// and timestamp authorities of one deployment, with their validity periods.
type SigstoreRoot struct {
	material root.TrustedMaterial
	digest   chartsign.Digest
}

// LoadTrustedRoot reads a trusted_root.json: see ReadTrustedRoot.
func LoadTrustedRoot(path string) (*SigstoreRoot, error) {
	data, err := limits.ReadFile(path, limits.TrustedRoot)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustedRoot, err)
	}
	trusted, err := ReadTrustedRoot(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return trusted, nil
}

// ReadTrustedRoot reads the JSON form of dev.sigstore.trustroot.v1.TrustedRoot.
func ReadTrustedRoot(data []byte) (*SigstoreRoot, error) {
	material, err := root.NewTrustedRootFromJSON(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustedRoot, err)
	}
	return NewSigstoreRoot(material, chartsign.DigestOf(data)), nil
}

// NewSigstoreRoot wraps material that was made elsewhere, for example from TUF. The digest
// MUST differ for different material: it becomes part of the trust root's fingerprint.
func NewSigstoreRoot(material root.TrustedMaterial, digest chartsign.Digest) *SigstoreRoot {
	return &SigstoreRoot{material: material, digest: digest}
}

// PublicKey is a key that verifies Sigstore bundles without a certificate.
type PublicKey struct {
	// Key is an *ecdsa.PublicKey, an ed25519.PublicKey or an *rsa.PublicKey.
	Key crypto.PublicKey
	// Fingerprint is 'sha256:' and the hexadecimal SHA-256 of the key's PKIX form.
	Fingerprint string
}

// LoadPublicKey reads the PEM file at path, such as cosign.pub. It holds one key and nothing else.
func LoadPublicKey(path string) (PublicKey, error) {
	data, err := limits.ReadFile(path, limits.PublicKey)
	if err != nil {
		return PublicKey{}, fmt.Errorf("%w: %w", ErrPublicKey, err)
	}
	key, err := readPublicKey(data)
	if err != nil {
		return PublicKey{}, fmt.Errorf("%w: %s: %w", ErrPublicKey, path, err)
	}
	return NewPublicKey(key)
}

// readPublicKey reads one PEM block and nothing else: of two keys in a file, one would be
// trusted and the other silently not.
func readPublicKey(data []byte) (crypto.PublicKey, error) {
	block, rest := pem.Decode(data)
	if block == nil || !bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN ")) {
		return nil, errors.New("want a PEM block that holds a public key")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("got more than one PEM block or text around it, want one public key alone")
	}
	return cryptoutils.UnmarshalPEMToPublicKey(data)
}

// NewPublicKey returns key with its fingerprint. Keys that are too weak to sign with, such
// as RSA below 2048 bits, are refused (ErrPublicKey).
func NewPublicKey(key crypto.PublicKey) (PublicKey, error) {
	if err := checkPublicKey(key); err != nil {
		return PublicKey{}, fmt.Errorf("%w: %w", ErrPublicKey, err)
	}
	der, err := cryptoutils.MarshalPublicKeyToDER(key)
	if err != nil {
		return PublicKey{}, fmt.Errorf("%w: %w", ErrPublicKey, err)
	}
	sum := sha256.Sum256(der)
	return PublicKey{Key: key, Fingerprint: "sha256:" + hex.EncodeToString(sum[:])}, nil
}

// minRSABits is the least size of an RSA key: 112 bits of security (NIST SP 800-57).
const minRSABits = 2048

func checkPublicKey(key crypto.PublicKey) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits {
			return fmt.Errorf("got RSA of %d bits, want at least %d", bits, minRSABits)
		}
		return nil
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() && key.Curve != elliptic.P521() {
			return errors.New("got ECDSA on another curve than P-256, P-384 and P-521")
		}
		return nil
	case ed25519.PublicKey:
		if len(key) != ed25519.PublicKeySize {
			return fmt.Errorf("got Ed25519 of %d bytes, want %d", len(key), ed25519.PublicKeySize)
		}
		return nil
	default:
		return fmt.Errorf("got a %T, want RSA, ECDSA or Ed25519", key)
	}
}
