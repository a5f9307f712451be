// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/verify"
)

// The evidence that adds nothing, each in its own way.
func foreign(tb testing.TB) chartsign.Evidence {
	tb.Helper()
	return manifestSigned(tb, testkit.BundleOptions{Subject: "mallory@example.test"})
}

func tampered(tb testing.TB) chartsign.Evidence {
	tb.Helper()
	return prov(tb, "hostile/tampered-description.prov")
}

func unreadable(kind chartsign.EvidenceKind) chartsign.Evidence {
	return chartsign.UnreadableEvidence(kind, chartsign.SourceReferrer, "sha256:x", chartsign.Digest{}, errors.New("connection reset"))
}

func legacy() chartsign.Evidence {
	return chartsign.NewEvidence(chartsign.KindCosignLegacy, chartsign.SourceLegacyTag, "sha256-x.sig", []byte("{}"))
}

func attestation(tb testing.TB) chartsign.Evidence {
	tb.Helper()
	statement := testkit.Statement(tb, "https://slsa.dev/provenance/v1", map[string]any{}, manifestDigest())
	return bundle(deployment().Attest(tb, statement, testkit.BundleOptions{}))
}

// TestVerdicts: what is found, and what is said about it, for a rule with one signer of two
// kinds. Unmet, what is rejected outweighs what could not be judged, and that outweighs
// that there is nothing; met, all of it is only reported.
func TestVerdicts(t *testing.T) {
	trust := trusting(t, []string{signRelease, signBot})
	problem := errors.New("page 2: HTTP 500")
	type evidence = []chartsign.Evidence
	for name, tc := range map[string]struct {
		evidence evidence
		problem  error
		want     outcome
	}{
		"nothing":                        {want: unsigned},
		"nothing, listing incomplete":    {problem: problem, want: inconclusive(chartsign.ReasonListingIncomplete)},
		"nothing, listing unauthorised":  {problem: chartsign.Reasonf(chartsign.ReasonUnauthorized, "no"), want: inconclusive(chartsign.ReasonUnauthorized)},
		"prov":                           {evidence: evidence{byRelease(t)}, want: allowed()},
		"bundle about the manifest":      {evidence: evidence{manifestSigned(t, testkit.BundleOptions{})}, want: allowed()},
		"bundle about the layer":         {evidence: evidence{layerSigned(t, testkit.BundleOptions{})}, want: allowed()},
		"prov, listing incomplete":       {evidence: evidence{byRelease(t)}, problem: problem, want: allowed()},
		"foreign":                        {evidence: evidence{foreign(t)}, want: rejected(verify.ReasonSignerNotTrusted)},
		"foreign prov":                   {evidence: evidence{byMaintainer(t)}, want: rejected(verify.ReasonSignerNotTrusted)},
		"foreign, listing incomplete":    {evidence: evidence{foreign(t)}, problem: problem, want: rejected(verify.ReasonSignerNotTrusted)},
		"tampered":                       {evidence: evidence{tampered(t)}, want: rejected(verify.ReasonSignatureInvalid)},
		"unreadable":                     {evidence: evidence{unreadable(chartsign.KindBundle)}, want: inconclusive(verify.ReasonEvidenceUnavailable)},
		"legacy":                         {evidence: evidence{legacy()}, want: inconclusive(verify.ReasonUnsupported)},
		"attestation by a signer":        {evidence: evidence{attestation(t)}, want: rejected(verify.ReasonNotASignature)},
		"unreadable before foreign":      {evidence: evidence{unreadable(chartsign.KindProvenance), foreign(t)}, want: rejected(verify.ReasonSignerNotTrusted)},
		"legacy before tampered":         {evidence: evidence{legacy(), tampered(t)}, want: rejected(verify.ReasonSignatureInvalid)},
		"unreadable, listing incomplete": {evidence: evidence{unreadable(chartsign.KindBundle)}, problem: problem, want: inconclusive(verify.ReasonEvidenceUnavailable)},
		"all that is bad, and one that is good": {
			evidence: evidence{foreign(t), tampered(t), unreadable(chartsign.KindBundle), legacy(), attestation(t), byMaintainer(t), byRelease(t)},
			problem:  problem, want: allowed(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := remote(t, tc.evidence...)
			s.listing.Problem = tc.problem
			judgement := judge(t, trust, s)
			wantOutcome(t, judgement, tc.want)
			if len(judgement.Results) < len(tc.evidence) {
				t.Errorf("got %d results for %d pieces of evidence: all must be reported", len(judgement.Results), len(tc.evidence))
			}
			if judgement.Rule != "only" || !judgement.Enforced || judgement.TrustDigest.IsZero() {
				t.Errorf("got rule %q, enforced %t, trust %q", judgement.Rule, judgement.Enforced, judgement.TrustDigest)
			}
		})
	}
}

