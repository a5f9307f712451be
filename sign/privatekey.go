// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/keys"
)

// PrivateKey signs Sigstore bundles without a certificate. Its text form never shows
// secret material.
type PrivateKey struct {
	signer  crypto.Signer
	details signature.AlgorithmDetails
	public  keys.PublicKey
	der     []byte // of the public key
}

// NewPrivateKey returns the key behind signer, wherever it is kept: ECDSA on P-256, P-384
// or P-521, Ed25519, or RSA of 2048, 3072 or 4096 bits (ErrPrivateKey).
func NewPrivateKey(signer crypto.Signer) (*PrivateKey, error) {
	if signer == nil {
		return nil, fmt.Errorf("%w: got none", ErrPrivateKey)
	}
	public, err := keys.NewPublicKey(signer.Public())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrivateKey, err)
	}
	details, err := signature.GetDefaultAlgorithmDetails(signer.Public())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrivateKey, err)
	}
	der, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrivateKey, err)
	}
	return &PrivateKey{signer: signer, details: details, public: public, der: der}, nil
}

// LoadPrivateKey reads the PEM file at path: PKCS #8 or SEC 1 ('EC PRIVATE KEY') in the
// clear, or cosign's encrypted form. Passphrase is called for the last only and may be nil; a
// wrong one is keys.ErrPassphrase, everything else ErrPrivateKey.
func LoadPrivateKey(path string, passphrase func() ([]byte, error)) (*PrivateKey, error) {
	data, err := limits.ReadFile(path, limits.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrivateKey, err)
	}
	defer clear(data)
	key, err := readPrivateKey(data, passphrase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func readPrivateKey(data []byte, passphrase func() ([]byte, error)) (*PrivateKey, error) {
	block, rest := pem.Decode(data)
	if block != nil && block.Type == "EC PARAMETERS" { // openssl writes them in front; the key repeats them
		block, rest = pem.Decode(rest)
	}
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%w: want one PEM block", ErrPrivateKey)
	}
	defer clear(block.Bytes)
	switch block.Type {
	case "PRIVATE KEY":
		return parsePrivateKey(x509.ParsePKCS8PrivateKey(block.Bytes))
	case "EC PRIVATE KEY":
		key, err := x509.ParseECPrivateKey(block.Bytes)
		return parsePrivateKey(key, err)
	case "ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY":
		return decryptPrivateKey(block.Bytes, passphrase)
	default:
		return nil, fmt.Errorf("%w: got a PEM block %.40q, want PRIVATE KEY, EC PRIVATE KEY or ENCRYPTED SIGSTORE PRIVATE KEY", ErrPrivateKey, block.Type)
	}
}

func decryptPrivateKey(sealed []byte, passphrase func() ([]byte, error)) (*PrivateKey, error) {
	if passphrase == nil {
		return nil, fmt.Errorf("%w: no passphrase was given", keys.ErrPassphrase)
	}
	secret, err := passphrase()
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	der, err := encrypted.Decrypt(sealed, secret)
	if err != nil {
		return nil, fmt.Errorf("%w: wrong passphrase, or a damaged file", keys.ErrPassphrase) // a damaged file looks the same: the cipher is authenticated
	}
	defer clear(der)
	return parsePrivateKey(x509.ParsePKCS8PrivateKey(der))
}

// parsePrivateKey drops the cause: it may quote what was decrypted.
func parsePrivateKey(key any, err error) (*PrivateKey, error) {
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: the content is no ECDSA, Ed25519 or RSA key", ErrPrivateKey)
	}
	return NewPrivateKey(signer)
}

// Public returns the public half, to verify what the key signed.
func (k *PrivateKey) Public() keys.PublicKey { return k.public }

// String returns the fingerprint of the public half.
func (k *PrivateKey) String() string { return k.public.Fingerprint }

// GoString is what %#v prints: the same.
func (k *PrivateKey) GoString() string { return "sign.PrivateKey(" + k.String() + ")" }

// prehashes reports whether the key signs a digest: pure Ed25519 signs the content itself.
func (k *PrivateKey) prehashes() bool { return k.details.GetHashType() != crypto.Hash(0) }

func (k *PrivateKey) usesSHA256() bool { return k.details.GetHashType() == crypto.SHA256 }

// keypair is a PrivateKey in the form that sigstore-go wants.
type keypair struct{ *PrivateKey }

func (k keypair) GetHashAlgorithm() protocommon.HashAlgorithm { return k.details.GetProtoHashType() }

func (k keypair) GetSigningAlgorithm() protocommon.PublicKeyDetails {
	return k.details.GetSignatureAlgorithm()
}

// GetHint returns what cosign and sigstore-go write: the digest of the key, in base64.
func (k keypair) GetHint() []byte {
	sum := sha256.Sum256(k.der)
	return []byte(base64.StdEncoding.EncodeToString(sum[:]))
}

func (k keypair) GetKeyAlgorithm() string {
	switch k.signer.Public().(type) {
	case *ecdsa.PublicKey:
		return "ECDSA"
	case *rsa.PublicKey:
		return "RSA"
	case ed25519.PublicKey:
		return "ED25519"
	default:
		return ""
	}
}

func (k keypair) GetPublicKey() crypto.PublicKey { return k.signer.Public() }

func (k keypair) GetPublicKeyPem() (string, error) {
	text, err := cryptoutils.MarshalPublicKeyToPEM(k.signer.Public())
	return string(text), err
}

// SignData returns the signature and what was signed: a digest, except with Ed25519.
func (k keypair) SignData(_ context.Context, data []byte) (signed, digest []byte, err error) {
	hash := k.details.GetHashType()
	if k.prehashes() {
		h := hash.New()
		h.Write(data)
		data = h.Sum(nil)
	}
	if signed, err = k.signer.Sign(rand.Reader, data, hash); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrPrivateKey, err)
	}
	return signed, data, nil
}
