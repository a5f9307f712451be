// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/policy"
	"github.com/chartsign/chartsign/verify"
)

// withPolicy is trust in release and the bot, with a policy and further lines of the rule.
func withPolicy(tb testing.TB, rego string, lines ...string) *gate.Trust {
	tb.Helper()
	folder := trustFolder(tb)
	writeFile(tb, filepath.Join(folder, "policy", "p.rego"), []byte("package chartsign\n\n"+rego+"\n"))
	return mustCompile(tb, folder, rule([]string{signRelease, signBot}, append(lines, "policies: [policy]")...))
}

// TestPolicyDecides: no denial allows; a denial, and a policy that comes to no decision,
// deny.
func TestPolicyDecides(t *testing.T) {
	for name, tc := range map[string]struct {
		rego string
		want outcome
		rule string
	}{
		"nothing":              {`deny contains "x" if false`, allowed(), ""},
		"denies":               {`deny contains "x"`, denied, "deny"},
		"denies by a rule":     {`deny contains {"rule": "r", "msg": "x"}`, denied, "r"},
		"undefined for ever":   {`deny contains "x" if input.chart.nothing == 1`, allowed(), ""},
		"built-in error":       {`deny contains "x" if semver.compare(input.version, "no") < 0`, denied, policy.RuleError},
		"conflict":             {"_f := 1 if input.name\n_f := 2 if input.version\ndeny contains \"x\" if _f == 3", denied, policy.RuleError},
		"odd element":          {`deny contains 1`, denied, policy.RuleError},
		"odd warning":          {"deny contains \"x\" if false\nwarn contains 1", denied, policy.RuleError},
		"warns":                {"deny contains \"x\" if false\nwarn contains \"w\"", allowed(), ""},
		"takes all the time":   {`deny contains "x" if count([1 | some i in numbers.range(1, 4000); some j in numbers.range(1, 4000); i * j == -1]) > 0`, denied, policy.RuleTimeout},
		"asks the trust's eye": {`deny contains "x" if count(input.signers) == 0`, allowed(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			judgement := judge(t, withPolicy(t, tc.rego), remote(t, byRelease(t)))
			wantOutcome(t, judgement, tc.want)
			if tc.rule != "" && (len(judgement.Denials) != 1 || judgement.Denials[0].Rule != tc.rule) {
				t.Errorf("denials: got %v, want one by %q", judgement.Denials, tc.rule)
			}
			if judgement.PolicyDigest == "" || len(judgement.PolicySources) != 1 {
				t.Errorf("policy: got digest %q, sources %q", judgement.PolicyDigest, judgement.PolicySources)
			}
		})
	}
}

// TestPolicyCannotRescue: what is not signed by those who must is never put to a policy.
func TestPolicyCannotRescue(t *testing.T) {
	trust := withPolicy(t, `deny contains "x" if false`)
	for name, tc := range map[string]struct {
		evidence []chartsign.Evidence
		want     outcome
	}{
		"unsigned":   {nil, unsigned},
		"foreign":    {[]chartsign.Evidence{foreign(t)}, rejected(verify.ReasonSignerNotTrusted)},
		"tampered":   {[]chartsign.Evidence{tampered(t)}, rejected(verify.ReasonSignatureInvalid)},
		"unreadable": {[]chartsign.Evidence{unreadable(chartsign.KindBundle)}, inconclusive(verify.ReasonEvidenceUnavailable)},
	} {
		s := remote(t, tc.evidence...)
		req := request(s)
		req.KeepInput = true
		judgement := trust.Judge(t.Context(), req)
		wantOutcome(t, judgement, tc.want)
		if judgement.Input != nil || len(judgement.Denials) > 0 {
			t.Errorf("%s: the policy was asked: %s", name, judgement.Input)
		}
	}
}

// TestCancelledPolicy: who has no time left gets no yes.
func TestCancelledPolicy(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	judgement := withPolicy(t, `deny contains "x" if false`).Judge(ctx, request(remote(t, byRelease(t))))
	wantOutcome(t, judgement, inconclusive(chartsign.ReasonUnavailable))
}

