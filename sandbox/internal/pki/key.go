// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package pki makes the keys and certificates of a throw-away Sigstore. Nothing made here
// protects anything: private keys lie unencrypted in the state folder.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"

	"github.com/chartsign/chartsign/sandbox/internal/state"
)

// NewECDSA makes a P-256 key, the kind that all parts of Sigstore take.
func NewECDSA() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return key, nil
}

// WriteKey writes a private key as PKCS #8 PEM.
func WriteKey(path string, key crypto.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode private key: %w", err)
	}
	return writePEM(path, 0o600, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// WritePublicKey writes a public key as PKIX PEM.
func WritePublicKey(path string, key crypto.PublicKey) error {
	text, err := PublicKeyPEM(key)
	if err != nil {
		return err
	}
	return state.WriteFile(path, []byte(text), 0o644)
}

// PublicKeyPEM is the PKIX PEM form of a public key.
func PublicKeyPEM(key crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("encode public key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// WriteChain writes certificates as PEM, in the order given.
func WriteChain(path string, chain []*x509.Certificate) error {
	blocks := make([]*pem.Block, len(chain))
	for i, cert := range chain {
		blocks[i] = &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}
	}
	return writePEM(path, 0o644, blocks...)
}

func writePEM(path string, perm fs.FileMode, blocks ...*pem.Block) error {
	var out []byte
	for _, block := range blocks {
		out = append(out, pem.EncodeToMemory(block)...)
	}
	return state.WriteFile(path, out, perm)
}
