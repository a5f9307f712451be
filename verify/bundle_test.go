// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

// TestGenuineBundles: what each form proves, and nothing beyond it.
func TestGenuineBundles(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	trusted := sigstoreRoot(t, virtual)
	type facts struct {
		Outcome, Binds, Kind, Predicate string
		CoversMetadata                  bool
		Signers                         []string
		Times                           []string
		Logged, LogTime                 bool
	}
	for _, tc := range []struct {
		name   string
		data   []byte
		signer verify.Signer
		want   facts
	}{
		{"statement", virtual.SignManifest(t, manifest, testkit.BundleOptions{}), releaseSigner(), facts{
			Binds: "manifest", Kind: "bundle", Predicate: testkit.PredicateSignature, CoversMetadata: true, Times: []string{"log", "timestamp-authority"}, Logged: true, LogTime: true,
		}},
		{"message signature", virtual.SignArchive(t, archive, testkit.BundleOptions{}), releaseSigner(), facts{
			Binds: "layer", Kind: "bundle", Times: []string{"log", "timestamp-authority"}, Logged: true, LogTime: true,
		}},
		{"time of the log alone", virtual.SignManifest(t, manifest, testkit.BundleOptions{NoTimestamp: true}), releaseSigner(), facts{
			Binds: "manifest", Kind: "bundle", Predicate: testkit.PredicateSignature, CoversMetadata: true, Times: []string{"log"}, Logged: true, LogTime: true,
		}},
		{"log without a promise vouches for no time", virtual.SignManifest(t, manifest, testkit.BundleOptions{NoPromise: true}), releaseSigner(), facts{
			Binds: "manifest", Kind: "bundle", Predicate: testkit.PredicateSignature, CoversMetadata: true, Times: []string{"timestamp-authority"}, Logged: true,
		}},
		{"Rekor v2", virtual.SignArchive(t, archive, testkit.BundleOptions{RekorV2: true}), releaseSigner(), facts{
			Binds: "layer", Kind: "bundle", Times: []string{"timestamp-authority"}, Logged: true,
		}},
		{"no log, where that is enough", virtual.SignManifest(t, manifest, testkit.BundleOptions{NoLogEntry: true}), logOptional(), facts{
			Binds: "manifest", Kind: "bundle", Predicate: testkit.PredicateSignature, CoversMetadata: true, Times: []string{"timestamp-authority"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			result := judgeBundle(t, trusted, tc.signer, tc.data)
			got := facts{
				Outcome: result.Outcome().String(), Binds: string(result.Binds()), Kind: string(result.Kind()), Predicate: result.PredicateType(),
				CoversMetadata: result.CoversMetadata(), Signers: result.Signers(), Logged: result.Log() != nil,
			}
			for _, stamp := range result.Timestamps() {
				got.Times = append(got.Times, stamp.Kind)
			}
			if got.Logged {
				got.LogTime = !result.Log().Time.IsZero()
			}
			tc.want.Outcome, tc.want.Signers = "verified", []string{"release"}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("facts (-want +got):\n%s%v", diff, result.Reason())
			}
			if got := result.Identity(); got.Subject != testkit.Subject || got.Issuer != testkit.Issuer {
				t.Errorf("got the identity %v", got)
			}
			if !result.SignedAt().Equal(testkit.Epoch()) {
				t.Errorf("signed at: got %v, want %v", result.SignedAt(), testkit.Epoch())
			}
		})
	}
}

