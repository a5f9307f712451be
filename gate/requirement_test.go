// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"path/filepath"
	"testing"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/verify"
)

// TestRequirement: distinct signers are counted, over all kinds of evidence.
func TestRequirement(t *testing.T) {
	type evidence = []chartsign.Evidence
	three := []string{signRelease, signMaintainer, signBot}
	manifest, layer := manifestSigned(t, testkit.BundleOptions{}), layerSigned(t, testkit.BundleOptions{})
	unmet := rejected(gate.ReasonRequirementUnmet)
	team := `{name: team, pgp: {keyring: team.asc}}`
	for name, tc := range map[string]struct {
		signers  []string
		require  string
		evidence evidence
		want     outcome
	}{
		"any, by default":                  {three, "", evidence{byMaintainer(t)}, allowed()},
		"any":                              {three, "any", evidence{manifest}, allowed()},
		"1":                                {three, "1", evidence{byRelease(t)}, allowed()},
		"2 of 3":                           {three, "2", evidence{byRelease(t), manifest}, allowed()},
		"2 in one file":                    {three, "2", evidence{prov(t, "honest/gpg-two-signers.prov")}, allowed()},
		"2, one has signed":                {three, "2", evidence{byRelease(t)}, unmet},
		"2, one has signed twice":          {three, "2", evidence{byRelease(t), byRelease(t), prov(t, "honest/gpg.prov")}, unmet},
		"2, one has signed in two kinds":   {three, "2", evidence{manifest, layer}, unmet},
		"2, subkey and primary of one":     {three, "2", evidence{byMaintainer(t), prov(t, "honest/gpg-subkey-ed25519.prov")}, unmet},
		"2, one is foreign":                {three, "2", evidence{byRelease(t), bySplit(t)}, rejected(verify.ReasonSignerNotTrusted)},
		"2, one could not be read":         {three, "2", evidence{byRelease(t), unreadable(chartsign.KindBundle)}, inconclusive(verify.ReasonEvidenceUnavailable)},
		"2 good, one could not be read":    {three, "2", evidence{byRelease(t), byMaintainer(t), unreadable(chartsign.KindBundle)}, allowed()},
		"all":                              {three, "all", evidence{byRelease(t), byMaintainer(t), manifest}, allowed()},
		"all, by any order":                {three, "all", evidence{manifest, byMaintainer(t), byRelease(t)}, allowed()},
		"all but one":                      {three, "all", evidence{byRelease(t), byMaintainer(t)}, unmet},
		"all of one":                       {[]string{signRelease}, "all", evidence{byRelease(t)}, allowed()},
		"two keys of one signer":           {[]string{team, signBot}, "2", evidence{byRelease(t), byMaintainer(t), bySplit(t)}, unmet},
		"two keys of one signer, and more": {[]string{team, signBot}, "2", evidence{byRelease(t), byMaintainer(t), manifest}, allowed()},
		"one key of two signers": {
			[]string{signRelease, `{name: again, pgp: {keyring: release.asc}}`}, "2", evidence{byRelease(t)}, unmet,
		},
		"one identity of two signers": {
			[]string{signBot, `{name: again, keyless: {issuerRegexp: "https://issuer.*", subjectRegexp: ".+@example[.]test"}}`}, "all", evidence{manifest, layer}, unmet,
		},
		"one identity that extensions tell apart": {
			[]string{
				`{name: a, keyless: {issuer: "https://issuer.example.test", subject: release@example.test, extensions: {sourceRepositoryURI: a}}}`,
				`{name: b, keyless: {issuer: "https://issuer.example.test", subject: release@example.test, extensions: {sourceRepositoryURI: b}}}`,
			}, "2", evidence{
				manifestSigned(t, testkit.BundleOptions{Extensions: map[int]string{12: "a"}}), manifestSigned(t, testkit.BundleOptions{Extensions: map[int]string{12: "b"}}),
			}, unmet,
		},
		// Release fits both signers, the maintainer one only: each must get its own.
		"signers that overlap": {[]string{team, signRelease}, "2", evidence{byRelease(t), byMaintainer(t)}, allowed()},
		"signers that overlap, other order": {
			[]string{signRelease, team}, "2", evidence{byMaintainer(t), byRelease(t)}, allowed(),
		},
		"three that overlap": {
			[]string{signRelease, `{name: two, pgp: {keyring: team.asc, fingerprints: ["` + fpr("release") + `", "` + fpr("maintainer") + `"]}}`, team},
			"3",
			evidence{byRelease(t), byMaintainer(t), bySplit(t)},
			allowed(),
		},
		"a named key of a ring": {
			[]string{`{name: one, pgp: {keyring: team.asc, fingerprints: ["` + fpr("release") + `"]}}`}, "", evidence{bySplit(t)}, rejected(verify.ReasonSignerNotTrusted),
		},
		"a key that signs with a subkey": {
			[]string{`{name: one, pgp: {keyring: split.asc, fingerprints: ["` + fpr("split") + `"]}}`}, "", evidence{bySplit(t)}, allowed(),
		},
		"one signer of several kinds": {
			[]string{`{name: one, pgp: {keyring: release.asc}, keyless: {issuer: "https://issuer.example.test", subject: release@example.test}}`, signMaintainer},
			"2",
			evidence{byRelease(t), manifest},
			unmet,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			if tc.require != "" {
				lines = append(lines, "require: "+tc.require)
			}
			wantOutcome(t, judge(t, trusting(t, tc.signers, lines...), remote(t, tc.evidence...)), tc.want)
		})
	}
}

