// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"strings"
	"testing"

	"github.com/chartsign/chartsign"
)

// TestReferenceNamesTheChart: an old chart under a new tag, or another chart under the name
// of this one, is rejected however well it is signed.
func TestReferenceNamesTheChart(t *testing.T) {
	mismatch := rejected(chartsign.ReasonReferenceMismatch)
	pinned := "@" + manifestDigest().String()
	for _, tc := range []struct {
		reference, version string
		lines              string
		want               outcome
	}{
		{"charts/guestbook:1.4.2", "1.4.2", "", allowed()},
		{"charts/guestbook:v1.4.2", "1.4.2", "", allowed()},
		{"charts/guestbook:1.4.2", "v1.4.2", "", allowed()},
		{"charts/guestbook:1.4.3", "1.4.2", "", mismatch},
		{"charts/guestbook:v1.4.3", "1.4.2", "", mismatch},
		{"charts/guestbook:2.0.0", "1.4.2", "", mismatch},
		{"charts/guestbook:1.4.2-rc.1", "1.4.2", "", mismatch},
		{"charts/guestbook:1.4.2", "1.4.2-rc.1", "", mismatch},
		{"charts/guestbook:1.4.2_build.7", "1.4.2+build.7", "", allowed()},
		{"charts/guestbook:1.4.2_build.8", "1.4.2+build.7", "", mismatch},
		{"charts/guestbook:1.4.2", "1.4.2+build.7", "", mismatch},
		{"charts/guestbook:1.4.2_build.7", "1.4.2", "", mismatch},
		{"charts/guestbook:stable", "1.4.2", "", allowed()},
		{"charts/guestbook:1.4", "1.4.2", "", allowed()},
		{"charts/guestbook:latest", "1.4.2", "", allowed()},
		{"charts/guestbook" + pinned, "1.4.2", "", allowed()},
		{"charts/guestbook:1.4.2" + pinned, "1.4.2", "", allowed()},
		{"charts/guestbook:1.4.3" + pinned, "1.4.2", "", mismatch},
		{"charts/other:1.4.2", "1.4.2", "", mismatch},
		{"guestbook/charts:1.4.2", "1.4.2", "", mismatch},
		{"guestbook:1.4.2", "1.4.2", "", allowed()},
		{"charts/guestbook:1.4.3", "1.4.2", "anyTag: true", allowed()},
		{"charts/other:1.4.2", "1.4.2", "anyTag: true", mismatch},
		{"charts/other:1.4.2", "1.4.2", "anyName: true", allowed()},
		{"charts/other:1.4.3", "1.4.2", "anyName: true", mismatch},
		{"charts/other:1.4.3", "1.4.2", "{anyName: true, anyTag: true}", allowed()},
	} {
		s := remote(t)
		s.subject.Reference = reference(t, "oci://registry.example/"+tc.reference)
		if tc.version != "1.4.2" {
			s.subject.Chart = configChart(t, `"version":"1.4.2"`, `"version":"`+tc.version+`"`)
		}
		want := tc.want
		if want == allowed() {
			want = unsigned // nobody signs here: the reference alone is looked at
		}
		var lines []string
		for line := range strings.SplitSeq(strings.Trim(tc.lines, "{}"), ", ") {
			lines = append(lines, line)
		}
		judgement := judge(t, trusting(t, []string{signRelease}, lines...), s)
		if got := outcomeOf(judgement); got != want {
			t.Errorf("%s with the chart's version %s (%s): got %v (%v), want %v", tc.reference, tc.version, tc.lines, got, judgement.Reason, want)
		}
	}
}

// TestPinnedDigest: a reference with a digest is about that manifest and no other.
func TestPinnedDigest(t *testing.T) {
	trust := trusting(t, []string{signRelease})
	s := remote(t, byRelease(t))
	s.subject.Reference = reference(t, "oci://registry.example/charts/guestbook@"+manifestDigest().String())
	wantOutcome(t, judge(t, trust, s), allowed())
	for _, manifest := range []chartsign.Digest{chartsign.DigestOf([]byte("another")), {}} {
		s.subject.Manifest = manifest
		wantOutcome(t, judge(t, trust, s), rejected(chartsign.ReasonContentMismatch))
	}
}

// TestLocalFileInPlaceOfAReference: a file that is judged as oci://… follows its rules, and
// no signature over a manifest is about it.
func TestLocalFileInPlaceOfAReference(t *testing.T) {
	trust := trusting(t, []string{signRelease})
	for text, want := range map[string]outcome{
		inRegistry: allowed(),
		"oci://registry.example/charts/guestbook":                                    allowed(),
		"oci://registry.example/charts/guestbook:1.4.3":                              rejected(chartsign.ReasonReferenceMismatch),
		"oci://registry.example/charts/other:1.4.2":                                  rejected(chartsign.ReasonReferenceMismatch),
		"oci://registry.example/charts/guestbook:1.4.2@" + manifestDigest().String(): rejected(chartsign.ReasonContentMismatch),
	} {
		s := local(t, byRelease(t))
		s.subject.Reference = reference(t, text)
		if got := judge(t, trust, s); outcomeOf(got) != want {
			t.Errorf("%s: got %v (%v), want %v", text, outcomeOf(got), got.Reason, want)
		}
	}
}
