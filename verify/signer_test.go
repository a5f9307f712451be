// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

const workflow = "https://github.com/acme/charts/.github/workflows/release.yml@refs/heads/main"

// TestIdentities: what an attacker could get a certificate for, and what it must not match.
func TestIdentities(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	trusted := sigstoreRoot(t, virtual)
	const issuer = "https://token.actions.githubusercontent.com"
	exact := verify.KeylessIdentity{Issuer: issuer, Subject: workflow}
	pattern := verify.KeylessIdentity{IssuerRegexp: `https://token\.actions\.githubusercontent\.com`, SubjectRegexp: `https://github\.com/acme/charts/\.github/workflows/.+@refs/heads/main`}
	alternatives := verify.KeylessIdentity{IssuerRegexp: `https://a\.test|https://b\.test`, SubjectRegexp: `.+`}
	withExtension := exact
	withExtension.Extensions = map[string]string{"githubWorkflowRepository": "acme/charts", "sourceRepositoryRef": "refs/heads/main"}
	extensions := map[int]string{5: "acme/charts", 14: "refs/heads/main"}
	foreign := rejected(verify.ReasonSignerNotTrusted)
	for _, tc := range []struct {
		name            string
		identity        verify.KeylessIdentity
		issuer, subject string
		extensions      map[int]string
		want            judgement
	}{
		{"exact", exact, issuer, workflow, nil, verified},
		{"other issuer", exact, "https://accounts.example", workflow, nil, foreign},
		{"issuer with a suffix", exact, issuer + ".evil.test", workflow, nil, foreign},
		{"issuer with a slash", exact, issuer + "/", workflow, nil, foreign},
		{"issuer in upper case", exact, strings.ToUpper(issuer), workflow, nil, foreign},
		{"other subject", exact, issuer, strings.Replace(workflow, "acme", "evil", 1), nil, foreign},
		{"subject with a suffix", exact, issuer, workflow + "2", nil, foreign},
		{"pattern", pattern, issuer, workflow, nil, verified},
		{"pattern, issuer with a prefix", pattern, "https://evil.test/?" + issuer, workflow, nil, foreign},
		{"pattern, issuer with a suffix", pattern, issuer + ".evil.test", workflow, nil, foreign},
		{"pattern, subject with a prefix", pattern, issuer, "https://evil.test/" + workflow, nil, foreign},
		{"pattern, subject with a suffix", pattern, issuer, workflow + "-evil", nil, foreign},
		{"pattern, dot is no wildcard", pattern, strings.Replace(issuer, "token.", "tokenX", 1), workflow, nil, foreign},
		{"alternative, second", alternatives, "https://b.test", "a@b.test", nil, verified},
		{"alternative with a suffix", alternatives, "https://a.test.evil.test", "a@b.test", nil, foreign},
		{"alternative with a prefix", alternatives, "https://evil.test/https://b.test", "a@b.test", nil, foreign},
		{"extensions", withExtension, issuer, workflow, extensions, verified},
		{"extensions missing", withExtension, issuer, workflow, nil, foreign},
		{"one extension missing", withExtension, issuer, workflow, map[int]string{5: "acme/charts"}, foreign},
		{"extension differs", withExtension, issuer, workflow, map[int]string{5: "evil/charts", 14: "refs/heads/main"}, foreign},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data := virtual.SignManifest(t, manifest, testkit.BundleOptions{Issuer: tc.issuer, Subject: tc.subject, Extensions: tc.extensions})
			result := judgeBundle(t, trusted, verify.Signer{Name: "release", Keyless: []verify.KeylessIdentity{tc.identity}}, data)
			if diff := cmp.Diff(tc.want, judgementOf(result)); diff != "" {
				t.Errorf("verify (-want +got):\n%s%v", diff, result.Reason())
			}
		})
	}
}

