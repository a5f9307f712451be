// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"errors"
	"testing"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/verify"
)

// TestWhoCoversTheConfigBlob: a signature over the layer says nothing of the config blob, so
// the archive is read and compared, unless enough signers vouch for the blob as well.
func TestWhoCoversTheConfigBlob(t *testing.T) {
	manifest, layer := manifestSigned(t, testkit.BundleOptions{}), layerSigned(t, testkit.BundleOptions{})
	other := `{name: other, keyless: {issuer: "https://issuer.example.test", subject: other@example.test}}`
	layerByOther := layerSigned(t, testkit.BundleOptions{Subject: "other@example.test"})
	type evidence = []chartsign.Evidence
	for name, tc := range map[string]struct {
		require  string
		policy   bool
		evidence evidence
		archives int
	}{
		"manifest":                           {"any", false, evidence{manifest}, 0},
		"prov":                               {"any", false, evidence{byRelease(t)}, 0},
		"prov and manifest":                  {"2", false, evidence{byRelease(t), manifest}, 0},
		"layer":                              {"any", false, evidence{layer}, 1},
		"layer and manifest of one signer":   {"any", true, evidence{layer, manifest}, 0},
		"layer beside enough others":         {"any", false, evidence{layerByOther, manifest}, 0},
		"layer beside others for the policy": {"any", true, evidence{layerByOther, manifest}, 1},
		"layer needed beside others":         {"2", false, evidence{layerByOther, manifest}, 1},
		"layer and prov, both needed":        {"2", false, evidence{layer, byRelease(t)}, 1},
		"foreign layer":                      {"any", false, evidence{layerSigned(t, testkit.BundleOptions{Subject: "mallory@example.test"}), manifest}, 0},
		"nothing":                            {"any", false, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			folder := trustFolder(t)
			lines := []string{"require: " + tc.require}
			if tc.policy {
				writeFile(t, folder+"/policy/p.rego", []byte("package chartsign\n\ndeny contains \"never\" if false\n"))
				lines = append(lines, "policies: [policy]")
			}
			trust := mustCompile(t, folder, rule([]string{signRelease, signBot, other}, lines...))
			s := remote(t, tc.evidence...)
			judgement := judge(t, trust, s)
			if want := allowed(); len(tc.evidence) > 0 {
				wantOutcome(t, judgement, want)
			}
			if s.archives != tc.archives {
				t.Errorf("got %d reads of the archive, want %d", s.archives, tc.archives)
			}
		})
	}
}

// TestArchiveIsNotWhatTheConfigSays: whatever keeps the comparison from passing keeps the
// chart from passing.
func TestArchiveIsNotWhatTheConfigSays(t *testing.T) {
	trust := trusting(t, []string{signBot, signRelease})
	layer := layerSigned(t, testkit.BundleOptions{})
	for name, tc := range map[string]struct {
		edit func(*source)
		want outcome
	}{
		"the same":             {func(*source) {}, allowed()},
		"config lies on what":  {func(s *source) { s.subject.Chart = configChart(t, "guestbook", "nginx") }, rejected(chartsign.ReasonReferenceMismatch)},
		"config lies on which": {func(s *source) { s.subject.Chart = configChart(t, `"1.4.2"`, `"1.5.0"`) }, rejected(chartsign.ReasonReferenceMismatch)},
		"config lies on the application": {
			func(s *source) { s.subject.Chart = configChart(t, `"appVersion":"`, `"appVersion":"9`) }, rejected(verify.ReasonMetadataMismatch),
		},
		"config adds a field": {
			func(s *source) {
				s.subject.Chart = configChart(t, `"version":"1.4.2"`, `"version":"1.4.2","deprecated":true`)
			}, rejected(verify.ReasonMetadataMismatch),
		},
		"archive is another":        {func(s *source) { s.archive = otherChart() }, rejected(chartsign.ReasonContentMismatch)},
		"archive is the blob again": {func(s *source) { s.archive = s.subject.Chart }, inconclusive(chartsign.ReasonUnavailable)},
		"archive is missing":        {func(s *source) { s.archive = nil }, inconclusive(chartsign.ReasonUnavailable)},
		"archive cannot be had": {
			func(s *source) { s.archive, s.archiveErr = nil, errors.New("connection reset") }, inconclusive(chartsign.ReasonUnavailable),
		},
		"archive beside an error": {func(s *source) { s.archiveErr = errors.New("connection reset") }, inconclusive(chartsign.ReasonUnavailable)},
		"archive is forbidden": {
			func(s *source) { s.archiveErr = chartsign.Reasonf(chartsign.ReasonUnauthorized, "no") }, inconclusive(chartsign.ReasonUnauthorized),
		},
		"archive is other content": {
			func(s *source) { s.archiveErr = chartsign.Reasonf(chartsign.ReasonContentMismatch, "no") }, rejected(chartsign.ReasonContentMismatch),
		},
		"archive is no chart": {func(s *source) { s.archiveErr = chartsign.Reasonf(chartsign.ReasonNotAChart, "no") }, rejected(chartsign.ReasonNotAChart)},
		"foreign evidence beside an archive that cannot be had": {
			func(s *source) {
				s.listing.Evidence = append(s.listing.Evidence, foreign(t))
				s.archiveErr = errors.New("connection reset")
			}, rejected(verify.ReasonSignerNotTrusted),
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := remote(t, layer)
			tc.edit(s)
			wantOutcome(t, judge(t, trust, s), tc.want)
		})
	}
}

