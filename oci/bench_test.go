// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"testing"

	"github.com/chartsign/chartsign"
)

// BenchmarkJudgeRequests is what the registry costs a judgement: six requests on loopback.
func BenchmarkJudgeRequests(b *testing.B) {
	f := newRegistry(b, true)
	s := f.putChart("")
	f.putReferrer(s, chartsign.MediaTypeBundle, "bundle")
	client := f.client()
	ref := f.ref(testRepo, "1.2.3")
	b.ReportAllocs()
	for b.Loop() {
		chart := client.Chart(ref)
		if _, err := chart.Resolve(b.Context()); err != nil {
			b.Fatal(err)
		}
		listing, err := chart.Evidence(b.Context())
		if err != nil || listing.Problem != nil || len(listing.Evidence) != 1 {
			b.Fatal(err, listing.Problem)
		}
	}
	b.ReportMetric(float64(len(f.requests()))/float64(b.N), "requests/op")
}

func BenchmarkParseManifest(b *testing.B) {
	body := []byte(manifestCases()[1].body)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseContents(mediaTypeManifest, body, 1<<30); err != nil {
			b.Fatal(err)
		}
	}
}