// TestPoliciesAdd: each policy of a rule, and each that the caller adds, may deny.
func TestPoliciesAdd(t *testing.T) {
	folder := trustFolder(t)
	writeFile(t, filepath.Join(folder, "allow.rego"), readFile(t, testdata("policies", "allow-all", "allow.rego")))
	deny := testdata("policies", "deny-all", "deny.rego")
	text := rule([]string{signRelease}, "policies: [allow.rego]")
	wantOutcome(t, judge(t, mustCompile(t, folder, text), local(t, byRelease(t))), allowed())
	trust, err := compile(t, folder, text, gate.Options{Policies: []string{deny}})
	if err != nil {
		t.Fatal(err)
	}
	wantOutcome(t, judge(t, trust, local(t, byRelease(t))), denied)
	short, err := gate.CompileShort(t.Context(), gate.ShortTrust{Keyrings: []string{filepath.Join(folder, "release.asc")}}, gate.Options{Policies: []string{deny}})
	if err != nil {
		t.Fatal(err)
	}
	wantOutcome(t, judge(t, short, local(t, byRelease(t))), denied)
}

// TestWaivers: a waiver is for one rule, some charts, and some days.
func TestWaivers(t *testing.T) {
	const denyOld = `deny contains {"rule": "too-old", "msg": "old"}`
	waiver := func(rule, charts, until string) string {
		return fmt.Sprintf("waivers: [{rule: %s, charts: [%s], reason: r, until: %s}]", rule, charts, until)
	}
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for name, tc := range map[string]struct {
		rego, waiver string
		at           time.Time
		want         outcome
	}{
		"holds":                    {denyOld, waiver("too-old", "guestbook", "2027-06-30"), now, allowed()},
		"to the last second":       {denyOld, waiver("too-old", "guestbook", "2027-06-30"), at("2027-06-30T23:59:59Z"), allowed()},
		"and no longer":            {denyOld, waiver("too-old", "guestbook", "2027-06-30"), at("2027-07-01T00:00:00Z"), denied},
		"in UTC, east":             {denyOld, waiver("too-old", "guestbook", "2027-06-30"), at("2027-07-01T01:00:00+02:00"), allowed()},
		"in UTC, west":             {denyOld, waiver("too-old", "guestbook", "2027-06-30"), at("2027-06-30T23:00:00-02:00"), denied},
		"of a leap day":            {denyOld, waiver("too-old", "guestbook", "2028-02-29"), at("2028-02-29T23:59:59Z"), allowed()},
		"of the past":              {denyOld, waiver("too-old", "guestbook", "2026-12-31"), now, denied},
		"by a pattern":             {denyOld, waiver("too-old", "\"guest*\"", "2027-06-30"), now, allowed()},
		"by a pattern that is not": {denyOld, waiver("too-old", "\"guest?\"", "2027-06-30"), now, denied},
		"by part of the name":      {denyOld, waiver("too-old", "guest", "2027-06-30"), now, denied},
		"of another chart":         {denyOld, waiver("too-old", "nginx", "2027-06-30"), now, denied},
		"of another rule":          {denyOld, waiver("too-new", "guestbook", "2027-06-30"), now, denied},
		"of no pattern of rules":   {denyOld, waiver("\"*\"", "guestbook", "2027-06-30"), now, denied},
		"of one of two":            {denyOld + "\ndeny contains {\"rule\": \"other\", \"msg\": \"x\"}", waiver("too-old", "guestbook", "2027-06-30"), now, denied},
		"of what has no name":      {`deny contains "x"`, waiver("deny", "guestbook", "2027-06-30"), now, allowed()},
		"of an error":              {`deny contains {"rule": "too-old", "msg": 1}`, waiver("too-old", "guestbook", "2027-06-30"), now, denied},
		"of one beside an error":   {denyOld + "\ndeny contains 1", waiver("too-old", "guestbook", "2027-06-30"), now, denied},
		"of one in a policy that errs": {
			denyOld + "\ndeny contains \"x\" if semver.compare(input.version, \"no\") < 0", waiver("too-old", "guestbook", "2027-06-30"), now, denied,
		},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(remote(t, byRelease(t)))
			req.EffectiveTime = tc.at
			judgement := withPolicy(t, tc.rego, tc.waiver).Judge(t.Context(), req)
			wantOutcome(t, judgement, tc.want)
			if tc.want == allowed() && (len(judgement.Warnings) != 1 || len(judgement.Denials) > 0) {
				t.Errorf("got warnings %v and denials %v, want what was waived as a warning", judgement.Warnings, judgement.Denials)
			}
		})
	}
}