// TestProvSignsTheMetadata: a .prov file names the metadata itself, so a config blob that
// says something else is found without the archive.
func TestProvSignsTheMetadata(t *testing.T) {
	trust := trusting(t, []string{signRelease})
	s := remote(t, byRelease(t))
	s.subject.Chart = configChart(t, `"appVersion":"`, `"appVersion":"9`)
	wantOutcome(t, judge(t, trust, s), rejected(verify.ReasonMetadataMismatch))
	if s.archives > 0 {
		t.Errorf("got %d reads of the archive, want none", s.archives)
	}
}

// TestRelaxedProvCoversNothing: with HelmCompat, a .prov file whose metadata differs counts
// as one over the archive alone.
func TestRelaxedProvCoversNothing(t *testing.T) {
	trust, err := compile(t, trustFolder(t), rule([]string{signRelease}), gate.Options{HelmCompat: true})
	if err != nil {
		t.Fatal(err)
	}
	s := remote(t, prov(t, "hostile/other-app-version.prov"))
	wantOutcome(t, judge(t, trust, s), allowed())
	if s.archives != 1 {
		t.Errorf("got %d reads of the archive, want 1", s.archives)
	}
	s = remote(t, prov(t, "hostile/other-app-version.prov"))
	s.subject.Chart = configChart(t, `"appVersion":"`, `"appVersion":"9`)
	wantOutcome(t, judge(t, trust, s), rejected(verify.ReasonMetadataMismatch))
}

// TestPolicySeesOnlyWhoCovers: a signer whose signature covers the archive alone is not
// among the policy's signers if the archive could not be compared.
func TestPolicySeesOnlyWhoCovers(t *testing.T) {
	folder := trustFolder(t)
	writeFile(t, folder+"/p.rego", []byte("package chartsign\n\n_names contains s.name if some s in input.signers\n\ndeny contains \"no second signer\" if not \"other\" in _names\n"))
	other := `{name: other, keyless: {issuer: "https://issuer.example.test", subject: other@example.test}}`
	trust := mustCompile(t, folder, rule([]string{signBot, other}, "policies: [p.rego]"))
	evidence := []chartsign.Evidence{manifestSigned(t, testkit.BundleOptions{}), layerSigned(t, testkit.BundleOptions{Subject: "other@example.test"})}
	wantOutcome(t, judge(t, trust, remote(t, evidence...)), allowed())
	s := remote(t, evidence...)
	s.archiveErr = errors.New("connection reset")
	wantOutcome(t, judge(t, trust, s), denied)
}