// TestSourceErrors: what goes wrong while looking speaks against the chart only if it is the
// chart's fault.
func TestSourceErrors(t *testing.T) {
	trust := trusting(t, []string{signRelease})
	for code, want := range map[chartsign.ReasonCode]string{
		chartsign.ReasonNotAChart:           "rejected",
		chartsign.ReasonChartTooLarge:       "rejected",
		chartsign.ReasonContentMismatch:     "rejected",
		chartsign.ReasonReferenceMismatch:   "rejected",
		chartsign.ReasonNotFound:            "inconclusive",
		chartsign.ReasonUnauthorized:        "inconclusive",
		chartsign.ReasonRateLimited:         "inconclusive",
		chartsign.ReasonUnavailable:         "inconclusive",
		chartsign.ReasonInvalidResponse:     "inconclusive",
		chartsign.ReasonListingIncomplete:   "inconclusive",
		chartsign.ReasonCode("new-in-2031"): "inconclusive",
	} {
		s := remote(t, byRelease(t))
		s.resolveErr = chartsign.Reasonf(code, "failed")
		wantOutcome(t, judge(t, trust, s), outcome{want, code})
		if s.listings > 0 {
			t.Errorf("%s: the source was asked for evidence about nothing", code)
		}
		s = remote(t, byRelease(t))
		s.listingErr = chartsign.Reasonf(code, "failed")
		wantOutcome(t, judge(t, trust, s), outcome{want, code})
	}
	s := remote(t, byRelease(t))
	s.resolveErr = context.DeadlineExceeded
	wantOutcome(t, judge(t, trust, s), inconclusive(chartsign.ReasonUnavailable))
}

// TestBrokenSources: a source that does not keep its promises allows nothing.
func TestBrokenSources(t *testing.T) {
	trust := trusting(t, []string{signRelease, signBot})
	good := func() *source { return remote(t, byRelease(t)) }
	for name, tc := range map[string]struct {
		edit    func(*source)
		request func(*gate.Request)
		want    outcome
	}{
		"panics":               {edit: func(s *source) { s.panics = true }, want: inconclusive(chartsign.ReasonUnavailable)},
		"no chart":             {edit: func(s *source) { s.subject.Chart = nil }, want: inconclusive(chartsign.ReasonUnavailable)},
		"nothing at all":       {edit: func(s *source) { s.subject = chartsign.Subject{} }, want: inconclusive(chartsign.ReasonUnavailable)},
		"another repository":   {edit: func(s *source) { s.subject.Reference.Repository = "other/guestbook" }, want: inconclusive(chartsign.ReasonUnavailable)},
		"another registry":     {edit: func(s *source) { s.subject.Reference.Registry = "evil.test" }, want: inconclusive(chartsign.ReasonUnavailable)},
		"another tag":          {edit: func(s *source) { s.subject.Reference.Tag = "stable" }, want: inconclusive(chartsign.ReasonUnavailable)},
		"a file":               {edit: func(s *source) { s.subject.Reference = chartsign.Reference{File: "x.tgz"} }, want: inconclusive(chartsign.ReasonUnavailable)},
		"spelled otherwise":    {edit: func(s *source) { s.subject.Reference.Given = "guestbook" }, want: allowed()},
		"no source":            {request: func(r *gate.Request) { r.Source = nil }, want: inconclusive(chartsign.ReasonUnavailable)},
		"a source that is nil": {request: func(r *gate.Request) { r.Source = (*source)(nil) }, want: inconclusive(chartsign.ReasonUnavailable)},
		"no time":              {request: func(r *gate.Request) { r.Time = time.Time{} }, want: inconclusive(chartsign.ReasonUnavailable)},
		"no time but the policy's": {
			request: func(r *gate.Request) { r.Time, r.EffectiveTime = time.Time{}, now }, want: inconclusive(chartsign.ReasonUnavailable),
		},
		"evidence of no kind": {edit: func(s *source) { s.listing.Evidence = []chartsign.Evidence{{}} }, want: inconclusive(verify.ReasonUnsupported)},
	} {
		t.Run(name, func(t *testing.T) {
			s := good()
			req := request(s)
			if tc.edit != nil {
				tc.edit(s)
			}
			if tc.request != nil {
				tc.request(&req)
			}
			judgement := trust.Judge(t.Context(), req)
			wantOutcome(t, judgement, tc.want)
			if judgement.Passes() != (tc.want == allowed()) {
				t.Errorf("passes: got %t", judgement.Passes())
			}
		})
	}
}