// TestIncompleteListing: with any, one good signature is enough, and what could not be
// listed cannot take it back. Where more are asked for, nobody knows what is missing.
func TestIncompleteListing(t *testing.T) {
	problem := chartsign.Reasonf(chartsign.ReasonRateLimited, "too many requests")
	for _, tc := range []struct {
		require string
		want    outcome
	}{
		{"any", allowed()},
		{"1", allowed()},
		{"2", inconclusive(chartsign.ReasonListingIncomplete)},
		{"all", inconclusive(chartsign.ReasonListingIncomplete)},
	} {
		s := remote(t, byRelease(t), byMaintainer(t))
		s.listing.Problem = problem
		wantOutcome(t, judge(t, trusting(t, []string{signRelease, signMaintainer}, "require: "+tc.require), s), tc.want)
	}
	s := remote(t, byRelease(t))
	s.listing.Problem = problem
	wantOutcome(t, judge(t, trusting(t, []string{signRelease, signMaintainer}, "require: 2"), s), inconclusive(chartsign.ReasonListingIncomplete))
}

// TestTransparency: what 'required', 'optional' and nothing mean for each kind of signer. No
// word drops the observer's time or the certificate's own transparency.
func TestTransparency(t *testing.T) {
	key, keyFile := newKey(t)
	keyless := `keyless: {issuer: "https://issuer.example.test", subject: release@example.test}`
	missing := rejected(verify.ReasonLogEntryMissing)
	for name, tc := range map[string]struct {
		signer, transparency string
		evidence             chartsign.Evidence
		want                 outcome
	}{
		"keyless":                   {keyless, "", manifestSigned(t, testkit.BundleOptions{}), allowed()},
		"keyless, no log":           {keyless, "", manifestSigned(t, testkit.BundleOptions{NoLogEntry: true}), missing},
		"keyless, no log, required": {keyless, "required", manifestSigned(t, testkit.BundleOptions{NoLogEntry: true}), missing},
		"keyless, no log, optional": {keyless, "optional", manifestSigned(t, testkit.BundleOptions{NoLogEntry: true}), allowed()},
		"keyless, no log, no time, optional": {
			keyless, "optional", manifestSigned(t, testkit.BundleOptions{NoLogEntry: true, NoTimestamp: true}), rejected(verify.ReasonTimestampMissing),
		},
		"keyless, no SCT, optional": {keyless, "optional", manifestSigned(t, testkit.BundleOptions{NoSCT: true}), rejected(verify.ReasonSCTInvalid)},
		"keyless, rogue log, optional": {
			keyless, "optional", manifestSigned(t, testkit.BundleOptions{Rogue: testkit.NewVirtualSigstore(t), RogueLog: true}), rejected(verify.ReasonLogEntryInvalid),
		},
		"key":                   {"key: {file: key.pem}", "", manifestSigned(t, testkit.BundleOptions{Key: key}), allowed()},
		"key, no log":           {"key: {file: key.pem}", "", manifestSigned(t, testkit.BundleOptions{Key: key, NoLogEntry: true, NoTimestamp: true}), missing},
		"key, no log, optional": {"key: {file: key.pem}", "optional", manifestSigned(t, testkit.BundleOptions{Key: key, NoLogEntry: true, NoTimestamp: true}), allowed()},
		"pgp":                   {"pgp: {keyring: release.asc}", "", byRelease(t), allowed()},
		"pgp, optional":         {"pgp: {keyring: release.asc}", "optional", byRelease(t), allowed()},
		"pgp, required":         {"pgp: {keyring: release.asc}", "required", byRelease(t), missing},
	} {
		t.Run(name, func(t *testing.T) {
			signer := "{name: a, " + tc.signer
			if tc.transparency != "" {
				signer += ", transparency: " + tc.transparency
			}
			folder := trustFolder(t)
			writeFile(t, filepath.Join(folder, "key.pem"), keyFile)
			wantOutcome(t, judge(t, mustCompile(t, folder, rule([]string{signer + "}"})), remote(t, tc.evidence)), tc.want)
		})
	}
}

