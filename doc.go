// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package chartsign is the vocabulary of chartsign: the nouns that every other package
// speaks in. It imports none of them and does no I/O beyond an io.Reader.
//
//   - Digest: SHA-256, the only name of content.
//   - Chart: what a strict, bounded parser read from an archive or a config blob.
//   - Reference and Subject: how a chart was named, and what that turned out to be.
//   - Evidence: opaque bytes that claim to speak for a chart, untrusted.
//   - Identity: who signed.
//   - Reason: a failure that programs can tell apart and people can read.
//
// Untrusted bytes become trusted in one place only: package verify turns Evidence into a
// Result. A Chart is not trusted either; it is merely well formed.
//
//	file, err := os.Open("mychart-1.2.3.tgz")
//	…
//	chart, err := chartsign.ReadChart(file, chartsign.ReadOptions{})
//	if err != nil {
//		return err // a *chartsign.Reason: not-a-chart or chart-too-large
//	}
//	fmt.Println(chart.Name(), chart.Version(), chart.Digest())
package chartsign
