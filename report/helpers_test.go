// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/policy"
	"github.com/chartsign/chartsign/report"
	"github.com/chartsign/chartsign/verify"
)

var update = flag.Bool("update", false, "write the golden reports anew")

// now is when the evidence of testdata is judged.
var now = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

func readFile(tb testing.TB, elements ...string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"..", "testdata"}, elements...)...))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// golden compares got with testdata/NAME, or writes that.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func guestbook(tb testing.TB) *chartsign.Chart {
	tb.Helper()
	chart, err := chartsign.ReadChart(bytes.NewReader(readFile(tb, "charts", "guestbook-1.4.2.tgz")), chartsign.ReadOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return chart
}

func inRegistry(tb testing.TB) chartsign.Subject {
	tb.Helper()
	ref, err := chartsign.ParseReference("oci://registry.example/charts/guestbook:1.4.2")
	if err != nil {
		tb.Fatal(err)
	}
	return chartsign.Subject{Reference: ref, Chart: guestbook(tb), Manifest: chartsign.DigestOf([]byte("manifest"))}
}

// results are those of real evidence under the keys of release: verified, by a foreigner,
// tampered with, and unreadable.
func results(tb testing.TB, names ...string) []verify.Result {
	tb.Helper()
	ring, err := keys.LoadPGPKeyring(filepath.Join("..", "testdata", "keys", "release.pub.asc"))
	if err != nil {
		tb.Fatal(err)
	}
	root, err := keys.NewTrustRoot(keys.TrustMaterial{PGP: ring})
	if err != nil {
		tb.Fatal(err)
	}
	verifier, err := verify.New(root, []verify.Signer{{Name: "release-team", PGP: ring.Fingerprints()}}, verify.Options{HelmCompat: true})
	if err != nil {
		tb.Fatal(err)
	}
	var list []verify.Result
	for _, name := range names {
		evidence := chartsign.UnreadableEvidence(chartsign.KindBundle, chartsign.SourceReferrer, "sha256:1234", chartsign.Digest{}, errors.New("connection reset"))
		if name != "unreadable" {
			evidence = chartsign.NewEvidence(chartsign.KindProvenance, chartsign.SourceLayer, "sha256:5678", readFile(tb, "provenance", name))
		}
		list = append(list, verifier.Verify(inRegistry(tb), evidence, now)...)
	}
	return list
}

const (
	good     = "honest/gpg.prov"
	foreign  = "honest/helm4-ed25519.prov"
	tampered = "hostile/tampered-digest.prov"
	relaxed  = "hostile/text-before.prov"
)

// judgements has one of each verdict, as a gate makes them.
func judgements(tb testing.TB) map[string]gate.Judgement {
	tb.Helper()
	trust := chartsign.DigestOf([]byte("trust"))
	base := gate.Judgement{Subject: inRegistry(tb), Enforced: true, Rule: "production", TrustDigest: trust}
	with := func(edit func(*gate.Judgement)) gate.Judgement {
		judgement := base
		edit(&judgement)
		return judgement
	}
	denial := policy.Finding{Rule: "min-version", Message: "guestbook 1.4.2 is older than 2.0.0", Solution: "use 2.0.0 or newer"}
	decided := func(j *gate.Judgement) {
		j.Results, j.PolicyDigest, j.PolicySources = results(tb, good), "sha256:"+chartsign.DigestOf([]byte("policy")).Hex(), []string{"policy/", "data.yaml"}
	}
	return map[string]gate.Judgement{
		"allowed": with(func(j *gate.Judgement) {
			j.Verdict, j.Results = gate.Allowed, results(tb, good, relaxed, foreign, "unreadable")
		}),
		"denied": with(func(j *gate.Judgement) {
			decided(j)
			j.Verdict, j.Denials, j.Reason = gate.Denied, []policy.Finding{denial, {Rule: "deny", Message: "not today"}}, chartsign.Reasonf(gate.ReasonPolicyDenied, "the policy denies: %s", denial.Message)
		}),
		"warned": with(func(j *gate.Judgement) {
			decided(j)
			j.Verdict, j.Enforced, j.Denials = gate.Denied, false, []policy.Finding{denial}
			j.Warnings, j.Reason = []policy.Finding{{Rule: "warn", Message: "deprecated"}}, chartsign.Reasonf(gate.ReasonPolicyDenied, "the policy denies: %s", denial.Message)
		}),
		"unsigned": with(func(j *gate.Judgement) {
			j.Verdict, j.Reason = gate.Unsigned, chartsign.Reasonf(gate.ReasonNoEvidence, "the chart is unsigned: no provenance and no signature was found")
		}),
		"rejected": with(func(j *gate.Judgement) {
			j.Results = results(tb, tampered, foreign)
			j.Verdict, j.Reason = gate.Rejected, j.Results[0].Reason()
		}),
		"inconclusive": with(func(j *gate.Judgement) {
			j.Results = results(tb, "unreadable")
			j.Verdict, j.Reason = gate.Inconclusive, j.Results[0].Reason()
		}),
		"unread": with(func(j *gate.Judgement) {
			j.Subject.Chart, j.Subject.Manifest = nil, chartsign.Digest{}
			j.Verdict, j.Reason = gate.Inconclusive, chartsign.Reasonf(chartsign.ReasonUnauthorized, "the registry wants credentials")
		}),
		"no-rule": with(func(j *gate.Judgement) {
			j.Subject = chartsign.Subject{Reference: chartsign.Reference{Given: "web.tgz", File: "web.tgz"}}
			j.Rule, j.TrustDigest = "", chartsign.Digest{}
			j.Verdict, j.Reason = gate.Denied, chartsign.Reasonf(gate.ReasonNoRule, "no rule of the trust policy matches web.tgz")
			j.Denials = []policy.Finding{{Rule: string(gate.ReasonNoRule), Message: j.Reason.Message, Solution: "add a rule whose match covers it"}}
		}),
		"zero": {},
	}
}

func several(tb testing.TB) []gate.Judgement {
	tb.Helper()
	all := judgements(tb)
	var list []gate.Judgement
	for _, name := range []string{"allowed", "denied", "warned", "unsigned", "rejected", "inconclusive", "unread"} {
		list = append(list, all[name])
	}
	return list
}

func textOf(tb testing.TB, document *report.Report, style report.Style) string {
	tb.Helper()
	var out bytes.Buffer
	if err := document.WriteText(&out, style); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

func jsonOf(tb testing.TB, document *report.Report) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := document.WriteJSON(&out); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func yamlOf(tb testing.TB, document *report.Report) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := document.WriteYAML(&out); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}