// TestWaiversOfTooManyDenials: the list of denials ends at a cap. What was left out, and is
// not waived, denies still.
func TestWaiversOfTooManyDenials(t *testing.T) {
	trust := withPolicy(t, fmt.Sprintf(`deny contains {"rule": "a", "msg": sprintf("%%d", [i])} if some i in numbers.range(1, %d)

deny contains {"rule": "z", "msg": "the one that counts"}`, limits.PolicyFindings+5),
		"waivers: [{rule: a, charts: [\"*\"], reason: r, until: 2028-01-01}, {rule: deny, charts: [\"*\"], reason: r, until: 2028-01-01}]")
	wantOutcome(t, judge(t, trust, remote(t, byRelease(t))), denied)
}

// TestWaiversConcernPoliciesOnly: nobody waives that a chart is not signed.
func TestWaiversConcernPoliciesOnly(t *testing.T) {
	for code, s := range map[chartsign.ReasonCode]*source{
		gate.ReasonNoEvidence:         remote(t),
		verify.ReasonSignerNotTrusted: remote(t, foreign(t)),
	} {
		trust := withPolicy(t, `deny contains "x" if false`, fmt.Sprintf("waivers: [{rule: %s, charts: [\"*\"], reason: r, until: 2028-01-01}]", code))
		if got := judge(t, trust, s); got.Passes() || got.Reason.Code != code {
			t.Errorf("waiver of %s: got %v", code, outcomeOf(got))
		}
	}
}

// TestModeWarn: the verdict stays true; what the rule only warns of is not enforced. What is
// rejected or inconclusive always is, and so is everything for pull.
func TestModeWarn(t *testing.T) {
	const deny, allow = `deny contains "x"`, `deny contains "x" if false`
	for name, tc := range map[string]struct {
		rego, unsigned string
		edit           func(*source)
		strict         bool
		want           outcome
		passes         bool
	}{
		"allowed":                  {rego: allow, want: allowed(), passes: true},
		"denied":                   {rego: deny, want: denied, passes: true},
		"denied, for pull":         {rego: deny, strict: true, want: denied},
		"unsigned":                 {rego: allow, edit: func(s *source) { s.listing.Evidence = nil }, want: unsigned},
		"unsigned, warned":         {rego: allow, unsigned: "warnUnsigned: true", edit: func(s *source) { s.listing.Evidence = nil }, want: unsigned, passes: true},
		"unsigned, for pull":       {rego: allow, unsigned: "warnUnsigned: true", strict: true, edit: func(s *source) { s.listing.Evidence = nil }, want: unsigned},
		"denied, unsigned allowed": {rego: deny, unsigned: "warnUnsigned: true", want: denied, passes: true},
		"rejected": {
			rego: deny, unsigned: "warnUnsigned: true", edit: func(s *source) { s.listing.Evidence = []chartsign.Evidence{foreign(t)} },
			want: rejected(verify.ReasonSignerNotTrusted),
		},
		"rejected for its name": {
			rego: deny, unsigned: "warnUnsigned: true", edit: func(s *source) { s.subject.Chart = configChart(t, `"1.4.2"`, `"1.4.3"`) },
			want: rejected(chartsign.ReasonReferenceMismatch),
		},
		"unreadable": {
			rego: deny, unsigned: "warnUnsigned: true", edit: func(s *source) { s.listing.Evidence = []chartsign.Evidence{unreadable(chartsign.KindBundle)} },
			want: inconclusive(verify.ReasonEvidenceUnavailable),
		},
		"not found": {
			rego: deny, unsigned: "warnUnsigned: true", edit: func(s *source) { s.resolveErr = chartsign.Reasonf(chartsign.ReasonNotFound, "no") },
			want: inconclusive(chartsign.ReasonNotFound),
		},
		"nothing listed, and no end": {
			rego: deny, unsigned: "warnUnsigned: true", edit: func(s *source) {
				s.listing = chartsign.Listing{Problem: context.DeadlineExceeded}
			},
			want: inconclusive(chartsign.ReasonListingIncomplete),
		},
	} {
		t.Run(name, func(t *testing.T) {
			lines := []string{"mode: warn"}
			if tc.unsigned != "" {
				lines = append(lines, tc.unsigned)
			}
			s := remote(t, byRelease(t))
			if tc.edit != nil {
				tc.edit(s)
			}
			req := request(s)
			req.Strict = tc.strict
			judgement := withPolicy(t, tc.rego, lines...).Judge(t.Context(), req)
			wantOutcome(t, judgement, tc.want)
			if judgement.Passes() != tc.passes {
				t.Errorf("passes: got %t, want %t", judgement.Passes(), tc.passes)
			}
			if softened := tc.passes && tc.want != allowed(); judgement.Enforced == softened {
				t.Errorf("enforced: got %t", judgement.Enforced)
			}
		})
	}
}

