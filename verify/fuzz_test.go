// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

// noPanic fails if the net below the libraries has caught something.
func noPanic(tb testing.TB, results []verify.Result) {
	tb.Helper()
	if len(results) == 0 {
		tb.Error("got no result, want at least one")
	}
	for _, result := range results {
		if reason := result.Reason(); reason != nil && strings.Contains(reason.Message, "a reader stumble") {
			tb.Errorf("a reader panicked: %v", reason)
		}
		if (result.Reason() == nil) != (result.Outcome() == verify.Verified) {
			tb.Errorf("got %v with the reason %v", result.Outcome(), result.Reason())
		}
		if (len(result.Signers()) > 0) != (result.Outcome() == verify.Verified) {
			tb.Errorf("got %v with the signers %v", result.Outcome(), result.Signers())
		}
	}
}

// FuzzVerifyBundle: whatever is done to valid bundles, the judge does not crash, and says
// verified only of messages that are equal to one of them. Every process has keys and bundles
// of its own, so the input says what to do to which bundle: replace cut bytes at a place.
func FuzzVerifyBundle(f *testing.F) {
	virtual := testkit.NewVirtualSigstore(f)
	key := newECDSA(f)
	public := publicKey(f, key)
	signer := releaseSigner()
	signer.Keys = []string{public.Fingerprint}
	root := trust(f, keys.TrustMaterial{Sigstore: virtual.Root(f), Keys: []keys.PublicKey{public}})
	verifier := newVerifier(f, root, []verify.Signer{signer}, noOptions)
	subject := inRegistry(f)
	var seeds []*protobundle.Bundle
	var forms [][]byte
	// Without a promise, index and time of a Rekor v1 entry are nobody's word: not a seed.
	for _, opts := range []testkit.BundleOptions{{}, {RekorV2: true}, {NoTimestamp: true}, {Key: key}} {
		for _, data := range [][]byte{virtual.SignManifest(f, manifest, opts), virtual.SignArchive(f, archive, opts)} {
			if got := judgementsOf(verifier.Verify(subject, bundle(data), testkit.Epoch())); got[0] != verified {
				f.Fatalf("%+v: got %v", opts, got)
			}
			seeds, forms = append(seeds, semantics(decode(f, data))), append(forms, compact(f, data))
		}
	}
	for which, data := range forms {
		f.Add(byte(which), uint16(0), uint16(0), []byte(nil))
		for _, name := range []string{"integratedTime", "logIndex", "signedTimestamp", "rootHash", "canonicalizedBody", "payload\"", "digest", "sig"} {
			f.Add(byte(which), uint16(max(0, bytes.Index(data, []byte(name)))), uint16(len(name)+4), []byte(name+`":"1`))
		}
	}
	f.Add(byte(0), uint16(0), uint16(0xffff), []byte(`{"verificationMaterial":{"publicKey":{"hint":""}},"dsseEnvelope":{}}`))
	f.Fuzz(func(t *testing.T, which byte, at, cut uint16, put []byte) {
		data := forms[int(which)%len(forms)]
		from := min(int(at), len(data))
		data = slices.Concat(data[:from], put, data[min(from+int(cut), len(data)):])
		results := verifier.Verify(subject, bundle(data), testkit.Epoch())
		noPanic(t, results)
		if results[0].Outcome() != verify.Verified {
			return
		}
		got := new(protobundle.Bundle)
		if err := protojson.Unmarshal(data, got); err != nil {
			t.Fatalf("verified, and is no bundle: %v", err)
		}
		got = semantics(got)
		for _, seed := range seeds {
			if proto.Equal(seed, got) {
				return
			}
		}
		t.Errorf("verified, and is none of the seeds:\n%s", data)
	})
}

// semantics is a copy without what means nothing: the version's spelling, hints, and what of
// time and promise may be left out because the other is there.
func semantics(b *protobundle.Bundle) *protobundle.Bundle {
	c := proto.CloneOf(b)
	c.MediaType = ""
	if key := c.GetVerificationMaterial().GetPublicKey(); key != nil {
		key.Hint = ""
	}
	for _, signature := range c.GetDsseEnvelope().GetSignatures() {
		signature.Keyid = ""
	}
	c.VerificationMaterial.TimestampVerificationData = nil
	for _, entry := range c.GetVerificationMaterial().GetTlogEntries() {
		entry.InclusionPromise, entry.InclusionProof, entry.LogIndex, entry.IntegratedTime = nil, nil, 0, 0
	}
	return c
}

// FuzzProvenance: whatever is done to honest and hostile .prov files, verified means that the
// text is one that the release key has signed about this chart.
func FuzzProvenance(f *testing.F) {
	verifier := pgpVerifier(f, loadKeys(f, "release"), noOptions)
	compat := pgpVerifier(f, loadKeys(f, "release"), verify.Options{HelmCompat: true})
	subject := guestbook(f)
	signed := make(map[string]bool)
	files, err := filepath.Glob(filepath.Join(testdata, "provenance", "h*", "*.prov"))
	if err != nil || len(files) < 50 {
		f.Fatalf("got %d files, %v", len(files), err)
	}
	for _, file := range files {
		rest, err := filepath.Rel(testdata, file)
		if err != nil {
			f.Fatal(err)
		}
		data := readFile(f, rest)
		f.Add(data)
		if compat.Verify(subject, provenance(data), lateNow)[0].Outcome() == verify.Verified {
			signed[text(data)] = true
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, judge := range []*verify.Verifier{verifier, compat} {
			results := judge.Verify(subject, provenance(data), lateNow)
			noPanic(t, results)
			for _, result := range results {
				if result.Outcome() == verify.Verified && !signed[text(data)] {
					t.Errorf("verified, and nobody signed this text:\n%s", data)
				}
			}
		}
		if reason := verify.Matches(subject, provenance(data)); reason != nil && verifier.Verify(subject, provenance(data), lateNow)[0].Outcome() == verify.Verified {
			t.Errorf("verified, and does not match: %v", reason)
		}
	})
}

// text is the clear-signed text as another reader finds it: without line ends of any kind.
func text(data []byte) string {
	block, _ := clearsign.Decode(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
	if block == nil {
		return ""
	}
	return strings.TrimRight(string(block.Plaintext), "\n")
}

// FuzzMatches: those who carry evidence parse it before anybody has judged it.
func FuzzMatches(f *testing.F) {
	virtual := testkit.NewVirtualSigstore(f)
	f.Add(virtual.SignManifest(f, manifest, testkit.BundleOptions{}))
	for _, name := range []string{"honest/gpg", "honest/helm4", "hostile/extra-file", "hostile/second-document", "hostile/third-part", "hostile/duplicate-metadata-key"} {
		f.Add(readFile(f, "provenance", name+".prov"))
	}
	subject := inRegistry(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []chartsign.EvidenceKind{chartsign.KindBundle, chartsign.KindAttestation, chartsign.KindProvenance} {
			_ = verify.Matches(subject, chartsign.NewEvidence(kind, chartsign.SourceFile, "x", data))
		}
		if _, reason := verify.BundleAnnotations(bundle(data)); reason != nil && reason.Code == "" {
			t.Error("got a reason without a code")
		}
	})
}
