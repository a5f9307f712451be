// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/sign"
	"github.com/chartsign/chartsign/verify"
)

var manifest = chartsign.DigestOf([]byte("a manifest"))

// world is a deployment and what a signer needs to use it.
type world struct {
	*testkit.VirtualSigstore
	services *testkit.Services
}

func newWorld(t *testing.T) *world {
	t.Helper()
	virtual := testkit.NewVirtualSigstore(t)
	return &world{virtual, virtual.Serve(t)}
}

// options returns those of an honest keyless signer with the log of the given version.
func (w *world) options(t *testing.T, rekorVersion uint32) sign.SigstoreOptions {
	t.Helper()
	return sign.SigstoreOptions{
		SigningConfig: w.services.SigningConfig(t, rekorVersion),
		TrustedRoot:   w.Root(t),
		IdentityToken: w.Token(t, map[string]any{"email": testkit.Subject}),
		Now:           w.Clock.Now,
	}
}

func newSigstore(t *testing.T, opts sign.SigstoreOptions) *sign.Sigstore {
	t.Helper()
	signer, err := sign.NewSigstore(opts)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func newPrivateKey(t *testing.T, signer crypto.Signer, err error) *sign.PrivateKey {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	key, err := sign.NewPrivateKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newP256(t *testing.T) *sign.PrivateKey {
	t.Helper()
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return newPrivateKey(t, signer, err)
}

// judge verifies evidence from the outside and returns the one result.
func (w *world) judge(t *testing.T, subject chartsign.Subject, evidence chartsign.Evidence, signer verify.Signer, public ...keys.PublicKey) verify.Result {
	t.Helper()
	root, err := keys.NewTrustRoot(keys.TrustMaterial{Sigstore: w.Root(t), Keys: public})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := verify.New(root, []verify.Signer{signer}, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return verifier.Verify(subject, evidence, w.Clock.Now())[0]
}

func TestKeyless(t *testing.T) {
	w := newWorld(t)
	chart, archive := readChart(t, "charts/guestbook-1.4.2.tgz")
	subject := chartsign.Subject{Chart: chart, Manifest: manifest}
	release := verify.Signer{Name: "release", Keyless: []verify.KeylessIdentity{{Issuer: testkit.Issuer, Subject: testkit.Subject}}}
	for _, version := range []uint32{1, 2} {
		t.Run(fmt.Sprintf("rekor v%d", version), func(t *testing.T) {
			signer := newSigstore(t, w.options(t, version))
			if got, want := signer.Identity().ID(), (chartsign.Identity{Kind: chartsign.IdentityKeyless, Issuer: testkit.Issuer, Subject: testkit.Subject}).ID(); got != want {
				t.Errorf("got identity %s, want %s", got, want)
			}
			overArchive, err := signer.SignArchive(t.Context(), chart, archive)
			if err != nil {
				t.Fatal(err)
			}
			overManifest, err := signer.SignManifest(t.Context(), manifest)
			if err != nil {
				t.Fatal(err)
			}
			for binding, evidence := range map[verify.Binding]chartsign.Evidence{verify.BindsLayer: overArchive, verify.BindsManifest: overManifest} {
				result := w.judge(t, subject, evidence, release)
				if result.Outcome() != verify.Verified || result.Binds() != binding || result.Log() == nil || !result.SignedAt().Equal(testkit.Epoch()) {
					t.Errorf("got %v %v, binds %s, log %v at %s; want verified, %s", result.Outcome(), result.Reason(), result.Binds(), result.Log(), result.SignedAt(), binding)
				}
			}
		})
	}
}

// TestManifestStatementIsCosigns: cosign v3 refuses a subject with a name and a missing predicate.
func TestManifestStatementIsCosigns(t *testing.T) {
	w := newWorld(t)
	evidence, err := newSigstore(t, w.options(t, 1)).SignManifest(t.Context(), manifest)
	if err != nil {
		t.Fatal(err)
	}
	bundle := new(protobundle.Bundle)
	if err := protojson.Unmarshal(evidence.Bytes(), bundle); err != nil {
		t.Fatal(err)
	}
	want := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"` + manifest.Hex() +
		`"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}`
	if diff := cmp.Diff(want, string(bundle.GetDsseEnvelope().GetPayload())); diff != "" {
		t.Errorf("statement (-want +got):\n%s", diff)
	}
	if got := bundle.GetDsseEnvelope().GetPayloadType(); got != testkit.PayloadInToto {
		t.Errorf("got payload type %q", got)
	}
	if bundle.GetMediaType() != chartsign.MediaTypeBundle || evidence.Kind() != chartsign.KindBundle {
		t.Errorf("got %q as %q", bundle.GetMediaType(), evidence.Kind())
	}
}

func TestKeySigns(t *testing.T) {
	w := newWorld(t)
	chart, archive := readChart(t, "charts/guestbook-1.4.2.tgz")
	subject := chartsign.Subject{Chart: chart, Manifest: manifest}
	p384, err384 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rsaKey, errRSA := rsa.GenerateKey(rand.Reader, 2048)
	_, edKey, errEd := ed25519.GenerateKey(rand.Reader)
	for _, tc := range []struct {
		name                  string
		key                   *sign.PrivateKey
		rekor                 uint32 // 0 for no services at all
		archives, constructed bool
	}{
		{"P-256, log v1", newP256(t), 1, true, true},
		{"P-256, log v2", newP256(t), 2, true, true},
		{"P-256, no services", newP256(t), 0, true, true},
		{"RSA, log v1", newPrivateKey(t, rsaKey, errRSA), 1, true, true},
		{"RSA, log v2", newPrivateKey(t, rsaKey, errRSA), 2, true, true},
		{"Ed25519, log v1", newPrivateKey(t, edKey, errEd), 1, false, true},
		{"Ed25519, log v2", newPrivateKey(t, edKey, errEd), 2, false, false},
		{"Ed25519, no services", newPrivateKey(t, edKey, errEd), 0, false, true},
		{"P-384, log v1", newPrivateKey(t, p384, err384), 1, false, false},
		{"P-384, log v2", newPrivateKey(t, p384, err384), 2, false, true},
		{"P-384, no services", newPrivateKey(t, p384, err384), 0, false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			opts := w.options(t, tc.rekor)
			opts.IdentityToken, opts.Key = "", tc.key
			if tc.rekor == 0 {
				opts.SigningConfig, opts.TrustedRoot = nil, nil
			}
			signer, err := sign.NewSigstore(opts)
			if !tc.constructed {
				if !errors.Is(err, sign.ErrPrivateKey) {
					t.Errorf("got %v, want %v", err, sign.ErrPrivateKey)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			named := verify.Signer{Name: "key", Keys: []string{tc.key.Public().Fingerprint}, LogOptional: tc.rekor == 0}
			evidence, err := signer.SignManifest(t.Context(), manifest)
			if err != nil {
				t.Fatal(err)
			}
			if result := w.judge(t, subject, evidence, named, tc.key.Public()); result.Outcome() != verify.Verified || result.Identity().ID() != signer.Identity().ID() {
				t.Errorf("manifest: got %v %v by %s", result.Outcome(), result.Reason(), result.Identity())
			}
			evidence, err = signer.SignArchive(t.Context(), chart, archive)
			if !tc.archives {
				if !errors.Is(err, sign.ErrPrivateKey) {
					t.Errorf("archive: got %v, want %v", err, sign.ErrPrivateKey)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if result := w.judge(t, subject, evidence, named, tc.key.Public()); result.Outcome() != verify.Verified {
				t.Errorf("archive: got %v %v", result.Outcome(), result.Reason())
			}
		})
	}
}

func TestArchiveMustBeTheCharts(t *testing.T) {
	w := newWorld(t)
	signer := newSigstore(t, w.options(t, 1))
	chart, archive := readChart(t, "charts/guestbook-1.4.2.tgz")
	config, err := chartsign.ChartFromConfig([]byte(`{"name":"a","version":"1.0.0","apiVersion":"v2"}`), chart.Digest(), chart.Size())
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"other bytes":      second(signer.SignArchive(t.Context(), chart, append(slices.Clip(archive), 0))),
		"no bytes":         second(signer.SignArchive(t.Context(), chart, nil)),
		"no chart":         second(signer.SignArchive(t.Context(), nil, archive)),
		"config blob only": second(signer.SignArchive(t.Context(), config, archive)),
	} {
		if !errors.Is(err, sign.ErrArchive) {
			t.Errorf("%s: got %v, want %v", name, err, sign.ErrArchive)
		}
	}
	if err := second(signer.SignManifest(t.Context(), chartsign.Digest{})); !errors.Is(err, sign.ErrOptions) {
		t.Errorf("no manifest: got %v, want %v", err, sign.ErrOptions)
	}
	if got := w.services.Requests(); len(got) != 0 {
		t.Errorf("got requests to %v, want none", got)
	}
}

// TestSelfCheckFindsRogueServices: what a rogue deployment signs must not come out, even
// though every step of it looks right.
func TestSelfCheckFindsRogueServices(t *testing.T) {
	honest, rogue := newWorld(t), newWorld(t)
	all := func(w *world) sign.SigstoreOptions {
		return sign.SigstoreOptions{FulcioURL: w.services.FulcioURL, RekorURL: w.services.Rekor1URL, TimestampURL: w.services.TimestampURL}
	}
	for name, change := range map[string]func(*sign.SigstoreOptions){
		"none":                nil,
		"certificates":        func(o *sign.SigstoreOptions) { o.FulcioURL = rogue.services.FulcioURL },
		"log":                 func(o *sign.SigstoreOptions) { o.RekorURL = rogue.services.Rekor1URL },
		"timestamp authority": func(o *sign.SigstoreOptions) { o.TimestampURL = rogue.services.TimestampURL },
	} {
		t.Run(name, func(t *testing.T) {
			opts := all(honest)
			opts.TrustedRoot, opts.Now = honest.Root(t), honest.Clock.Now
			opts.IdentityToken = honest.Token(t, map[string]any{"email": testkit.Subject})
			if change != nil {
				change(&opts)
			}
			evidence, err := newSigstore(t, opts).SignManifest(t.Context(), manifest)
			if change == nil && err != nil {
				t.Errorf("got %v, want evidence", err)
			}
			if change != nil && (!errors.Is(err, sign.ErrSelfCheck) || len(evidence.Bytes()) > 0) {
				t.Errorf("got %v and %d bytes, want %v", err, len(evidence.Bytes()), sign.ErrSelfCheck)
			}
		})
	}
}

// TestSelfCheckIsStricterThanTheLibrary: sigstore-go accepts its own bundles without a
// signed certificate timestamp; those who verify the chart do not.
func TestSelfCheckIsStricterThanTheLibrary(t *testing.T) {
	w := newWorld(t)
	w.services.NoSCT = true
	evidence, err := newSigstore(t, w.options(t, 1)).SignManifest(t.Context(), manifest)
	var reason *chartsign.Reason
	if !errors.Is(err, sign.ErrSelfCheck) || !errors.As(err, &reason) || reason.Code != verify.ReasonSCTInvalid {
		t.Errorf("got %v, want %v for %s", err, sign.ErrSelfCheck, verify.ReasonSCTInvalid)
	}
	if len(evidence.Bytes()) > 0 {
		t.Error("got evidence beside an error")
	}
}

// TestCertificateForSomebodyElse: Fulcio certifies another identity than the token's.
func TestCertificateForSomebodyElse(t *testing.T) {
	w := newWorld(t)
	proxy := w.Serve(t) // certifies what it is told, by the same authority
	for name, tc := range map[string]struct {
		claims map[string]any
		want   error
	}{
		"the same":      {map[string]any{"email": testkit.Subject}, nil},
		"other subject": {map[string]any{"email": "mallory@example.test"}, sign.ErrSelfCheck},
		"other issuer":  {map[string]any{"email": testkit.Subject, "iss": "https://evil.example.test"}, sign.ErrSelfCheck},
		"other case":    {map[string]any{"email": strings.ToUpper(testkit.Subject)}, sign.ErrSelfCheck},
	} {
		t.Run(name, func(t *testing.T) {
			other := w.Token(t, tc.claims)
			w.services.Fail(testkit.ServiceFulcio, func(rw http.ResponseWriter, r *http.Request) {
				forward(t, rw, r, proxy.FulcioURL, other)
			})
			_, err := newSigstore(t, w.options(t, 1)).SignManifest(t.Context(), manifest)
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestExpectedIdentity(t *testing.T) {
	w := newWorld(t)
	for name, tc := range map[string]struct {
		expected chartsign.Identity
		want     error
	}{
		"fits":         {chartsign.Identity{Issuer: testkit.Issuer, Subject: testkit.Subject}, nil},
		"other":        {chartsign.Identity{Issuer: testkit.Issuer, Subject: "somebody@example.test"}, sign.ErrSelfCheck},
		"issuer alone": {chartsign.Identity{Issuer: testkit.Issuer}, sign.ErrOptions},
	} {
		t.Run(name, func(t *testing.T) {
			opts := w.options(t, 1)
			opts.ExpectedIdentity = tc.expected
			signer, err := sign.NewSigstore(opts)
			if err == nil {
				_, err = signer.SignManifest(t.Context(), manifest)
			}
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	w := newWorld(t)
	key := newP256(t)
	for name, change := range map[string]func(*sign.SigstoreOptions){
		"neither token nor key":    func(o *sign.SigstoreOptions) { o.IdentityToken = "" },
		"token and key":            func(o *sign.SigstoreOptions) { o.Key = key },
		"no clock":                 func(o *sign.SigstoreOptions) { o.Now = nil },
		"no trusted root":          func(o *sign.SigstoreOptions) { o.TrustedRoot = nil },
		"key, services, no root":   func(o *sign.SigstoreOptions) { o.IdentityToken, o.Key, o.TrustedRoot = "", key, nil },
		"no services":              func(o *sign.SigstoreOptions) { o.SigningConfig = nil },
		"certificate without time": func(o *sign.SigstoreOptions) { o.SigningConfig, o.FulcioURL = nil, w.services.FulcioURL },
		"log v2 without time": func(o *sign.SigstoreOptions) {
			o.SigningConfig, o.FulcioURL, o.RekorURL, o.RekorVersion = nil, w.services.FulcioURL, w.services.Rekor2URL, 2
		},
		"unknown version of Rekor": func(o *sign.SigstoreOptions) { o.RekorURL, o.RekorVersion = w.services.Rekor1URL, 3 },
		"no URL":                   func(o *sign.SigstoreOptions) { o.RekorURL = "rekor.example.test" },
		"file URL":                 func(o *sign.SigstoreOptions) { o.TimestampURL = "file:///etc/passwd" },
		"token in the clear":       func(o *sign.SigstoreOptions) { o.FulcioURL = "http://fulcio.example.test" },
		"token to a look-alike":    func(o *sign.SigstoreOptions) { o.FulcioURL = "http://127.0.0.1.example.test" },
		"config is no JSON":        func(o *sign.SigstoreOptions) { o.SigningConfig = []byte("{") },
		"config of other version": func(o *sign.SigstoreOptions) {
			o.SigningConfig = []byte(`{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.1+json"}`)
		},
		"config with unknown fields": func(o *sign.SigstoreOptions) {
			o.SigningConfig = []byte(`{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","x":1}`)
		},
		"regression: no log selector":  func(o *sign.SigstoreOptions) { o.SigningConfig = configWithout(t, o.SigningConfig, "rekorTlogConfig") },
		"regression: no time selector": func(o *sign.SigstoreOptions) { o.SigningConfig = configWithout(t, o.SigningConfig, "tsaConfig") },
		"services of the future":       func(o *sign.SigstoreOptions) { o.Now = before2020 },
	} {
		t.Run(name, func(t *testing.T) {
			opts := w.options(t, 1)
			change(&opts)
			if err := second(sign.NewSigstore(opts)); !errors.Is(err, sign.ErrOptions) {
				t.Errorf("got %v, want %v", err, sign.ErrOptions)
			}
		})
	}
	opts := w.options(t, 1)
	opts.FulcioURL, opts.PlainHTTPUnsafe = "http://fulcio.example.test", true
	newSigstore(t, opts)
	if got := w.services.Requests(); len(got) != 0 {
		t.Errorf("got requests to %v, want none", got)
	}
}

// TestSelectors: how many logs and authorities sign is the configuration's word.
func TestSelectors(t *testing.T) {
	w := newWorld(t)
	other := w.Serve(t)
	config := func(selector string, count int) []byte {
		service := func(url, operator string) string {
			return fmt.Sprintf(`{"url":%q,"majorApiVersion":1,"operator":%q,"validFor":{"start":"2020-01-01T00:00:00Z"}}`, url, operator)
		}
		expired := strings.Replace(service("http://127.0.0.1:1", "c"), `"validFor":{`, `"validFor":{"end":"2021-01-01T00:00:00Z",`, 1)
		return fmt.Appendf(nil, `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","caUrls":[%s],"rekorTlogUrls":[%s,%s,%s],"rekorTlogConfig":{"selector":%q,"count":%d},"tsaUrls":[%s],"tsaConfig":{"selector":"ANY"}}`,
			service(w.services.FulcioURL, "a"), service(w.services.Rekor1URL, "a"), service(other.Rekor1URL, "b"), expired, selector, count, service(w.services.TimestampURL, "a"))
	}
	for name, tc := range map[string]struct {
		selector string
		count    int
		logs     int // 0 for a refusal
	}{
		"any":                            {"ANY", 0, 1},
		"exactly one":                    {"EXACT", 1, 1},
		"more than there are valid ones": {"EXACT", 3, 0},
		"unknown":                        {"SERVICE_SELECTOR_UNDEFINED", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			opts := w.options(t, 1)
			opts.SigningConfig = config(tc.selector, tc.count)
			signer, err := sign.NewSigstore(opts)
			if tc.logs == 0 {
				if !errors.Is(err, sign.ErrOptions) {
					t.Errorf("got %v, want %v", err, sign.ErrOptions)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			evidence, err := signer.SignManifest(t.Context(), manifest)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(string(evidence.Bytes()), `"inclusionProof"`); got != tc.logs {
				t.Errorf("got %d log entries, want %d", got, tc.logs)
			}
		})
	}
}