// TestPanicIsEnforced: a panic is not softened by a rule that only warns.
func TestPanicIsEnforced(t *testing.T) {
	trust := trusting(t, []string{signRelease}, "mode: warn", "warnUnsigned: true")
	s := remote(t)
	s.panics = true
	judgement := judge(t, trust, s)
	wantOutcome(t, judgement, inconclusive(chartsign.ReasonUnavailable))
	if judgement.Passes() || judgement.Rule != "only" {
		t.Errorf("got passes %t, rule %q", judgement.Passes(), judgement.Rule)
	}
}

// TestZeroValuesAllowNothing: whoever forgets to judge lets nobody in.
func TestZeroValuesAllowNothing(t *testing.T) {
	var judgement gate.Judgement
	if judgement.Passes() || judgement.Verdict == gate.Allowed || judgement.Verdict.String() != "inconclusive" {
		t.Errorf("zero judgement: got passes %t, verdict %s", judgement.Passes(), judgement.Verdict)
	}
	for _, verdict := range []gate.Verdict{gate.Inconclusive, gate.Rejected, -1, 99} {
		if (gate.Judgement{Verdict: verdict}).Passes() {
			t.Errorf("verdict %d that is not enforced: passes", verdict)
		}
	}
	if got := gate.Verdict(99).String(); got != "inconclusive" {
		t.Errorf("unknown verdict: got %q", got)
	}
	var trust gate.Trust
	wantOutcome(t, judge(t, &trust, local(t, byRelease(t))), outcome{"denied", gate.ReasonNoRule})
	var none *gate.Trust
	if got := judge(t, none, local(t, byRelease(t))); got.Passes() || got.Verdict != gate.Inconclusive {
		t.Errorf("no trust at all: got %v", outcomeOf(got))
	}
}

// TestNoRule: what no rule is about is denied, whatever is signed, and nobody is asked.
func TestNoRule(t *testing.T) {
	folder := trustFolder(t)
	trust := mustCompile(t, folder, header+"rules:\n- {name: a, mode: warn, warnUnsigned: true, match: [\"oci://registry.example/charts/**\"], signers: ["+signRelease+"]}\n")
	for _, ref := range []string{
		"oci://registry.example.evil/charts/guestbook:1.4.2", "oci://registry.example/other/guestbook:1.4.2",
		"oci://registry.example:5000/charts/guestbook:1.4.2", "registry.example/charts/guestbook", "guestbook-1.4.2.tgz",
	} {
		s := local(t, byRelease(t))
		s.subject.Reference = reference(t, ref)
		judgement := judge(t, trust, s)
		wantOutcome(t, judgement, outcome{"denied", gate.ReasonNoRule})
		if judgement.Passes() || s.resolves > 0 || judgement.Rule != "" || len(judgement.Denials) != 1 {
			t.Errorf("%s: got passes %t, %d requests, rule %q, denials %v", ref, judgement.Passes(), s.resolves, judgement.Rule, judgement.Denials)
		}
	}
}

// TestFirstRuleWins: a later rule adds nobody.
func TestFirstRuleWins(t *testing.T) {
	trust := mustCompile(t, trustFolder(t), header+"rules:\n"+
		"- {name: strict, match: [\"oci://registry.example/charts/*\"], signers: ["+signMaintainer+"]}\n"+
		"- {name: lax, match: [\"oci://**\"], signers: ["+signRelease+"]}\n")
	judgement := judge(t, trust, remote(t, byRelease(t)))
	wantOutcome(t, judgement, rejected(verify.ReasonSignerNotTrusted))
	if judgement.Rule != "strict" {
		t.Errorf("rule: got %q, want strict", judgement.Rule)
	}
}

// TestJudgeConcurrently: one Trust serves many goroutines.
func TestJudgeConcurrently(t *testing.T) {
	trust := trusting(t, []string{signRelease, signMaintainer}, "require: all")
	done := make(chan outcome)
	for range 8 {
		go func() {
			done <- outcomeOf(judge(t, trust, remote(t, byRelease(t), byMaintainer(t))))
		}()
	}
	for range 8 {
		if got := <-done; got != allowed() {
			t.Errorf("got %v, want allowed", got)
		}
	}
}
