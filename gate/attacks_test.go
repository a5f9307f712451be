// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/verify"
)

// TestTOCTOUTagIsResolvedOnce: Flux's HelmChart and Sveltos verified what a tag named and
// then asked for the tag again. Here the source is asked once.
func TestTOCTOUTagIsResolvedOnce(t *testing.T) {
	s := remote(t, layerSigned(t, testkit.BundleOptions{}))
	judgement := judge(t, trusting(t, []string{signBot}), s)
	wantOutcome(t, judgement, allowed())
	if s.resolves != 1 || s.listings != 1 || s.archives != 1 {
		t.Errorf("got %d resolutions, %d listings and %d archives, want one each", s.resolves, s.listings, s.archives)
	}
	if judgement.Subject.Manifest != manifestDigest() || judgement.Subject.Chart.Digest() != guestbook().Digest() {
		t.Errorf("judged %v, want exactly what was resolved", judgement.Subject)
	}
}

// swapping is a source whose tag moves between the questions.
type swapping struct{ *source }

func (s swapping) Archive(context.Context) (*chartsign.Chart, error) { return otherChart(), nil }

// TestTOCTOUArchiveIsSwapped: the archive that comes is not the one that was judged.
func TestTOCTOUArchiveIsSwapped(t *testing.T) {
	s := remote(t, layerSigned(t, testkit.BundleOptions{}))
	req := request(s)
	req.Source = swapping{s}
	wantOutcome(t, trusting(t, []string{signBot}).Judge(t.Context(), req), rejected(chartsign.ReasonContentMismatch))
}

// TestArgoCDDisabledVerifierDenies: Argo CD's GPG option passes everything while GnuPG is
// off. Here each verifier that has nothing to work with says no.
func TestArgoCDDisabledVerifierDenies(t *testing.T) {
	key, keyFile := newKey(t)
	folder := trustFolder(t)
	writeFile(t, filepath.Join(folder, "key.pem"), keyFile)
	pgpOnly, keyOnly := rule([]string{signRelease}), rule([]string{`{name: key, key: {file: key.pem}}`})
	noRoot := "trustedRoot: trusted_root.json\n"
	for name, tc := range map[string]struct {
		text     string
		evidence chartsign.Evidence
		want     outcome
	}{
		"no keyless signer":    {pgpOnly, manifestSigned(t, testkit.BundleOptions{}), rejected(verify.ReasonSignerNotTrusted)},
		"no public key":        {pgpOnly, manifestSigned(t, testkit.BundleOptions{Key: key}), rejected(verify.ReasonSignerNotTrusted)},
		"no OpenPGP key":       {keyOnly, byRelease(t), rejected(verify.ReasonSignerNotTrusted)},
		"no root for the log":  {keyOnly[:len(header)] + keyOnly[len(header)+len(noRoot):], manifestSigned(t, testkit.BundleOptions{Key: key}), inconclusive(verify.ReasonNoTrustedRoot)},
		"no verifier for .sig": {pgpOnly, legacy(), inconclusive(verify.ReasonUnsupported)},
		"no such kind":         {pgpOnly, chartsign.NewEvidence("notation", chartsign.SourceReferrer, "x", []byte("{}")), inconclusive(verify.ReasonUnsupported)},
		"no evidence was read": {pgpOnly, unreadable(chartsign.KindProvenance), inconclusive(verify.ReasonEvidenceUnavailable)},
	} {
		judgement := judge(t, mustCompile(t, folder, tc.text), remote(t, tc.evidence))
		if outcomeOf(judgement) != tc.want || judgement.Passes() {
			t.Errorf("%s: got %v (%v), want %v", name, outcomeOf(judgement), judgement.Reason, tc.want)
		}
	}
}