// TestWhatABundleIsAbout: the right signer, another subject.
func TestWhatABundleIsAbout(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	trusted := sigstoreRoot(t, virtual)
	statement := virtual.SignManifest(t, manifest, testkit.BundleOptions{})
	message := virtual.SignArchive(t, archive, testkit.BundleOptions{})
	for _, tc := range []struct {
		name    string
		subject chartsign.Subject
		data    []byte
		want    judgement
	}{
		{"statement, right manifest", inRegistry(t), statement, verified},
		{"statement, wrong manifest", chartsign.Subject{Chart: chartOf(t, archive), Manifest: chartsign.DigestOf([]byte("other"))}, statement, rejected(verify.ReasonDigestMismatch)},
		{"statement, local file", onDisk(t), statement, rejected(verify.ReasonDigestMismatch)},
		{"statement about the layer, for a manifest", inRegistry(t), virtual.SignManifest(t, chartsign.DigestOf(archive), testkit.BundleOptions{}), rejected(verify.ReasonDigestMismatch)},
		{"statement about the archive, for the file", onDisk(t), virtual.SignManifest(t, chartsign.DigestOf(archive), testkit.BundleOptions{}), rejected(verify.ReasonDigestMismatch)},
		{"statement about the zero digest, local file", onDisk(t), virtual.SignManifest(t, chartsign.Digest{}, testkit.BundleOptions{}), rejected(verify.ReasonDigestMismatch)},
		{"message, in a registry", inRegistry(t), message, verified},
		{"message, local file", onDisk(t), message, verified},
		{"message, other archive", chartsign.Subject{Chart: chartOf(t, []byte("other")), Manifest: manifest}, message, rejected(verify.ReasonDigestMismatch)},
		{"message over the manifest", inRegistry(t), virtual.SignArchive(t, []byte("manifest"), testkit.BundleOptions{}), rejected(verify.ReasonDigestMismatch)},
		{"nothing known of the chart", chartsign.Subject{Manifest: manifest}, statement, inconclusive(verify.ReasonEvidenceUnavailable)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			result := judgeBundleAbout(t, trusted, releaseSigner(), tc.subject, tc.data)
			if diff := cmp.Diff(tc.want, judgementOf(result)); diff != "" {
				t.Errorf("verify (-want +got):\n%s%v", diff, result.Reason())
			}
		})
	}
}

