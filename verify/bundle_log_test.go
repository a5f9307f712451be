// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/proto"

	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

// TestManyEntries: CVE-2024-45395 and CVE-2026-49834. Neither the number of entries nor copies
// of one make up for good ones, and a bad one is not passed over.
func TestManyEntries(t *testing.T) {
	virtual, rogue := testkit.NewVirtualSigstore(t), testkit.NewVirtualSigstore(t)
	trusted := sigstoreRoot(t, virtual)
	good := virtual.SignManifest(t, manifest, testkit.BundleOptions{})
	second := testkit.EditBundle(t, good, func(b *protobundle.Bundle) {
		entry := proto.CloneOf(b.GetVerificationMaterial().GetTlogEntries()[0])
		virtual.ResignLogEntry(t, entry)
		b.VerificationMaterial.TlogEntries = append(b.VerificationMaterial.TlogEntries, entry)
	})
	foreign := testkit.EditBundle(t, good, func(b *protobundle.Bundle) {
		entry := proto.CloneOf(b.GetVerificationMaterial().GetTlogEntries()[0])
		rogue.ResignLogEntry(t, entry)
		b.VerificationMaterial.TlogEntries = append(b.VerificationMaterial.TlogEntries, entry)
	})
	ofAnother := testkit.EditBundle(t, good, func(b *protobundle.Bundle) {
		testkit.EditBundle(t, virtual.SignManifest(t, manifest, testkit.BundleOptions{}), func(other *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries = append(b.VerificationMaterial.TlogEntries, other.GetVerificationMaterial().GetTlogEntries()...)
		})
	})
	badPromise := testkit.EditBundle(t, second, func(b *protobundle.Bundle) {
		b.GetVerificationMaterial().GetTlogEntries()[1].InclusionPromise.SignedEntryTimestamp[8] ^= 1
	})
	copies := func(count int) []byte {
		return testkit.EditBundle(t, good, func(b *protobundle.Bundle) {
			for range count - 1 {
				b.VerificationMaterial.TlogEntries = append(b.VerificationMaterial.TlogEntries, b.GetVerificationMaterial().GetTlogEntries()[0])
			}
		})
	}
	stamps := func(count int) []byte {
		return testkit.EditBundle(t, good, func(b *protobundle.Bundle) {
			data := b.GetVerificationMaterial().GetTimestampVerificationData()
			for range count - 1 {
				data.Rfc3161Timestamps = append(data.Rfc3161Timestamps, data.GetRfc3161Timestamps()[0])
			}
		})
	}
	for _, tc := range []struct {
		name string
		data []byte
		want judgement
	}{
		{"two good entries", second, verified},
		{"a second one of a foreign log", foreign, rejected(verify.ReasonLogEntryInvalid)},
		{"a second one about another signature", ofAnother, rejected(verify.ReasonLogEntryInvalid)},
		{"a second one with a bad promise", badPromise, rejected(verify.ReasonLogEntryInvalid)},
		{"the entry twice", copies(2), rejected(verify.ReasonLogEntryInvalid)},
		{"the entry 32 times", copies(32), rejected(verify.ReasonLogEntryInvalid)},
		{"the entry 33 times", copies(33), rejected(verify.ReasonBundleMalformed)},
		{"the entry 2,000 times", copies(2000), rejected(verify.ReasonBundleMalformed)},
		{"the timestamp twice", stamps(2), rejected(verify.ReasonTimestampInvalid)},
		{"the timestamp 2,000 times", stamps(2000), rejected(verify.ReasonTimestampInvalid)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			result := judgeBundle(t, trusted, releaseSigner(), tc.data)
			if diff := cmp.Diff(tc.want, judgementOf(result)); diff != "" {
				t.Errorf("verify (-want +got):\n%s%v", diff, result.Reason())
			}
		})
	}
}