// TestPolicyControllerCVE202235930: a genuine statement by the right signer about another
// subject lets nothing in.
func TestPolicyControllerCVE202235930(t *testing.T) {
	another := chartsign.DigestOf([]byte("another manifest"))
	trust := trusting(t, []string{signBot})
	for name, evidence := range map[string]chartsign.Evidence{
		"another manifest":                        bundle(deployment().SignManifest(t, another, testkit.BundleOptions{})),
		"another archive":                         bundle(deployment().SignArchive(t, readFile(t, testdata("charts", "guestbook-1.5.0-rc.1+build.7.tgz")), testkit.BundleOptions{})),
		"the archive, as if it were the manifest": bundle(deployment().SignManifest(t, guestbook().Digest(), testkit.BundleOptions{})),
	} {
		t.Run(name, func(t *testing.T) {
			wantOutcome(t, judge(t, trust, remote(t, evidence)), rejected(verify.ReasonDigestMismatch))
		})
	}
	both := testkit.Statement(t, testkit.PredicateSignature, map[string]any{}, another, manifestDigest())
	wantOutcome(t, judge(t, trust, remote(t, bundle(deployment().Attest(t, both, testkit.BundleOptions{})))), rejected(verify.ReasonStatementMalformed))
	local := local(t, manifestSigned(t, testkit.BundleOptions{}))
	wantOutcome(t, judge(t, trust, local), rejected(verify.ReasonDigestMismatch))
}

// TestCosignCVE202639395: an attestation by a trusted signer is no signature, also where it
// is delivered as one.
func TestCosignCVE202639395(t *testing.T) {
	trust := trusting(t, []string{signBot})
	for _, predicate := range []string{"https://spdx.dev/Document", "https://slsa.dev/provenance/v1", "https://sigstore.dev/cosign/sign/v2", ""} {
		statement := testkit.Statement(t, predicate, map[string]any{}, manifestDigest())
		judgement := judge(t, trust, remote(t, bundle(deployment().Attest(t, statement, testkit.BundleOptions{}))))
		wantOutcome(t, judgement, rejected(verify.ReasonNotASignature))
	}
}

// TestThrottledListingIsNotUnsigned: a registry that does not answer has not said that
// there is nothing.
func TestThrottledListingIsNotUnsigned(t *testing.T) {
	trust := trusting(t, []string{signRelease}, "mode: warn", "warnUnsigned: true")
	s := remote(t)
	s.listing.Problem = chartsign.Reasonf(chartsign.ReasonRateLimited, "429")
	if got := judge(t, trust, s); got.Passes() || got.Verdict != gate.Inconclusive {
		t.Errorf("throttled: got %v, passes %t", outcomeOf(got), got.Passes())
	}
	s = remote(t)
	s.listingErr = errors.New("EOF")
	if got := judge(t, trust, s); got.Passes() || got.Verdict != gate.Inconclusive {
		t.Errorf("broken: got %v, passes %t", outcomeOf(got), got.Passes())
	}
}

// TestDecisionIsNotShared: an allow in one place says nothing about another place, context
// or time.
func TestDecisionIsNotShared(t *testing.T) {
	trust := withPolicy(t, `deny contains "prod" if input.context.namespace == "prod"

deny contains "repository" if not startswith(input.reference.repository, "charts/")

deny contains "late" if time.parse_rfc3339_ns(input.time) > time.parse_rfc3339_ns("2027-06-01T00:00:00Z")`)
	for range 2 {
		for name, edit := range map[string]func(*gate.Request, *source){
			"context": func(r *gate.Request, _ *source) { r.Context.Namespace = "prod" },
			"time":    func(r *gate.Request, _ *source) { r.EffectiveTime = now.AddDate(1, 0, 0) },
			"reference": func(_ *gate.Request, s *source) {
				s.subject.Reference = reference(t, "oci://registry.example/other/guestbook:1.4.2")
			},
		} {
			s := remote(t, byRelease(t))
			wantOutcome(t, judge(t, trust, s), allowed())
			var extra gate.Request
			edit(&extra, s)
			req := request(s)
			req.Context, req.EffectiveTime = extra.Context, extra.EffectiveTime
			if got := trust.Judge(t.Context(), req); outcomeOf(got) != denied {
				t.Errorf("another %s: got %v, want denied", name, outcomeOf(got))
			}
		}
	}
}