// TestSignersThatCannotBeMatchedSafely are refused before anything is judged.
func TestSignersThatCannotBeMatchedSafely(t *testing.T) {
	root := trust(t, keys.TrustMaterial{})
	one := func(identity verify.KeylessIdentity) []verify.Signer {
		return []verify.Signer{{Name: "a", Keyless: []verify.KeylessIdentity{identity}}}
	}
	fingerprint := chartsign.Fingerprint(strings.Repeat("A", 40))
	for name, signers := range map[string][]verify.Signer{
		"none":                           nil,
		"no name":                        {{PGP: []chartsign.Fingerprint{fingerprint}}},
		"two of one name":                {{Name: "a", PGP: []chartsign.Fingerprint{fingerprint}}, {Name: "a", Keys: []string{"sha256:00"}}},
		"names nothing":                  {{Name: "a", LogOptional: true}},
		"no issuer":                      one(verify.KeylessIdentity{Subject: "s"}),
		"no subject":                     one(verify.KeylessIdentity{Issuer: "i"}),
		"issuer exact and as pattern":    one(verify.KeylessIdentity{Issuer: "i", IssuerRegexp: "i", Subject: "s"}),
		"subject exact and as pattern":   one(verify.KeylessIdentity{Issuer: "i", Subject: "s", SubjectRegexp: "s"}),
		"pattern that is none":           one(verify.KeylessIdentity{Issuer: "i", SubjectRegexp: "("}),
		"pattern that escapes":           one(verify.KeylessIdentity{Issuer: "i", SubjectRegexp: "a)|(?:b"}),
		"pattern that escapes at an end": one(verify.KeylessIdentity{Issuer: "i", SubjectRegexp: "a)|(b"}),
		"pattern that matches nothing":   one(verify.KeylessIdentity{Issuer: "i", SubjectRegexp: ".*"}),
		"pattern with an empty branch":   one(verify.KeylessIdentity{Issuer: "i", SubjectRegexp: "a|"}),
		"unknown extension":              one(verify.KeylessIdentity{Issuer: "i", Subject: "s", Extensions: map[string]string{"repository": "x"}}),
		"extension in another case":      one(verify.KeylessIdentity{Issuer: "i", Subject: "s", Extensions: map[string]string{"BuildSignerURI": "x"}}),
		"key ID for a fingerprint":       {{Name: "a", PGP: []chartsign.Fingerprint{"0F411E23C73D5292"}}},
		"fingerprint in lower case":      {{Name: "a", PGP: []chartsign.Fingerprint{chartsign.Fingerprint(strings.Repeat("a", 40))}}},
	} {
		if _, err := verify.New(root, signers, noOptions); !errors.Is(err, verify.ErrSigner) {
			t.Errorf("%s: got %v, want ErrSigner", name, err)
		}
	}
	if _, err := verify.New(nil, []verify.Signer{{Name: "a", PGP: []chartsign.Fingerprint{fingerprint}}}, noOptions); err == nil {
		t.Error("no trust root: got no error")
	}
}

// TestVerifierKeepsItsSigners: a caller who goes on using his slices and maps changes nothing.
func TestVerifierKeepsItsSigners(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	ring := loadKeys(t, "release")
	key := newECDSA(t)
	root := trust(t, keys.TrustMaterial{PGP: ring, Sigstore: virtual.Root(t), Keys: []keys.PublicKey{publicKey(t, key)}})
	signer := releaseSigner()
	signer.Keyless[0].Extensions = map[string]string{"githubWorkflowRepository": "acme/charts"}
	signer.PGP = []chartsign.Fingerprint{chartsign.Fingerprint(strings.Repeat("A", 40))}
	signer.Keys = []string{"sha256:" + strings.Repeat("0", 64)}
	verifier := newVerifier(t, root, []verify.Signer{signer}, noOptions)
	delete(signer.Keyless[0].Extensions, "githubWorkflowRepository")
	signer.PGP[0], signer.Keys[0] = ring.Fingerprints()[0], publicKey(t, key).Fingerprint
	for name, results := range map[string][]verify.Result{
		"extensions":  verifier.Verify(inRegistry(t), bundle(virtual.SignManifest(t, manifest, testkit.BundleOptions{})), testkit.Epoch()),
		"fingerprint": verifier.Verify(guestbook(t), provenance(readFile(t, "provenance/honest/gpg.prov")), pgpNow),
		"key":         verifier.Verify(inRegistry(t), bundle(virtual.SignManifest(t, manifest, testkit.BundleOptions{Key: key})), testkit.Epoch()),
	} {
		if got := best(t, results); got.Outcome != "rejected" {
			t.Errorf("%s: got %v, want rejected", name, got)
		}
	}
}

// TestSignersAreNamedEach: one signature may be by several signers, and each counts once.
func TestSignersAreNamedEach(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	signers := []verify.Signer{releaseSigner(), releaseSigner(), releaseSigner(), releaseSigner()}
	signers[0].Keyless = append(signers[0].Keyless, signers[0].Keyless[0])
	signers[1].Name, signers[2].Name, signers[3].Name = "other", "again", "unlogged"
	signers[1].Keyless = []verify.KeylessIdentity{{Issuer: testkit.Issuer, Subject: "other@example.test"}}
	signers[3].LogOptional = true
	verifier := newVerifier(t, sigstoreRoot(t, virtual), signers, noOptions)
	for name, tc := range map[string]struct {
		opts testkit.BundleOptions
		want []string
	}{
		"logged":   {testkit.BundleOptions{}, []string{"release", "again", "unlogged"}},
		"unlogged": {testkit.BundleOptions{NoLogEntry: true}, []string{"unlogged"}},
	} {
		result := verifier.Verify(inRegistry(t), bundle(virtual.SignManifest(t, manifest, tc.opts)), testkit.Epoch())[0]
		if diff := cmp.Diff(tc.want, result.Signers()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestExtensionNames: those of the library, or a pattern would never match, or match nothing.
func TestExtensionNames(t *testing.T) {
	var want []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[certificate.Extensions]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "issuer" {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	got := verify.ExtensionNames()
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