func newKey(tb testing.TB) (crypto.Signer, []byte) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// TestExpressionsAreAnchored: an expression is about the whole value.
func TestExpressionsAreAnchored(t *testing.T) {
	for expression, want := range map[string]outcome{
		"release@example[.]test":            allowed(),
		".+@example[.]test":                 allowed(),
		"release":                           rejected(verify.ReasonSignerNotTrusted),
		"@example[.]test":                   rejected(verify.ReasonSignerNotTrusted),
		"release@example[.]tes":             rejected(verify.ReasonSignerNotTrusted),
		"x|release":                         rejected(verify.ReasonSignerNotTrusted),
		"(?m)^release@example[.]test$":      allowed(),
		"RELEASE@EXAMPLE[.]TEST":            rejected(verify.ReasonSignerNotTrusted),
		"release@example[.]test[.]evil|abc": rejected(verify.ReasonSignerNotTrusted),
	} {
		trust := trusting(t, []string{`{name: a, keyless: {issuer: "https://issuer.example.test", subjectRegexp: "` + expression + `"}}`})
		got := judge(t, trust, remote(t, manifestSigned(t, testkit.BundleOptions{})))
		if outcomeOf(got) != want {
			t.Errorf("subjectRegexp %q: got %v, want %v", expression, outcomeOf(got), want)
		}
	}
	trust := trusting(t, []string{`{name: a, keyless: {issuerRegexp: "https://issuer[.]example[.]test", subject: release@example.test}}`})
	wantOutcome(t, judge(t, trust, remote(t, manifestSigned(t, testkit.BundleOptions{Issuer: "https://issuer.example.test.evil.test"}))), rejected(verify.ReasonSignerNotTrusted))
}