// TestStatements: genuine signatures of the right signer over statements that are none about
// this chart, or that two readers could read differently.
func TestStatements(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	trusted := sigstoreRoot(t, virtual)
	hexDigest, other := manifest.Hex(), chartsign.DigestOf([]byte("other"))
	good := string(testkit.Statement(t, testkit.PredicateSignature, map[string]any{}, manifest))
	subject := `{"digest":{"sha256":"` + hexDigest + `"}}`
	replace := func(old, by string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the statement has no %q: %s", old, good)
		}
		return strings.Replace(good, old, by, 1)
	}
	for _, tc := range []struct {
		name, payload string
		want          judgement
	}{
		{"as cosign writes it", good, verified},
		{"statement v0.1", replace("Statement/v1", "Statement/v0.1"), verified},
		{"unknown field", replace(`{"_type"`, `{"note":"x","_type"`), verified},
		{"CVE-2026-39395: SBOM by the same identity", replace(testkit.PredicateSignature, "https://spdx.dev/Document"), rejected(verify.ReasonNotASignature)},
		{"CVE-2026-39395: failed VSA", replace(testkit.PredicateSignature, "https://slsa.dev/verification_summary/v1"), rejected(verify.ReasonNotASignature)},
		{"predicate type in another case", replace("cosign/sign", "cosign/Sign"), rejected(verify.ReasonNotASignature)},
		{"predicate type missing", replace(`"predicateType":"`+testkit.PredicateSignature+`",`, ""), rejected(verify.ReasonNotASignature)},
		{"two subjects", string(testkit.Statement(t, testkit.PredicateSignature, map[string]any{}, manifest, other)), rejected(verify.ReasonStatementMalformed)},
		{"the subject twice", string(testkit.Statement(t, testkit.PredicateSignature, map[string]any{}, manifest, manifest)), rejected(verify.ReasonStatementMalformed)},
		{"no subject", replace(subject, ""), rejected(verify.ReasonDigestMismatch)},
		{"subject missing", replace(`"subject":[`+subject+`]`, `"subjects":[]`), rejected(verify.ReasonStatementMalformed)},
		{"subject is null", replace(`[`+subject+`]`, "null"), rejected(verify.ReasonDigestMismatch)},
		{"another subject", replace(hexDigest, other.Hex()), rejected(verify.ReasonDigestMismatch)},
		{"upper-case digest", replace(hexDigest, strings.ToUpper(hexDigest)), rejected(verify.ReasonDigestMismatch)},
		{"digest with its algorithm", replace(hexDigest, "sha256:"+hexDigest), rejected(verify.ReasonDigestMismatch)},
		{"algorithm in another case", replace(`"sha256"`, `"SHA256"`), rejected(verify.ReasonDigestMismatch)},
		{"sha512 only", replace(`"sha256"`, `"sha512"`), rejected(verify.ReasonDigestMismatch)},
		{"a second digest", replace(`"}}]`, `","sha512":"00"}}]`), rejected(verify.ReasonStatementMalformed)},
		{"digest twice", replace(`{"sha256":`, `{"sha256":"`+other.Hex()+`","sha256":`), rejected(verify.ReasonStatementMalformed)},
		{"digest field twice", replace(`{"digest":`, `{"digest":{"sha256":"`+other.Hex()+`"},"digest":`), rejected(verify.ReasonStatementMalformed)},
		{"subject twice", replace(`"subject":`, `"subject":[],"subject":`), rejected(verify.ReasonStatementMalformed)},
		{"Subject beside subject", replace(`"subject":`, `"Subject":[{"digest":{"sha256":"`+other.Hex()+`"}}],"subject":`), rejected(verify.ReasonStatementMalformed)},
		{"subject after Subject", replace(`}]`, `}],"SUBJECT":[{"digest":{"sha256":"`+other.Hex()+`"}}]`), rejected(verify.ReasonStatementMalformed)},
		{"Digest beside digest", replace(`{"digest":`, `{"Digest":{"sha256":"`+other.Hex()+`"},"digest":`), rejected(verify.ReasonStatementMalformed)},
		{"predicateType twice", replace(`"predicateType":`, `"predicateType":"x","predicateType":`), rejected(verify.ReasonStatementMalformed)},
		{"PredicateType beside predicateType", replace(`"predicateType":`, `"PREDICATETYPE":"x","predicateType":`), rejected(verify.ReasonStatementMalformed)},
		{"another type of statement", replace("Statement/v1", "Statement/v2"), rejected(verify.ReasonStatementMalformed)},
		{"an in-toto link", replace("https://in-toto.io/Statement/v1", "link"), rejected(verify.ReasonStatementMalformed)},
		{"a second value", good + good, rejected(verify.ReasonStatementMalformed)},
		{"a list", "[" + good + "]", rejected(verify.ReasonStatementMalformed)},
		{"null", "null", rejected(verify.ReasonStatementMalformed)},
		{"not JSON", "subject: x", rejected(verify.ReasonStatementMalformed)},
		{"deep nesting", strings.Repeat("[", 100_000), rejected(verify.ReasonStatementMalformed)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			result := judgeBundle(t, trusted, releaseSigner(), virtual.Attest(t, []byte(tc.payload), testkit.BundleOptions{}))
			if diff := cmp.Diff(tc.want, judgementOf(result)); diff != "" {
				t.Errorf("verify (-want +got):\n%s%v", diff, result.Reason())
			}
			if tc.want.Code == verify.ReasonNotASignature && result.Kind() != chartsign.KindAttestation {
				t.Errorf("kind: got %v, want %v", result.Kind(), chartsign.KindAttestation)
			}
		})
	}
	t.Run("other payload type", func(t *testing.T) {
		data := virtual.Attest(t, []byte(good), testkit.BundleOptions{PayloadType: "application/vnd.in-toto.bundle"})
		if diff := cmp.Diff(rejected(verify.ReasonStatementMalformed), judgementOf(judgeBundle(t, trusted, releaseSigner(), data))); diff != "" {
			t.Errorf("verify (-want +got):\n%s", diff)
		}
	})
}