// TestHostileLogBodies: the bodies of entries are parsed before anything about them is
// proven. None may crash the judge; with Rekor v2 the library does not even hash them.
func TestHostileLogBodies(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	trusted := sigstoreRoot(t, virtual)
	hash := `{"algorithm":"sha256","value":"` + strings.Repeat("0", 64) + `"}`
	for name, body := range map[string]string{
		"dsse, null for the signature":      `{"apiVersion":"0.0.1","kind":"dsse","spec":{"envelopeHash":` + hash + `,"payloadHash":` + hash + `,"signatures":[null]}}`,
		"dsse, no signatures":               `{"apiVersion":"0.0.1","kind":"dsse","spec":{"envelopeHash":` + hash + `,"payloadHash":` + hash + `,"signatures":[]}}`,
		"dsse, no payload hash":             `{"apiVersion":"0.0.1","kind":"dsse","spec":{"signatures":[{"signature":"AAAA","verifier":"AAAA"}]}}`,
		"intoto, no signatures":             `{"apiVersion":"0.0.2","kind":"intoto","spec":{"content":{"envelope":{"payloadType":"x","signatures":[]},"hash":` + hash + `}}}`,
		"intoto, null for the signature":    `{"apiVersion":"0.0.2","kind":"intoto","spec":{"content":{"envelope":{"payloadType":"x","signatures":[null]},"hash":` + hash + `}}}`,
		"intoto, nothing":                   `{"apiVersion":"0.0.2","kind":"intoto","spec":{"content":{}}}`,
		"hashedrekord, nothing":             `{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{}}`,
		"hashedrekord, null for the key":    `{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":` + hash + `},"signature":{"content":"AAAA","publicKey":null}}}`,
		"hashedrekord v2, nothing":          `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{}}}`,
		"hashedrekord v2, no data":          `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"signature":{"content":"AAAA","verifier":{"publicKey":{"rawBytes":"AAAA"}}}}}}`,
		"kind twice":                        `{"apiVersion":"0.0.1","kind":"dsse","kind":"hashedrekord","spec":{}}`,
		"helm":                              `{"apiVersion":"0.0.1","kind":"helm","spec":{"chart":{},"publicKey":{"content":"AAAA"}}}`,
		"null":                              `null`,
		"list":                              `[]`,
		"not JSON":                          `x`,
		"rekord, which says nothing useful": `{"apiVersion":"0.0.1","kind":"rekord","spec":{"data":{},"signature":{}}}`,
	} {
		for _, opts := range []testkit.BundleOptions{{}, {NoPromise: true}, {RekorV2: true}} {
			data := testkit.EditBundle(t, virtual.SignManifest(t, manifest, opts), func(b *protobundle.Bundle) {
				entry := b.GetVerificationMaterial().GetTlogEntries()[0]
				entry.CanonicalizedBody = []byte(body)
				var kind struct{ Kind, APIVersion string }
				if json.Unmarshal([]byte(body), &kind) == nil {
					entry.KindVersion.Kind, entry.KindVersion.Version = kind.Kind, kind.APIVersion
				}
			})
			result := judgeBundle(t, trusted, releaseSigner(), data)
			if got := judgementOf(result); got != rejected(verify.ReasonLogEntryInvalid) && got != rejected(verify.ReasonBundleMalformed) {
				t.Errorf("%s %+v: got %v", name, opts, got)
			}
			if strings.Contains(result.Reason().Message, "stumble") {
				t.Errorf("%s %+v: a reader panicked: %v", name, opts, result.Reason())
			}
		}
	}
}

// TestBodyIsTheProvenLeaf: of a Rekor v2 entry the library proves the body that there should
// be. The one that is there may not differ in a byte, not even in what JSON ignores.
func TestBodyIsTheProvenLeaf(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	trusted := sigstoreRoot(t, virtual)
	for name, opts := range map[string]testkit.BundleOptions{"v1": {}, "v1 without promise": {NoPromise: true}, "v2": {RekorV2: true}} {
		data := testkit.EditBundle(t, virtual.SignManifest(t, manifest, opts), func(b *protobundle.Bundle) {
			entry := b.GetVerificationMaterial().GetTlogEntries()[0]
			entry.CanonicalizedBody = append(entry.GetCanonicalizedBody(), '\r')
		})
		if diff := cmp.Diff(rejected(verify.ReasonLogEntryInvalid), judgementOf(judgeBundle(t, trusted, releaseSigner(), data))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestRekorV2BodyUnderV1Checkpoint: where the body is of Rekor v2 and the checkpoint of Rekor
// v1, the library takes neither of its two ways to compare the entry with the bundle. A log
// that takes any body would make every entry fit every bundle.
func TestRekorV2BodyUnderV1Checkpoint(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	key := newECDSA(t)
	public := publicKey(t, key)
	trusted := trust(t, keys.TrustMaterial{Sigstore: virtual.Root(t), Keys: []keys.PublicKey{public}})
	signer := verify.Signer{Name: "release", Keys: []string{public.Fingerprint}}
	opts := testkit.BundleOptions{Key: key, RekorV2: true}
	otherDER, err := x509.MarshalPKIXPublicKey(newECDSA(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	same := func(body string) string { return body }
	for name, tc := range map[string]struct {
		edit func(body string) string
		want judgement
	}{
		"its own body": {same, verified},
		"another signature of the same key": {func(string) string {
			other := decode(t, virtual.SignManifest(t, manifest, opts))
			return string(other.GetVerificationMaterial().GetTlogEntries()[0].GetCanonicalizedBody())
		}, rejected(verify.ReasonLogEntryInvalid)},
		"another key": {func(body string) string {
			at := strings.Index(body, `"rawBytes":"`) + len(`"rawBytes":"`)
			return body[:at] + base64.StdEncoding.EncodeToString(otherDER) + body[at+strings.Index(body[at:], `"`):]
		}, rejected(verify.ReasonLogEntryInvalid)},
		"another digest": {func(body string) string {
			at := strings.Index(body, `"digest":"`) + len(`"digest":"`)
			return body[:at] + base64.StdEncoding.EncodeToString(make([]byte, 32)) + body[at+strings.Index(body[at:], `"`):]
		}, rejected(verify.ReasonLogEntryInvalid)},
		"another algorithm": {func(body string) string { return strings.Replace(body, `"SHA2_256"`, `"SHA2_512"`, 1) }, rejected(verify.ReasonLogEntryInvalid)},
	} {
		data := testkit.EditBundle(t, virtual.SignManifest(t, manifest, opts), func(b *protobundle.Bundle) {
			entry := b.GetVerificationMaterial().GetTlogEntries()[0]
			entry.CanonicalizedBody = []byte(tc.edit(string(entry.GetCanonicalizedBody())))
			virtual.ResignLogEntry(t, entry)
			entry.KindVersion.Version, entry.InclusionPromise = "0.0.2", nil
			entry.LogIndex, entry.IntegratedTime = 0, 0
		})
		result := judgeBundle(t, trusted, signer, data)
		if diff := cmp.Diff(tc.want, judgementOf(result)); diff != "" {
			t.Errorf("%s (-want +got):\n%s%v", name, diff, result.Reason())
		}
	}
}
