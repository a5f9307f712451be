// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/sign"
	"github.com/chartsign/chartsign/verify"
)

// TestWorst: over several charts the worst wins, in the order 4, 5, 6, 3, 2, 0.
func TestWorst(t *testing.T) {
	order := []int{exitRejected, exitInconclusive, exitAuth, exitUnsigned, exitDenied, exitUsage, exitAllowed}
	for i, worse := range order {
		for _, better := range order[i:] {
			for _, codes := range [][]int{{worse, better}, {better, worse}, {better, worse, better, exitAllowed}} {
				if got := worst(codes...); got != worse {
					t.Errorf("worst of %v: got %d, want %d", codes, got, worse)
				}
			}
		}
	}
	if got := worst(); got != exitAllowed {
		t.Errorf("worst of nothing: got %d", got)
	}
	for _, unknown := range []int{-1, 7, 255} {
		if got := worst(unknown, exitAllowed); got != exitUsage {
			t.Errorf("worst of the unknown code %d: got %d, want %d", unknown, got, exitUsage)
		}
	}
}

func judgementOf(verdict gate.Verdict, enforced bool, code chartsign.ReasonCode) gate.Judgement {
	judgement := gate.Judgement{Verdict: verdict, Enforced: enforced}
	if code != "" {
		judgement.Reason = chartsign.Reasonf(code, "because")
	}
	return judgement
}

// TestCodeOfJudgement: each verdict has its code, and only what passes has 0.
func TestCodeOfJudgement(t *testing.T) {
	for _, tc := range []struct {
		judgement gate.Judgement
		want      int
	}{
		{judgementOf(gate.Allowed, true, ""), exitAllowed},
		{judgementOf(gate.Denied, true, gate.ReasonPolicyDenied), exitDenied},
		{judgementOf(gate.Denied, false, gate.ReasonPolicyDenied), exitAllowed},
		{judgementOf(gate.Unsigned, true, gate.ReasonNoEvidence), exitUnsigned},
		{judgementOf(gate.Unsigned, false, gate.ReasonNoEvidence), exitAllowed},
		{judgementOf(gate.Rejected, true, verify.ReasonSignatureInvalid), exitRejected},
		{judgementOf(gate.Rejected, false, verify.ReasonSignatureInvalid), exitRejected},
		{judgementOf(gate.Inconclusive, true, chartsign.ReasonUnavailable), exitInconclusive},
		{judgementOf(gate.Inconclusive, false, chartsign.ReasonUnavailable), exitInconclusive},
		{judgementOf(gate.Inconclusive, true, chartsign.ReasonUnauthorized), exitAuth},
		{judgementOf(gate.Rejected, true, chartsign.ReasonUnauthorized), exitRejected},
		{judgementOf(gate.Inconclusive, true, ""), exitInconclusive},
		{gate.Judgement{}, exitInconclusive},
		{gate.Judgement{Verdict: 99}, exitInconclusive},
	} {
		if got := codeOfJudgement(tc.judgement); got != tc.want {
			t.Errorf("%s, enforced %t: got %d, want %d", tc.judgement.Verdict, tc.judgement.Enforced, got, tc.want)
		}
	}
}

// TestFailureOf: the worst code, and the first reason for whoever sees no report.
func TestFailureOf(t *testing.T) {
	if err := failureOf([]gate.Judgement{judgementOf(gate.Allowed, true, ""), judgementOf(gate.Denied, false, gate.ReasonPolicyDenied)}, false); err != nil {
		t.Errorf("allowed and softened: got %v", err)
	}
	for _, quiet := range []bool{true, false} {
		err := failureOf([]gate.Judgement{{}, judgementOf(gate.Rejected, true, verify.ReasonWeakKey), judgementOf(gate.Unsigned, true, gate.ReasonNoEvidence)}, quiet)
		var known *failure
		if !errors.As(err, &known) || known.code != exitRejected || known.shown == quiet || !strings.Contains(err.Error(), "weak-key") {
			t.Errorf("quiet %t: got %+v", quiet, err)
		}
	}
	if err := failureOf([]gate.Judgement{{}}, true); err == nil || err.Error() == "" {
		t.Errorf("a judgement without a reason: got %v", err)
	}
}

func TestClassify(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		code int
		hint string
	}{
		"own":                 {usagef("x").hint("do y"), exitUsage, "do y"},
		"own, wrapped":        {fmt.Errorf("more: %w", &failure{err: io.EOF, code: exitRejected, next: "z"}), exitRejected, "z"},
		"nobody is trusted":   {fmt.Errorf("trust: %w", gate.ErrNobodyTrusted), exitUsage, "--keyring"},
		"trust policy":        {gate.ErrTrustPolicy, exitUsage, "trust-policy.md"},
		"requirement":         {gate.ErrRequirement, exitUsage, ""},
		"token":               {sign.ErrToken, exitAuth, "token"},
		"deadline":            {context.DeadlineExceeded, exitInconclusive, "--timeout"},
		"missing file":        {fmt.Errorf("x: %w", os.ErrNotExist), exitUsage, "path"},
		"keyring":             {keys.ErrKeyring, exitUsage, "gpg"},
		"unknown":             {errors.New("x"), exitUsage, ""},
		"unauthorized":        {chartsign.Reasonf(chartsign.ReasonUnauthorized, "x"), exitAuth, "log in"},
		"not found":           {chartsign.Reasonf(chartsign.ReasonNotFound, "x"), exitInconclusive, "tree"},
		"throttled":           {chartsign.Reasonf(chartsign.ReasonRateLimited, "x"), exitInconclusive, "later"},
		"tampered":            {chartsign.Reasonf(chartsign.ReasonContentMismatch, "x"), exitRejected, "tampered"},
		"unknown reason":      {chartsign.Reasonf("new-in-2031", "x"), exitRejected, ""},
		"reason by a missing": {chartsign.Reasonf(chartsign.ReasonNotFound, "x: %w", os.ErrNotExist), exitInconclusive, "tree"},
	} {
		code, hint := classify(tc.err)
		if code != tc.code || !strings.Contains(hint, tc.hint) || (hint == "") != (tc.hint == "") {
			t.Errorf("%s: got %d and the hint %q, want %d and one about %q", name, code, hint, tc.code, tc.hint)
		}
	}
}