// TestBundleForm changes the form of a genuine bundle.
func TestBundleForm(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	trusted := sigstoreRoot(t, virtual)
	good := virtual.SignManifest(t, manifest, testkit.BundleOptions{})
	edit := func(change func(*protobundle.Bundle)) []byte { return testkit.EditBundle(t, good, change) }
	media := func(mediaType string) []byte {
		return edit(func(b *protobundle.Bundle) { b.MediaType = mediaType })
	}
	raw := func(old, by string) []byte { return bytes.Replace(compact(t, good), []byte(old), []byte(by), 1) }
	signature := func(b *protobundle.Bundle) []*protodsse.Signature { return b.GetDsseEnvelope().GetSignatures() }
	key := newECDSA(t)
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	keySigned := virtual.SignManifest(t, manifest, testkit.BundleOptions{Key: key})
	for _, tc := range []struct {
		name string
		data []byte
		want judgement
	}{
		{"unchanged", good, verified},
		{"media type v0.3 in the older spelling", media("application/vnd.dev.sigstore.bundle+json;version=0.3"), verified},
		{"media type v0.2", media("application/vnd.dev.sigstore.bundle+json;version=0.2"), verified},
		{"media type v0.1", media("application/vnd.dev.sigstore.bundle+json;version=0.1"), verified},
		{"media type v0.4", media("application/vnd.dev.sigstore.bundle.v0.4+json"), rejected(verify.ReasonBundleMalformed)},
		{"media type v0.3.1", media("application/vnd.dev.sigstore.bundle.v0.3.1+json"), rejected(verify.ReasonBundleMalformed)},
		{"media type v0.3-rc", media("application/vnd.dev.sigstore.bundle.v0.3-rc+json"), rejected(verify.ReasonBundleMalformed)},
		{"media type missing", media(""), rejected(verify.ReasonBundleMalformed)},
		{"unknown field", raw(`{"mediaType"`, `{"approved":true,"mediaType"`), rejected(verify.ReasonBundleMalformed)},
		{"field twice", raw(`{"mediaType"`, `{"mediaType":"x","mediaType"`), rejected(verify.ReasonBundleMalformed)},
		{"field in both spellings", raw(`{"mediaType"`, `{"media_type":"x","mediaType"`), rejected(verify.ReasonBundleMalformed)},
		{"two contents", raw(`"dsseEnvelope"`, `"messageSignature":{"signature":"AA=="},"dsseEnvelope"`), rejected(verify.ReasonBundleMalformed)},
		{"text after", append(bytes.Clone(good), "x"...), rejected(verify.ReasonBundleMalformed)},
		{"second bundle after", append(bytes.Clone(good), good...), rejected(verify.ReasonBundleMalformed)},
		{"cut off", good[:len(good)-1], rejected(verify.ReasonBundleMalformed)},
		{"empty", nil, rejected(verify.ReasonBundleMalformed)},
		{"empty object", []byte("{}"), rejected(verify.ReasonBundleMalformed)},
		{"null", []byte("null"), rejected(verify.ReasonBundleMalformed)},
		{"HTML", []byte("<html>"), rejected(verify.ReasonBundleMalformed)},
		{"more than 16 MiB", append(bytes.Repeat([]byte(" "), 16<<20), good...), rejected(verify.ReasonEvidenceTooLarge)},
		{"no content", edit(func(b *protobundle.Bundle) { b.Content = nil }), rejected(verify.ReasonBundleMalformed)},
		{"no material", edit(func(b *protobundle.Bundle) { b.VerificationMaterial = nil }), rejected(verify.ReasonBundleMalformed)},
		{"no certificate", edit(func(b *protobundle.Bundle) { b.VerificationMaterial.Content = nil }), rejected(verify.ReasonBundleMalformed)},
		{"no signature", edit(func(b *protobundle.Bundle) { b.GetDsseEnvelope().Signatures = nil }), rejected(verify.ReasonStatementMalformed)},
		{"two signatures", edit(func(b *protobundle.Bundle) {
			b.GetDsseEnvelope().Signatures = append(signature(b), &protodsse.Signature{Sig: []byte("x")})
		}), rejected(verify.ReasonStatementMalformed)},
		{"GHSA-fx35-mq7g-6g98: raw key in the certificate field", testkit.EditBundle(t, keySigned, func(b *protobundle.Bundle) {
			b.VerificationMaterial.Content = &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: der}}
		}), rejected(verify.ReasonBundleMalformed)},
		{"GHSA-fx35-mq7g-6g98: raw key in the chain", testkit.EditBundle(t, keySigned, func(b *protobundle.Bundle) {
			b.VerificationMaterial.Content = &protobundle.VerificationMaterial_X509CertificateChain{X509CertificateChain: &protocommon.X509CertificateChain{
				Certificates: []*protocommon.X509Certificate{{RawBytes: der}},
			}}
		}), rejected(verify.ReasonBundleMalformed)},
		{"a key's bundle, where an identity is named", keySigned, rejected(verify.ReasonSignerNotTrusted)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			result := judgeBundle(t, trusted, releaseSigner(), tc.data)
			if diff := cmp.Diff(tc.want, judgementOf(result)); diff != "" {
				t.Errorf("verify (-want +got):\n%s%v", diff, result.Reason())
			}
		})
	}
}

