// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"testing"
	"time"

	"github.com/sigstore/rekor-tiles/v2/pkg/note"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/chartsign/chartsign/keys"
)

// VirtualSigstore is a complete Sigstore deployment in memory: a certificate authority with
// an intermediate, a certificate transparency log, a timestamp authority, a Rekor v1 and a
// Rekor v2 log. Two of them share nothing but their names, so one can play the rogue of the
// other. It is safe for concurrent use.
type VirtualSigstore struct {
	// Clock is the time of all services; it starts at Epoch.
	Clock *Clock

	fulcio *authority
	tsa    *authority
	ctKey  *ecdsa.PrivateKey
	rekor1 *rekorLog
	rekor2 *rekorLog
}

// The host names in the trusted root.
const (
	fulcioURL = "https://fulcio.testkit.test"
	ctURL     = "https://ct.testkit.test"
	tsaURL    = "https://tsa.testkit.test/api/v1/timestamp"
	rekor1URL = "https://rekor1.testkit.test"
	rekor2URL = "https://rekor2.testkit.test"
)

// NewVirtualSigstore returns a new deployment with keys of its own.
func NewVirtualSigstore(tb testing.TB) *VirtualSigstore {
	tb.Helper()
	return &VirtualSigstore{
		Clock:  new(Clock),
		fulcio: newAuthority(tb, x509.ExtKeyUsageCodeSigning),
		tsa:    newTimestampAuthority(tb),
		ctKey:  newKey(tb),
		rekor1: newRekorLog(tb, rekor1URL, 1),
		rekor2: newRekorLog(tb, rekor2URL, 2),
	}
}

// Root returns the trusted root of the deployment.
func (v *VirtualSigstore) Root(tb testing.TB) *keys.SigstoreRoot {
	tb.Helper()
	trusted, err := keys.ReadTrustedRoot(v.RootJSON(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return trusted
}

// RootJSON returns the trusted root as the content of a trusted_root.json.
func (v *VirtualSigstore) RootJSON(tb testing.TB) []byte {
	tb.Helper()
	since := earliest()
	logs := map[string]*root.TransparencyLog{}
	for _, log := range []*rekorLog{v.rekor1, v.rekor2} {
		logs[hex.EncodeToString(log.id)] = transparencyLog(log.url, log.id, log.key.Public())
	}
	ctID := keyID(tb, v.ctKey.Public())
	trusted, err := root.NewTrustedRoot(root.TrustedRootMediaType01,
		[]root.CertificateAuthority{&root.FulcioCertificateAuthority{
			Root: v.fulcio.root, Intermediates: []*x509.Certificate{v.fulcio.intermediate}, ValidityPeriodStart: since, URI: fulcioURL,
		}},
		map[string]*root.TransparencyLog{hex.EncodeToString(ctID): transparencyLog(ctURL, ctID, v.ctKey.Public())},
		[]root.TimestampingAuthority{&root.SigstoreTimestampingAuthority{
			Root: v.tsa.root, Intermediates: []*x509.Certificate{v.tsa.intermediate}, Leaf: v.tsa.leaf, ValidityPeriodStart: since, URI: tsaURL,
		}},
		logs)
	if err != nil {
		tb.Fatal(err)
	}
	data, err := trusted.MarshalJSON()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func transparencyLog(url string, id []byte, key crypto.PublicKey) *root.TransparencyLog {
	return &root.TransparencyLog{
		BaseURL: url, ID: id, ValidityPeriodStart: earliest(),
		HashFunc: crypto.SHA256, PublicKey: key, SignatureHashFunc: crypto.SHA256,
	}
}

// earliest is from when on authorities and logs are valid: long before Epoch, because some
// libraries ask the real clock.
func earliest() time.Time { return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }

func latest() time.Time { return time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC) }

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// keyID: RFC 6962, 3.2: a log is known by the SHA-256 of its key.
func keyID(tb testing.TB, key crypto.PublicKey) []byte {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return sum[:]
}

// noteKeyID: C2SP signed-note: Rekor v2 is known by the hash over origin and key.
func noteKeyID(tb testing.TB, origin string, key crypto.PublicKey) []byte {
	tb.Helper()
	_, id, err := note.KeyHash(origin, key)
	if err != nil {
		tb.Fatal(err)
	}
	return id
}