// TestModeEnforce: enforce is the default, and nothing else softens.
func TestModeEnforce(t *testing.T) {
	for _, lines := range [][]string{nil, {"mode: enforce"}} {
		judgement := judge(t, withPolicy(t, `deny contains "x"`, lines...), remote(t, byRelease(t)))
		if wantOutcome(t, judgement, denied); judgement.Passes() || !judgement.Enforced {
			t.Errorf("%q: got passes %t, enforced %t", lines, judgement.Passes(), judgement.Enforced)
		}
	}
}

// TestEffectiveTimeIsThePolicysAlone: somebody who turns the policy's clock back does not
// bring an expired key to life, and who turns it forward does not let one expire.
func TestEffectiveTimeIsThePolicysAlone(t *testing.T) {
	folder := trustFolder(t)
	writeFile(t, filepath.Join(folder, "p.rego"), []byte("package chartsign\n\ndeny contains \"late\" if time.parse_rfc3339_ns(input.time) > time.parse_rfc3339_ns(\"2027-06-01T00:00:00Z\")\n"))
	trust := mustCompile(t, folder, rule([]string{`{name: expired, pgp: {keyring: expired.asc}}`, signRelease}, "policies: [p.rego]"))
	expired := prov(t, "hostile/signed-by-expired.prov")
	before := time.Date(2026, 2, 15, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		at, effective time.Time
		evidence      chartsign.Evidence
		want          outcome
	}{
		"now":                                   {now, time.Time{}, byRelease(t), allowed()},
		"forward":                               {now, now.AddDate(1, 0, 0), byRelease(t), denied},
		"expired":                               {now, time.Time{}, expired, rejected(verify.ReasonKeyExpired)},
		"expired, clock turned back":            {now, before, expired, rejected(verify.ReasonKeyExpired)},
		"not yet expired":                       {before, time.Time{}, expired, allowed()},
		"not yet expired, clock turned on":      {before, now, expired, allowed()},
		"not yet expired, clock far forward":    {before, now.AddDate(9, 0, 0), expired, denied},
		"signed in the future, clock far ahead": {before, now.AddDate(9, 0, 0), byRelease(t), rejected(verify.ReasonSignatureTime)},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(remote(t, tc.evidence))
			req.Time, req.EffectiveTime = tc.at, tc.effective
			wantOutcome(t, trust.Judge(t.Context(), req), tc.want)
		})
	}
}