// compact takes out the blanks that protojson puts in at random.
func compact(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, data); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// TestVouching takes away or spoils what vouches for a signature, one thing at a time.
func TestVouching(t *testing.T) {
	virtual, rogue := testkit.NewVirtualSigstore(t), testkit.NewVirtualSigstore(t)
	trusted := sigstoreRoot(t, virtual)
	epoch := testkit.Epoch()
	for _, tc := range []struct {
		name   string
		opts   testkit.BundleOptions
		signer verify.Signer
		want   judgement
	}{
		{"genuine", testkit.BundleOptions{}, releaseSigner(), verified},
		{"no log entry", testkit.BundleOptions{NoLogEntry: true}, releaseSigner(), rejected(verify.ReasonLogEntryMissing)},
		{"no log entry, optional", testkit.BundleOptions{NoLogEntry: true}, logOptional(), verified},
		{"neither log entry nor time, optional", testkit.BundleOptions{NoLogEntry: true, NoTimestamp: true}, logOptional(), rejected(verify.ReasonTimestampMissing)},
		{"no SCT, log optional", testkit.BundleOptions{NoSCT: true, NoLogEntry: true}, logOptional(), rejected(verify.ReasonSCTInvalid)},
		{"no time", testkit.BundleOptions{NoTimestamp: true, NoPromise: true}, releaseSigner(), rejected(verify.ReasonTimestampMissing)},
		{"no time, Rekor v2", testkit.BundleOptions{NoTimestamp: true, RekorV2: true}, releaseSigner(), rejected(verify.ReasonTimestampMissing)},
		{"no SCT", testkit.BundleOptions{NoSCT: true}, releaseSigner(), rejected(verify.ReasonSCTInvalid)},
		{"SCT of a foreign log", testkit.BundleOptions{Rogue: rogue, RogueCT: true}, releaseSigner(), rejected(verify.ReasonSCTInvalid)},
		{"foreign certificate authority", testkit.BundleOptions{Rogue: rogue, RogueCA: true}, releaseSigner(), rejected(verify.ReasonCertificateInvalid)},
		{"foreign timestamp", testkit.BundleOptions{Rogue: rogue, RogueTSA: true, NoPromise: true}, releaseSigner(), rejected(verify.ReasonTimestampInvalid)},
		{"foreign timestamp besides a promise", testkit.BundleOptions{Rogue: rogue, RogueTSA: true}, releaseSigner(), rejected(verify.ReasonTimestampInvalid)},
		{"CVE-2023-47122: foreign log", testkit.BundleOptions{Rogue: rogue, RogueLog: true}, releaseSigner(), rejected(verify.ReasonLogEntryInvalid)},
		{"CVE-2023-47122: foreign log, optional", testkit.BundleOptions{Rogue: rogue, RogueLog: true}, logOptional(), rejected(verify.ReasonLogEntryInvalid)},
		{"CVE-2023-47122: foreign log, Rekor v2", testkit.BundleOptions{Rogue: rogue, RogueLog: true, RekorV2: true}, releaseSigner(), rejected(verify.ReasonLogEntryInvalid)},
		{"everything foreign", testkit.BundleOptions{Rogue: rogue, RogueLog: true, RogueCA: true, RogueCT: true, RogueTSA: true}, releaseSigner(), rejected(verify.ReasonLogEntryInvalid)},
		{"logged after the certificate expired", testkit.BundleOptions{NotBefore: epoch.Add(-time.Hour), NotAfter: epoch.Add(-time.Minute), NoTimestamp: true}, releaseSigner(), rejected(verify.ReasonLogEntryInvalid)},
		{"stamped after the certificate expired", testkit.BundleOptions{NotBefore: epoch.Add(-time.Hour), NotAfter: epoch.Add(-time.Minute), NoLogEntry: true}, logOptional(), rejected(verify.ReasonCertificateInvalid)},
		{"stamped before the certificate began", testkit.BundleOptions{NotBefore: epoch.Add(time.Minute), NoLogEntry: true}, logOptional(), rejected(verify.ReasonCertificateInvalid)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for form, data := range map[string][]byte{"statement": virtual.SignManifest(t, manifest, tc.opts), "message": virtual.SignArchive(t, archive, tc.opts)} {
				result := judgeBundle(t, trusted, tc.signer, data)
				if diff := cmp.Diff(tc.want, judgementOf(result)); diff != "" {
					t.Errorf("%s (-want +got):\n%s%v", form, diff, result.Reason())
				}
			}
		})
	}
}

