// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

// archive is the content of the chart that bundles here are about; no bundle needs more of it.
var archive = []byte("archive")

var manifest = chartsign.DigestOf([]byte("manifest"))

// chartOf returns a chart whose layer has the content, as known from its config blob.
func chartOf(tb testing.TB, content []byte) *chartsign.Chart {
	tb.Helper()
	chart, err := chartsign.ChartFromConfig([]byte(`{"apiVersion":"v2","name":"guestbook","version":"1.0.0"}`), chartsign.DigestOf(content), int64(len(content)))
	if err != nil {
		tb.Fatal(err)
	}
	return chart
}

// inRegistry is the chart as a registry keeps it, onDisk the same as a file.
func inRegistry(tb testing.TB) chartsign.Subject {
	tb.Helper()
	return chartsign.Subject{Chart: chartOf(tb, archive), Manifest: manifest}
}

func onDisk(tb testing.TB) chartsign.Subject {
	tb.Helper()
	return chartsign.Subject{Chart: chartOf(tb, archive)}
}

// releaseSigner is the identity that testkit signs as.
func releaseSigner() verify.Signer {
	return verify.Signer{Name: "release", Keyless: []verify.KeylessIdentity{{Issuer: testkit.Issuer, Subject: testkit.Subject}}}
}

func logOptional() verify.Signer {
	signer := releaseSigner()
	signer.LogOptional = true
	return signer
}

func sigstoreRoot(tb testing.TB, virtual *testkit.VirtualSigstore) *keys.TrustRoot {
	tb.Helper()
	return trust(tb, keys.TrustMaterial{Sigstore: virtual.Root(tb)})
}

// judgeBundle returns the one result about a bundle for the chart in a registry.
func judgeBundle(tb testing.TB, root *keys.TrustRoot, signer verify.Signer, data []byte) verify.Result {
	tb.Helper()
	return judgeBundleAbout(tb, root, signer, inRegistry(tb), data)
}

func judgeBundleAbout(tb testing.TB, root *keys.TrustRoot, signer verify.Signer, subject chartsign.Subject, data []byte) verify.Result {
	tb.Helper()
	results := newVerifier(tb, root, []verify.Signer{signer}, noOptions).Verify(subject, bundle(data), testkit.Epoch())
	if len(results) != 1 {
		tb.Fatalf("got %d results, want 1", len(results))
	}
	return results[0]
}

func newECDSA(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func publicKey(tb testing.TB, key crypto.Signer) keys.PublicKey {
	tb.Helper()
	public, err := keys.NewPublicKey(key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	return public
}

// editedRoot is a trusted root with parts of it changed.
type editedRoot struct {
	root.TrustedMaterial
	authorities []root.CertificateAuthority
	logs        map[string]*root.TransparencyLog
	ctLogs      map[string]*root.TransparencyLog
	timestamps  []root.TimestampingAuthority
}

func (r editedRoot) FulcioCertificateAuthorities() []root.CertificateAuthority { return r.authorities }

func (r editedRoot) RekorLogs() map[string]*root.TransparencyLog { return r.logs }

func (r editedRoot) CTLogs() map[string]*root.TransparencyLog { return r.ctLogs }

func (r editedRoot) TimestampingAuthorities() []root.TimestampingAuthority { return r.timestamps }

// editRoot returns the trust root of virtual after edit.
func editRoot(tb testing.TB, virtual *testkit.VirtualSigstore, edit func(*editedRoot)) *keys.TrustRoot {
	tb.Helper()
	material, err := root.NewTrustedRootFromJSON(virtual.RootJSON(tb))
	if err != nil {
		tb.Fatal(err)
	}
	edited := &editedRoot{
		TrustedMaterial: material, authorities: material.FulcioCertificateAuthorities(), logs: material.RekorLogs(),
		ctLogs: material.CTLogs(), timestamps: material.TimestampingAuthorities(),
	}
	edit(edited)
	return trust(tb, keys.TrustMaterial{Sigstore: keys.NewSigstoreRoot(edited, chartsign.DigestOf([]byte(tb.Name())))})
}
