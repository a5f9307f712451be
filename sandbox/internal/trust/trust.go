// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package trust writes down what clients need to know of a sandbox: the trusted root, with
// every key and certificate, for verifying, and the signing configuration, with every URL,
// for signing.
package trust

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"

	prototrust "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/rekor-tiles/v2/pkg/note"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/chartsign/chartsign/sandbox/internal/pki"
)

const operator = "sandbox.test"

// Services are the parts of a Sigstore: where they stand and what they sign with.
type Services struct {
	Since time.Time // valid from

	FulcioURL string
	Fulcio    *pki.Authority
	TSAURL    string // where requests go, with the path
	TSA       *pki.Authority
	CTURL     string
	CTKey     crypto.PublicKey
	RekorURL  string
	RekorKey  crypto.PublicKey
	// RekorOrigin is the name in checkpoints.
	RekorOrigin string
	OIDCURL     string
}

// Root is the trusted root (media type version 0.1) as JSON.
func Root(s Services) ([]byte, error) {
	ctID, err := keyID(s.CTKey)
	if err != nil {
		return nil, fmt.Errorf("trusted root: %w", err)
	}
	// C2SP signed-note: the key is identified by hash over origin and key; Rekor v2 uses
	// the hash in full length.
	_, rekorID, err := note.KeyHash(s.RekorOrigin, s.RekorKey)
	if err != nil {
		return nil, fmt.Errorf("trusted root: %w", err)
	}
	trusted, err := root.NewTrustedRoot(root.TrustedRootMediaType01,
		[]root.CertificateAuthority{&root.FulcioCertificateAuthority{
			Root: s.Fulcio.Root(), Intermediates: s.Fulcio.Chain[:len(s.Fulcio.Chain)-1],
			ValidityPeriodStart: s.Since, URI: s.FulcioURL,
		}},
		s.log(s.CTURL, ctID, s.CTKey),
		[]root.TimestampingAuthority{&root.SigstoreTimestampingAuthority{
			Root: s.TSA.Root(), Intermediates: s.TSA.Intermediates(), Leaf: s.TSA.Chain[0],
			ValidityPeriodStart: s.Since, URI: s.TSAURL,
		}},
		s.log(s.RekorURL, rekorID, s.RekorKey))
	if err != nil {
		return nil, fmt.Errorf("trusted root: %w", err)
	}
	return trusted.MarshalJSON()
}

// SigningConfig is the signing configuration (version 0.2) as JSON.
func SigningConfig(s Services) ([]byte, error) {
	services := func(url string, apiVersion uint32) []root.Service {
		return []root.Service{{URL: url, MajorAPIVersion: apiVersion, ValidityPeriodStart: s.Since, Operator: operator}}
	}
	anyOne := root.ServiceConfiguration{Selector: prototrust.ServiceSelector_ANY}
	config, err := root.NewSigningConfig(root.SigningConfigMediaType02,
		services(s.FulcioURL, 1),
		services(s.OIDCURL, 1),
		services(s.RekorURL, 2), anyOne,
		services(s.TSAURL, 1), anyOne)
	if err != nil {
		return nil, fmt.Errorf("signing config: %w", err)
	}
	return config.MarshalJSON()
}

func (s Services) log(url string, id []byte, key crypto.PublicKey) map[string]*root.TransparencyLog {
	return map[string]*root.TransparencyLog{hex.EncodeToString(id): {
		BaseURL: url, ID: id, ValidityPeriodStart: s.Since,
		HashFunc: crypto.SHA256, PublicKey: key, SignatureHashFunc: crypto.SHA256,
	}}
}

// keyID: RFC 6962, section 3.2: a log is known by the hash of its key.
func keyID(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return sum[:], nil
}