// TestTrustedRootPeriods: CVE-2026-24122 and CVE-2026-54787. An authority or a log that was not
// in service at the time of the signature vouches for nothing.
func TestTrustedRootPeriods(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	before, after := testkit.Epoch().Add(-time.Minute), testkit.Epoch().Add(time.Minute)
	log := func(change func(*root.TransparencyLog)) func(*editedRoot) {
		return func(r *editedRoot) {
			logs := map[string]*root.TransparencyLog{}
			for id, log := range r.logs {
				changed := *log
				change(&changed)
				logs[id] = &changed
			}
			r.logs = logs
		}
	}
	ended := log(func(l *root.TransparencyLog) { l.ValidityPeriodEnd = before })
	notBegun := log(func(l *root.TransparencyLog) { l.ValidityPeriodStart = after })
	endsLater := log(func(l *root.TransparencyLog) { l.ValidityPeriodEnd = after })
	otherKey := log(func(l *root.TransparencyLog) { l.PublicKey = newECDSA(t).Public() })
	fulcio := func(change func(*root.FulcioCertificateAuthority)) func(*editedRoot) {
		return func(r *editedRoot) {
			authority, ok := r.authorities[0].(*root.FulcioCertificateAuthority)
			if !ok {
				t.Fatalf("got a %T", r.authorities[0])
			}
			changed := *authority
			change(&changed)
			r.authorities = []root.CertificateAuthority{&changed}
		}
	}
	tsa := func(change func(*root.SigstoreTimestampingAuthority)) func(*editedRoot) {
		return func(r *editedRoot) {
			authority, ok := r.timestamps[0].(*root.SigstoreTimestampingAuthority)
			if !ok {
				t.Fatalf("got a %T", r.timestamps[0])
			}
			changed := *authority
			change(&changed)
			r.timestamps = []root.TimestampingAuthority{&changed}
		}
	}
	ct := func(change func(*root.TransparencyLog)) func(*editedRoot) {
		return func(r *editedRoot) {
			logs := map[string]*root.TransparencyLog{}
			for id, log := range r.ctLogs {
				changed := *log
				change(&changed)
				logs[id] = &changed
			}
			r.ctLogs = logs
		}
	}
	unlogged := testkit.BundleOptions{NoLogEntry: true}
	for _, tc := range []struct {
		name string
		edit func(*editedRoot)
		opts testkit.BundleOptions
		want judgement
	}{
		{"unchanged", func(*editedRoot) {}, testkit.BundleOptions{}, verified},
		{"no authorities", func(r *editedRoot) { r.authorities = nil }, testkit.BundleOptions{}, rejected(verify.ReasonCertificateInvalid)},
		{"authority ended", fulcio(func(a *root.FulcioCertificateAuthority) { a.ValidityPeriodEnd = before }), testkit.BundleOptions{}, rejected(verify.ReasonCertificateInvalid)},
		{"authority not begun", fulcio(func(a *root.FulcioCertificateAuthority) { a.ValidityPeriodStart = after }), testkit.BundleOptions{}, rejected(verify.ReasonCertificateInvalid)},
		{"authority without its intermediate", fulcio(func(a *root.FulcioCertificateAuthority) { a.Intermediates = nil }), testkit.BundleOptions{}, rejected(verify.ReasonCertificateInvalid)},
		{"promise of a log that had ended", ended, testkit.BundleOptions{}, rejected(verify.ReasonLogEntryInvalid)},
		{"promise of a log that had not begun", notBegun, testkit.BundleOptions{}, rejected(verify.ReasonLogEntryInvalid)},
		{"proof of a log that had ended", ended, testkit.BundleOptions{NoPromise: true}, rejected(verify.ReasonLogEntryInvalid)},
		{"proof of a log that had not begun", notBegun, testkit.BundleOptions{NoPromise: true}, rejected(verify.ReasonLogEntryInvalid)},
		{"proof of a log that ends later", endsLater, testkit.BundleOptions{NoPromise: true}, verified},
		{"Rekor v2 that had ended", ended, testkit.BundleOptions{RekorV2: true}, rejected(verify.ReasonLogEntryInvalid)},
		{"Rekor v2 that ends later", endsLater, testkit.BundleOptions{RekorV2: true}, verified},
		{"CVE-2023-47122: other key under the log's ID", otherKey, testkit.BundleOptions{}, rejected(verify.ReasonLogEntryInvalid)},
		{"CVE-2023-47122: the same, proof only", otherKey, testkit.BundleOptions{NoPromise: true}, rejected(verify.ReasonLogEntryInvalid)},
		{"CVE-2023-47122: the same, Rekor v2", otherKey, testkit.BundleOptions{RekorV2: true}, rejected(verify.ReasonLogEntryInvalid)},
		{"no logs", func(r *editedRoot) { r.logs = nil }, testkit.BundleOptions{}, rejected(verify.ReasonLogEntryInvalid)},
		{"no certificate logs", func(r *editedRoot) { r.ctLogs = nil }, testkit.BundleOptions{}, rejected(verify.ReasonSCTInvalid)},
		{"certificate log had ended", ct(func(l *root.TransparencyLog) { l.ValidityPeriodEnd = before }), testkit.BundleOptions{}, rejected(verify.ReasonSCTInvalid)},
		{"other key of the certificate log", ct(func(l *root.TransparencyLog) { l.PublicKey = newECDSA(t).Public() }), testkit.BundleOptions{}, rejected(verify.ReasonSCTInvalid)},
		{"no timestamp authorities", func(r *editedRoot) { r.timestamps = nil }, unlogged, rejected(verify.ReasonTimestampInvalid)},
		{"timestamp authority had ended", tsa(func(a *root.SigstoreTimestampingAuthority) { a.ValidityPeriodEnd = before }), unlogged, rejected(verify.ReasonTimestampInvalid)},
		{"timestamp authority without its root", tsa(func(a *root.SigstoreTimestampingAuthority) { a.Root = nil }), unlogged, rejected(verify.ReasonTimestampInvalid)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			signer := releaseSigner()
			signer.LogOptional = tc.opts.NoLogEntry
			result := judgeBundle(t, editRoot(t, virtual, tc.edit), signer, virtual.SignManifest(t, manifest, tc.opts))
			if diff := cmp.Diff(tc.want, judgementOf(result)); diff != "" {
				t.Errorf("verify (-want +got):\n%s%v", diff, result.Reason())
			}
		})
	}
}