// TestNoErrorIsSuccess: whatever the error, the exit code is not 0, nor 2 unless a policy
// has denied.
func TestNoErrorIsSuccess(t *testing.T) {
	for _, known := range hints {
		if code, _ := classify(known.err); code == exitAllowed || code == exitDenied {
			t.Errorf("%v: got %d", known.err, code)
		}
	}
	for _, code := range []chartsign.ReasonCode{"", "x", chartsign.ReasonNotAChart, verify.ReasonUnsupported, gate.ReasonNoEvidence, gate.ReasonPolicyDenied} {
		if got := codeOfReason(code); got == exitAllowed || got == exitDenied {
			t.Errorf("reason %q: got %d", code, got)
		}
	}
}

// outputOf runs do with a console and returns what it wrote to stdout and stderr.
func outputOf(t *testing.T, do func(*console)) (stdout, stderr string) {
	t.Helper()
	folder := t.TempDir()
	open := func(name string) *os.File {
		file, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	world := testConsole(nil)
	world.stdout, world.stderr, world.stdin = open("stdout"), open("stderr"), open("stdin")
	do(world)
	read := func(file *os.File) string {
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	return read(world.stdout), read(world.stderr)
}

// TestReport: errors come without what a terminal acts on, hints after them, and what the
// report has said is not said twice.
func TestReport(t *testing.T) {
	code := 0
	_, stderr := outputOf(t, func(world *console) { code = report(world, usagef("bad \x1b[31mred\x1b[0m\nname").hint("try again")) })
	if want := "chartsign: error: bad \ufffd[31mred\ufffd[0m name\nhint: try again\n"; stderr != want || code != exitUsage {
		t.Errorf("got %d and %q, want %q", code, stderr, want)
	}
	_, stderr = outputOf(t, func(world *console) { code = report(world, &failure{err: io.EOF, code: exitUnsigned, shown: true}) })
	if stderr != "" || code != exitUnsigned {
		t.Errorf("shown: got %d and %q", code, stderr)
	}
	stdout, stderr := outputOf(t, func(world *console) { code = report(world, nil) })
	if stdout+stderr != "" || code != exitAllowed {
		t.Errorf("no error: got %d and %q", code, stdout+stderr)
	}
}

// panicking is a source that a crafted chart brings down.
type panicking struct{ gate.Source }

func (panicking) Resolve(context.Context) (chartsign.Subject, error) { panic("index out of range") }

// TestGitsignCVE202644310: a panic is not a success, nor the exit code 2 of the Go runtime,
// which would read 'denied by policy'.
func TestGitsignCVE202644310(t *testing.T) {
	trust, err := gate.CompileShort(t.Context(), gate.ShortTrust{Keyrings: []string{"../../testdata/keys/release.pub.asc"}}, gate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	request := gate.Request{Reference: chartsign.Reference{Given: "x.tgz", File: "x.tgz"}, Source: panicking{}, Time: testTime}
	for name, trust := range map[string]*gate.Trust{"source": trust, "trust": nil} {
		judgements := judgeAll(t.Context(), trust, []gate.Request{request, request}, 2)
		for _, judgement := range judgements {
			if judgement.Passes() || codeOfJudgement(judgement) != exitInconclusive || judgement.Reason == nil || !judgement.Enforced {
				t.Errorf("%s panics: got %+v", name, judgement)
			}
		}
	}
	code := 0
	_, stderr := outputOf(t, func(world *console) {
		world.getenv = func(string) string { panic("in the middle of a command") }
		code = run(t.Context(), []string{"chartsign", "verify", "x.tgz"}, world)
	})
	if code != exitUsage || !strings.Contains(stderr, "internal error: in the middle of a command") {
		t.Errorf("command panics: got %d and %q, want %d", code, stderr, exitUsage)
	}
}

// TestEveryCommandMapsItsErrors: an unknown flag and a missing value are usage errors of
// every command, and so is '--' where a value is missing.
func TestEveryCommandMapsItsErrors(t *testing.T) {
	for _, command := range testApp(nil).Commands {
		lines := [][]string{{"--no-such-flag"}, {"x", "--no-such-flag=1"}}
		for _, flag := range command.Flags {
			if _, isBool := flag.(*cli.BoolFlag); !isBool && !slices.Contains(flag.Names(), "help") {
				lines = append(lines, []string{"x", "--" + flag.Names()[0]})
			}
		}
		for _, line := range lines {
			code := 0
			_, stderr := outputOf(t, func(world *console) {
				code = run(t.Context(), append([]string{"chartsign", command.Name}, line...), world)
			})
			if code != exitUsage || !strings.Contains(stderr, "flag") {
				t.Errorf("%s %q: got %d and %q, want a usage error about the flag", command.Name, line, code, stderr)
			}
		}
	}
}