// TestInputDocument: what a policy sees of a chart that two have signed, one of them foreign.
func TestInputDocument(t *testing.T) {
	trust := withPolicy(t, `deny contains "x" if false`)
	s := remote(t, byRelease(t), manifestSigned(t, testkit.BundleOptions{Extensions: map[int]string{12: "https://github.com/acme/charts"}}), foreign(t), bySplit(t))
	req := request(s)
	req.KeepInput, req.EffectiveTime = true, now.AddDate(0, 0, 1)
	req.Context = policy.Context{Operation: "verify", Namespace: "prod", User: "u", File: "f.yaml", Line: 3}
	judgement := trust.Judge(t.Context(), req)
	wantOutcome(t, judgement, allowed())
	var got map[string]any
	if err := json.Unmarshal(judgement.Input, &got); err != nil {
		t.Fatal(err)
	}
	type object = map[string]any
	type array = []any
	want := object{
		"name": "guestbook", "version": "1.4.2", "appVersion": guestbook().AppVersion(),
		"digest": guestbook().Digest().String(), "manifestDigest": manifestDigest().String(),
		"reference": object{"registry": "registry.example", "repository": "charts/guestbook", "tag": "1.4.2"},
		"signers": array{
			object{"name": "release", "kind": "pgp", "fingerprint": fpr("release"), "logged": false, "binds": "layer"},
			object{
				"name": "bot", "kind": "keyless", "issuer": testkit.Issuer, "subject": testkit.Subject, "logged": true, "binds": "manifest",
				"extensions": object{"sourceRepositoryURI": "https://github.com/acme/charts"},
			},
		},
		"attestations": array{},
		"time":         now.AddDate(0, 0, 1).Format(time.RFC3339),
		"context":      object{"operation": "verify", "namespace": "prod", "user": "u", "file": "f.yaml", "line": 3.0},
	}
	ignored := cmpopts.IgnoreMapEntries(func(key string, _ any) bool {
		return slices.Contains([]string{"chart", "evidence", "signedAt", "userID"}, key)
	})
	if diff := cmp.Diff(want, got, ignored); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
	wantRows(t, got["evidence"])
	if chart, ok := got["chart"].(object); !ok || chart["name"] != "guestbook" || chart["apiVersion"] != "v2" {
		t.Errorf("chart: got %v, want Chart.yaml", got["chart"])
	}
}

func wantRows(t *testing.T, evidence any) {
	t.Helper()
	var got []string
	rows, _ := evidence.([]any)
	for _, element := range rows {
		row, _ := element.(map[string]any)
		signer, _ := row["signer"].(map[string]any)
		reason, _ := row["reason"].(map[string]any)
		got = append(got, fmt.Sprintf("%v %v %v signer %v reason %v", row["kind"], row["binds"], row["verdict"], signer["name"], reason["code"]))
	}
	want := []string{
		"provenance layer verified signer release reason <nil>",
		"bundle manifest verified signer bot reason <nil>",
		"bundle manifest rejected signer <nil> reason signer-not-trusted",
		"provenance layer rejected signer <nil> reason signer-not-trusted",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
}

// TestInputOfALocalChart: what does not apply is absent, and lists are there.
func TestInputOfALocalChart(t *testing.T) {
	req := request(local(t, byRelease(t)))
	req.KeepInput = true
	judgement := withPolicy(t, `deny contains "x" if input.manifestDigest`).Judge(t.Context(), req)
	wantOutcome(t, judgement, allowed())
	var got struct {
		ManifestDigest *string
		Reference      map[string]string
		Attestations   []any
		Time           time.Time
	}
	if err := json.Unmarshal(judgement.Input, &got); err != nil {
		t.Fatal(err)
	}
	if got.ManifestDigest != nil || len(got.Reference) > 0 || got.Attestations == nil || !got.Time.Equal(now) {
		t.Errorf("input: got %+v", got)
	}
	req.KeepInput = false
	if got := withPolicy(t, `deny contains "x" if false`).Judge(t.Context(), req); got.Input != nil {
		t.Error("an input that nobody asked for was kept")
	}
}