// TestShortTrust: flags make a rule in which every key is a signer of its own.
func TestShortTrust(t *testing.T) {
	folder := trustFolder(t)
	file := func(name string) string { return filepath.Join(folder, name) }
	identity := &verify.KeylessIdentity{Issuer: testkit.Issuer, Subject: testkit.Subject}
	for name, tc := range map[string]struct {
		short    gate.ShortTrust
		evidence []chartsign.Evidence
		want     outcome
	}{
		"ring":         {gate.ShortTrust{Keyrings: []string{file("team.asc")}}, []chartsign.Evidence{bySplit(t)}, allowed()},
		"other ring":   {gate.ShortTrust{Keyrings: []string{file("mallory.asc")}}, []chartsign.Evidence{bySplit(t)}, rejected(verify.ReasonSignerNotTrusted)},
		"two rings":    {gate.ShortTrust{Keyrings: []string{file("mallory.asc"), file("split.asc")}}, []chartsign.Evidence{bySplit(t)}, allowed()},
		"named":        {gate.ShortTrust{Keyrings: []string{file("team.asc")}, Fingerprints: []string{fpr("split")}}, []chartsign.Evidence{bySplit(t)}, allowed()},
		"not named":    {gate.ShortTrust{Keyrings: []string{file("team.asc")}, Fingerprints: []string{fpr("release")}}, []chartsign.Evidence{bySplit(t)}, rejected(verify.ReasonSignerNotTrusted)},
		"2 of a ring":  {gate.ShortTrust{Keyrings: []string{file("team.asc")}, Require: "2"}, []chartsign.Evidence{bySplit(t), byRelease(t)}, allowed()},
		"all of it":    {gate.ShortTrust{Keyrings: []string{file("team.asc")}, Require: "all"}, []chartsign.Evidence{bySplit(t), byRelease(t)}, rejected(gate.ReasonRequirementUnmet)},
		"2, one twice": {gate.ShortTrust{Keyrings: []string{file("team.asc")}, Require: "2"}, []chartsign.Evidence{bySplit(t), bySplit(t)}, rejected(gate.ReasonRequirementUnmet)},
		"identity": {
			gate.ShortTrust{Identity: identity, TrustedRoot: file("trusted_root.json")}, []chartsign.Evidence{manifestSigned(t, testkit.BundleOptions{})}, allowed(),
		},
		"identity and ring": {
			gate.ShortTrust{Identity: identity, TrustedRoot: file("trusted_root.json"), Keyrings: []string{file("release.asc")}, Require: "all"},
			[]chartsign.Evidence{manifestSigned(t, testkit.BundleOptions{}), byRelease(t)},
			allowed(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			trust, err := gate.CompileShort(t.Context(), tc.short, gate.Options{})
			if err != nil {
				t.Fatal(err)
			}
			wantOutcome(t, judge(t, trust, remote(t, tc.evidence...)), tc.want)
			file := local(t, tc.evidence...)
			if got := judge(t, trust, file).Rule; got != "command line" {
				t.Errorf("rule for a file: got %q", got)
			}
		})
	}
}

func TestShortTrustRefuses(t *testing.T) {
	folder := trustFolder(t)
	file := func(name string) string { return filepath.Join(folder, name) }
	ring := []string{file("release.asc")}
	_, keyFile := newKey(t)
	writeFile(t, file("key.pem"), keyFile)
	for name, tc := range map[string]struct {
		short gate.ShortTrust
		opts  gate.Options
		want  error
	}{
		"nobody":                      {gate.ShortTrust{}, gate.Options{}, gate.ErrNobodyTrusted},
		"a root alone":                {gate.ShortTrust{TrustedRoot: file("trusted_root.json")}, gate.Options{}, gate.ErrNobodyTrusted},
		"a fingerprint alone":         {gate.ShortTrust{Fingerprints: []string{fpr("release")}}, gate.Options{}, gate.ErrNobodyTrusted},
		"an identity without a root":  {gate.ShortTrust{Identity: &verify.KeylessIdentity{Issuer: "i", Subject: "s"}}, gate.Options{}, gate.ErrNobodyTrusted},
		"an identity of half":         {gate.ShortTrust{Identity: &verify.KeylessIdentity{Issuer: "i"}, TrustedRoot: file("trusted_root.json")}, gate.Options{}, verify.ErrSigner},
		"a fingerprint of another":    {gate.ShortTrust{Keyrings: ring, Fingerprints: []string{fpr("mallory")}}, gate.Options{}, gate.ErrTrustPolicy},
		"a key ID":                    {gate.ShortTrust{Keyrings: ring, Fingerprints: []string{fpr("release")[24:]}}, gate.Options{}, chartsign.ErrFingerprint},
		"more than there are":         {gate.ShortTrust{Keyrings: ring, Require: "2"}, gate.Options{}, gate.ErrRequirement},
		"none":                        {gate.ShortTrust{Keyrings: ring, Require: "0"}, gate.Options{}, gate.ErrRequirement},
		"a key twice":                 {gate.ShortTrust{Keys: []string{file("key.pem"), file("key.pem")}}, gate.Options{}, verify.ErrSigner},
		"policy data for no policy":   {gate.ShortTrust{Keyrings: ring}, gate.Options{PolicyData: []string{file("release.asc")}}, gate.ErrTrustPolicy},
		"a fingerprint that is twice": {gate.ShortTrust{Keyrings: ring, Fingerprints: []string{fpr("release"), fpr("release")}}, gate.Options{}, verify.ErrSigner},
	} {
		trust, err := gate.CompileShort(t.Context(), tc.short, tc.opts)
		if trust != nil || !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}
