// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package testkit_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

// TestKnobs shows that the zero options make a bundle that verifies, and that each knob
// spoils the one thing that it names.
func TestKnobs(t *testing.T) {
	virtual, rogue := testkit.NewVirtualSigstore(t), testkit.NewVirtualSigstore(t)
	manifest := chartsign.DigestOf([]byte("manifest"))
	archive := []byte("archive")
	for name, tc := range map[string]struct {
		opts testkit.BundleOptions
		code chartsign.ReasonCode
	}{
		"genuine":                  {},
		"subject is a URI":         {opts: testkit.BundleOptions{Subject: "https://github.com/acme/charts/.github/workflows/r.yml@refs/heads/main"}, code: verify.ReasonSignerNotTrusted},
		"other issuer":             {opts: testkit.BundleOptions{Issuer: "https://other.test"}, code: verify.ReasonSignerNotTrusted},
		"extensions":               {opts: testkit.BundleOptions{Extensions: map[int]string{5: "acme/charts", 12: "https://github.com/acme/charts"}}},
		"log without promise":      {opts: testkit.BundleOptions{NoPromise: true}},
		"no timestamp":             {opts: testkit.BundleOptions{NoTimestamp: true}},
		"log v2":                   {opts: testkit.BundleOptions{RekorV2: true}},
		"no time at all":           {opts: testkit.BundleOptions{NoTimestamp: true, NoPromise: true}, code: verify.ReasonTimestampMissing},
		"log v2 without timestamp": {opts: testkit.BundleOptions{NoTimestamp: true, RekorV2: true}, code: verify.ReasonTimestampMissing},
		"no log entry":             {opts: testkit.BundleOptions{NoLogEntry: true}, code: verify.ReasonLogEntryMissing},
		"no SCT":                   {opts: testkit.BundleOptions{NoSCT: true}, code: verify.ReasonSCTInvalid},
		"rogue CA":                 {opts: testkit.BundleOptions{Rogue: rogue, RogueCA: true}, code: verify.ReasonCertificateInvalid},
		"rogue CT log":             {opts: testkit.BundleOptions{Rogue: rogue, RogueCT: true}, code: verify.ReasonSCTInvalid},
		"rogue TSA":                {opts: testkit.BundleOptions{Rogue: rogue, RogueTSA: true, NoPromise: true}, code: verify.ReasonTimestampInvalid},
		"rogue log":                {opts: testkit.BundleOptions{Rogue: rogue, RogueLog: true}, code: verify.ReasonLogEntryInvalid},
		"rogue log v2":             {opts: testkit.BundleOptions{Rogue: rogue, RogueLog: true, RekorV2: true}, code: verify.ReasonLogEntryInvalid},
		"signed after expiry": {opts: testkit.BundleOptions{
			NotBefore: testkit.Epoch().Add(-time.Hour), NotAfter: testkit.Epoch().Add(-time.Minute), NoLogEntry: true,
		}, code: verify.ReasonCertificateInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, virtual, manifest, virtual.SignManifest(t, manifest, tc.opts), tc.code)
			check(t, virtual, chartsign.Digest{}, virtual.SignArchive(t, archive, tc.opts), tc.code)
		})
	}
}

func check(t *testing.T, virtual *testkit.VirtualSigstore, manifest chartsign.Digest, bundle []byte, want chartsign.ReasonCode) {
	t.Helper()
	root, err := keys.NewTrustRoot(keys.TrustMaterial{Sigstore: virtual.Root(t)})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := verify.New(root, []verify.Signer{{Name: "release", Keyless: []verify.KeylessIdentity{{Issuer: testkit.Issuer, Subject: testkit.Subject}}}}, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	chart, err := chartsign.ChartFromConfig([]byte(`{"name":"a","version":"1.0.0","apiVersion":"v2"}`), chartsign.DigestOf([]byte("archive")), 7)
	if err != nil {
		t.Fatal(err)
	}
	evidence := chartsign.NewEvidence(chartsign.KindBundle, chartsign.SourceFile, "test", bundle)
	result := verifier.Verify(chartsign.Subject{Chart: chart, Manifest: manifest}, evidence, testkit.Epoch())[0]
	var got chartsign.ReasonCode
	if reason := result.Reason(); reason != nil {
		got = reason.Code
	}
	if got != want {
		t.Errorf("got %v %v, want %q", result.Outcome(), result.Reason(), want)
	}
}

func TestKeyAndEdit(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	manifest := chartsign.DigestOf([]byte("manifest"))
	bundle := virtual.SignManifest(t, manifest, testkit.BundleOptions{Key: key})
	check(t, virtual, manifest, bundle, verify.ReasonSignerNotTrusted)
	edited := testkit.EditBundle(t, bundle, func(b *protobundle.Bundle) { b.MediaType = "text/plain" })
	check(t, virtual, manifest, edited, verify.ReasonBundleMalformed)
}

func TestResignedLogEntryVerifies(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	manifest := chartsign.DigestOf([]byte("manifest"))
	bundle := testkit.EditBundle(t, virtual.SignManifest(t, manifest, testkit.BundleOptions{}), func(b *protobundle.Bundle) {
		entry := b.GetVerificationMaterial().GetTlogEntries()[0]
		entry.IntegratedTime += 60
		virtual.ResignLogEntry(t, entry)
	})
	check(t, virtual, manifest, bundle, "")
}