// TestNoTrustedRoot: it could not be looked at, which is not the same as bad, and as little
// a pass.
func TestNoTrustedRoot(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	empty := trust(t, keys.TrustMaterial{})
	result := judgeBundle(t, empty, releaseSigner(), virtual.SignManifest(t, manifest, testkit.BundleOptions{}))
	if diff := cmp.Diff(inconclusive(verify.ReasonNoTrustedRoot), judgementOf(result)); diff != "" {
		t.Errorf("verify (-want +got):\n%s", diff)
	}
	if len(result.Signers()) > 0 || result.CoversMetadata() {
		t.Errorf("got signers %v, metadata %v: want neither", result.Signers(), result.CoversMetadata())
	}
}

// TestUnreadableEvidence: known to exist, but not had.
func TestUnreadableEvidence(t *testing.T) {
	verifier := newVerifier(t, trust(t, keys.TrustMaterial{}), []verify.Signer{releaseSigner()}, noOptions)
	cause := errors.New("connection reset")
	for name, tc := range map[string]struct {
		evidence chartsign.Evidence
		want     judgement
	}{
		"unreadable":    {chartsign.UnreadableEvidence(chartsign.KindBundle, chartsign.SourceReferrer, "x", chartsign.Digest{}, cause), inconclusive(verify.ReasonEvidenceUnavailable)},
		"cosign legacy": {chartsign.NewEvidence(chartsign.KindCosignLegacy, chartsign.SourceLegacyTag, "x", nil), inconclusive(verify.ReasonUnsupported)},
		"unknown kind":  {chartsign.NewEvidence("notation", chartsign.SourceReferrer, "x", nil), inconclusive(verify.ReasonUnsupported)},
		"zero":          {chartsign.Evidence{}, inconclusive(verify.ReasonUnsupported)},
	} {
		results := verifier.Verify(inRegistry(t), tc.evidence, testkit.Epoch())
		if diff := cmp.Diff([]judgement{tc.want}, judgementsOf(results)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestCertificateNamesOneSubject: the library takes the first name, others may take another.
func TestCertificateNamesOneSubject(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	trusted := sigstoreRoot(t, virtual)
	good := virtual.SignManifest(t, manifest, testkit.BundleOptions{})
	key := newECDSA(t)
	for name, tc := range map[string]struct {
		template x509.Certificate
		want     judgement
	}{
		// Nobody trusts who issued it; but that is found out later.
		"one":                {x509.Certificate{EmailAddresses: []string{testkit.Subject}}, rejected(verify.ReasonLogEntryInvalid)},
		"two addresses":      {x509.Certificate{EmailAddresses: []string{testkit.Subject, "evil@example.test"}}, rejected(verify.ReasonCertificateInvalid)},
		"address and URI":    {x509.Certificate{EmailAddresses: []string{testkit.Subject}, URIs: []*url.URL{{Scheme: "https", Host: "evil.test"}}}, rejected(verify.ReasonCertificateInvalid)},
		"address and host":   {x509.Certificate{EmailAddresses: []string{testkit.Subject}, DNSNames: []string{"evil.test"}}, rejected(verify.ReasonCertificateInvalid)},
		"none":               {x509.Certificate{}, rejected(verify.ReasonCertificateInvalid)},
		"a common name":      {x509.Certificate{Subject: pkix.Name{CommonName: testkit.Subject}}, rejected(verify.ReasonCertificateInvalid)},
		"only a host's name": {x509.Certificate{DNSNames: []string{"example.test"}}, rejected(verify.ReasonCertificateInvalid)},
	} {
		tc.template.SerialNumber = big.NewInt(1)
		der, err := x509.CreateCertificate(rand.Reader, &tc.template, &tc.template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		data := testkit.EditBundle(t, good, func(b *protobundle.Bundle) { b.GetVerificationMaterial().GetCertificate().RawBytes = der })
		if diff := cmp.Diff(tc.want, judgementOf(judgeBundle(t, trusted, releaseSigner(), data))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// stumblingRoot panics where libraries might.
type stumblingRoot struct{ root.TrustedMaterial }

func (stumblingRoot) RekorLogs() map[string]*root.TransparencyLog { panic("index out of range") }

// TestPanicIsNoPass: what makes a library below panic is refused, and the process lives on.
func TestPanicIsNoPass(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	material, err := root.NewTrustedRootFromJSON(virtual.RootJSON(t))
	if err != nil {
		t.Fatal(err)
	}
	trusted := trust(t, keys.TrustMaterial{Sigstore: keys.NewSigstoreRoot(stumblingRoot{material}, chartsign.DigestOf(nil))})
	result := judgeBundle(t, trusted, releaseSigner(), virtual.SignManifest(t, manifest, testkit.BundleOptions{}))
	if diff := cmp.Diff(rejected(verify.ReasonBundleMalformed), judgementOf(result)); diff != "" {
		t.Errorf("verify (-want +got):\n%s", diff)
	}
}

// TestMessagesAreHarmless: a claim that was not verified goes into the message, so it may not
// steer the terminal that shows it.
func TestMessagesAreHarmless(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	trusted := sigstoreRoot(t, virtual)
	for subject, want := range map[string]judgement{
		"\x1b[2J\x1b]0;owned\x07@example.test":      rejected(verify.ReasonCertificateInvalid),
		strings.Repeat("A", 5000) + "@example.test": rejected(verify.ReasonSignerNotTrusted),
	} {
		result := judgeBundle(t, trusted, releaseSigner(), virtual.SignManifest(t, manifest, testkit.BundleOptions{Subject: subject}))
		if diff := cmp.Diff(want, judgementOf(result)); diff != "" {
			t.Errorf("verify (-want +got):\n%s", diff)
		}
		if message := result.Reason().Message + result.Identity().String(); strings.ContainsAny(message, "\x1b\x07\n") || len(result.Reason().Message) > 1100 {
			t.Errorf("got the message %q", message)
		}
	}
	long := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("A"), 100_000))
	result := judgeBundle(t, trusted, releaseSigner(), []byte(`{"mediaType":"`+long+`"}`))
	if length := len(result.Reason().Message); length > 1100 {
		t.Errorf("got a message of %d bytes", length)
	}
}
