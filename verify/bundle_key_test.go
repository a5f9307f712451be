// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"testing"

	"github.com/google/go-cmp/cmp"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

func TestKeySignedBundles(t *testing.T) {
	virtual, rogue := testkit.NewVirtualSigstore(t), testkit.NewVirtualSigstore(t)
	right, wrong := newECDSA(t), newECDSA(t)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	named := func(optional bool, list ...crypto.Signer) verify.Signer {
		signer := verify.Signer{Name: "release", LogOptional: optional}
		for _, key := range list {
			signer.Keys = append(signer.Keys, publicKey(t, key).Fingerprint)
		}
		return signer
	}
	all := []keys.PublicKey{publicKey(t, wrong), publicKey(t, right), publicKey(t, edwards)}
	both := keys.TrustMaterial{Sigstore: virtual.Root(t), Keys: all}
	withoutRoot := keys.TrustMaterial{Keys: all}
	bare := testkit.BundleOptions{Key: right, NoTimestamp: true, NoLogEntry: true}
	for _, tc := range []struct {
		name     string
		material keys.TrustMaterial
		signer   verify.Signer
		opts     testkit.BundleOptions
		want     judgement
	}{
		{"right key", both, named(false, right), testkit.BundleOptions{Key: right}, verified},
		{"right key among several", both, named(false, wrong, right), testkit.BundleOptions{Key: right}, verified},
		{"Rekor v2", both, named(false, right), testkit.BundleOptions{Key: right, RekorV2: true}, verified},
		{"log without promise and no time", both, named(false, right), testkit.BundleOptions{Key: right, NoPromise: true, NoTimestamp: true}, verified},
		{"key in the root, but no signer's", both, named(false, wrong), testkit.BundleOptions{Key: right}, rejected(verify.ReasonSignatureInvalid)},
		{"signer's key, but not in the root", keys.TrustMaterial{Sigstore: virtual.Root(t), Keys: all[:1]}, named(false, right), testkit.BundleOptions{Key: right}, rejected(verify.ReasonSignatureInvalid)},
		{"signer named by identity", both, releaseSigner(), testkit.BundleOptions{Key: right}, rejected(verify.ReasonSignerNotTrusted)},
		{"certificate, signer named by key", both, named(false, right), testkit.BundleOptions{}, rejected(verify.ReasonSignerNotTrusted)},
		{"no log entry", both, named(false, right), bare, rejected(verify.ReasonLogEntryMissing)},
		{"no log entry, optional", both, named(true, right), bare, verified},
		{"no log entry, optional, no root", withoutRoot, named(true, right), bare, verified},
		{"no log entry, required, no root", withoutRoot, named(false, right), bare, rejected(verify.ReasonLogEntryMissing)},
		{"log entry that cannot be looked at", withoutRoot, named(true, right), testkit.BundleOptions{Key: right}, inconclusive(verify.ReasonNoTrustedRoot)},
		{"wrong key, no root", withoutRoot, named(true, wrong), testkit.BundleOptions{Key: right}, rejected(verify.ReasonSignatureInvalid)},
		{"CVE-2023-47122: foreign log", both, named(false, right), testkit.BundleOptions{Key: right, Rogue: rogue, RogueLog: true}, rejected(verify.ReasonLogEntryInvalid)},
		{"CVE-2023-47122: foreign log, optional", both, named(true, right), testkit.BundleOptions{Key: right, Rogue: rogue, RogueLog: true}, rejected(verify.ReasonLogEntryInvalid)},
		{"foreign timestamp", both, named(false, right), testkit.BundleOptions{Key: right, Rogue: rogue, RogueTSA: true}, rejected(verify.ReasonTimestampInvalid)},
		{"foreign timestamp, no promise", both, named(false, right), testkit.BundleOptions{Key: right, Rogue: rogue, RogueTSA: true, NoPromise: true}, rejected(verify.ReasonTimestampInvalid)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			root := trust(t, tc.material)
			for form, data := range map[string][]byte{"statement": virtual.SignManifest(t, manifest, tc.opts), "message": virtual.SignArchive(t, archive, tc.opts)} {
				result := judgeBundle(t, root, tc.signer, data)
				if diff := cmp.Diff(tc.want, judgementOf(result)); diff != "" {
					t.Errorf("%s (-want +got):\n%s%v", form, diff, result.Reason())
				}
				if carried := !tc.opts.NoTimestamp; carried != (len(result.Timestamps()) > 0) && result.Outcome() == verify.Verified {
					t.Errorf("%s: got the times %v, want them: %v", form, result.Timestamps(), carried)
				}
				if result.Outcome() == verify.Verified && result.Identity().Key != publicKey(t, right).Fingerprint {
					t.Errorf("%s: got the identity %v", form, result.Identity())
				}
			}
		})
	}
}

// TestHintChoosesNothing: the hint is an untrusted name.
func TestHintChoosesNothing(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	right, wrong := newECDSA(t), newECDSA(t)
	material := keys.TrustMaterial{Sigstore: virtual.Root(t), Keys: []keys.PublicKey{publicKey(t, right), publicKey(t, wrong)}}
	for _, hint := range []string{"", publicKey(t, wrong).Fingerprint, publicKey(t, right).Fingerprint, "../../key", "\x00"} {
		for key, want := range map[crypto.Signer]judgement{right: verified, wrong: rejected(verify.ReasonSignatureInvalid)} {
			data := testkit.EditBundle(t, virtual.SignManifest(t, manifest, testkit.BundleOptions{Key: key}), func(b *protobundle.Bundle) {
				b.GetVerificationMaterial().GetPublicKey().Hint = hint
			})
			signer := verify.Signer{Name: "release", Keys: []string{publicKey(t, right).Fingerprint}}
			if diff := cmp.Diff(want, judgementOf(judgeBundle(t, trust(t, material), signer, data))); diff != "" {
				t.Errorf("hint %q (-want +got):\n%s", hint, diff)
			}
		}
	}
}

// TestEd25519SignsContentNotDigest: with a digest in place of the content the library checks
// the signature over nothing at all. Whoever has signed an empty file once would have
// signed every chart.
func TestEd25519SignsContentNotDigest(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := publicKey(t, key)
	root := trust(t, keys.TrustMaterial{Sigstore: virtual.Root(t), Keys: []keys.PublicKey{public}})
	signer := verify.Signer{Name: "release", Keys: []string{public.Fingerprint}, LogOptional: true}
	options := testkit.BundleOptions{Key: key, NoLogEntry: true, NoTimestamp: true}
	overNothing := testkit.EditBundle(t, virtual.SignArchive(t, nil, options), func(b *protobundle.Bundle) {
		digest := chartsign.DigestOf(archive)
		b.GetMessageSignature().MessageDigest.Digest = digest[:]
	})
	for name, tc := range map[string]struct {
		data []byte
		want judgement
	}{
		"statement":                 {virtual.SignManifest(t, manifest, options), verified},
		"message":                   {virtual.SignArchive(t, archive, options), rejected(verify.ReasonSignatureInvalid)},
		"signature over no content": {overNothing, rejected(verify.ReasonSignatureInvalid)},
	} {
		if diff := cmp.Diff(tc.want, judgementOf(judgeBundle(t, root, signer, tc.data))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
