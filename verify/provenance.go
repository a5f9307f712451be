// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"slices"
	"time"

	"github.com/chartsign/chartsign"
)

// verifyProvenance judges a .prov file: its form, then each of its signatures, then that
// what was signed is this chart. A failure of form or content fails every signature; a
// signature that is bad itself keeps its own reason.
func (v *Verifier) verifyProvenance(subject chartsign.Subject, result Result, now time.Time) []Result {
	message, reason := readClearsigned(result.evidence.Bytes(), v.options.HelmCompat)
	if reason != nil {
		return []Result{result.fail(reason)}
	}
	result.relaxed = message.relaxed
	results := v.verifySignatures(message, result, now)
	if !slices.ContainsFunc(results, func(r Result) bool { return r.outcome == Verified }) {
		return results // what nobody has signed is not even parsed
	}
	content, reason := readProvenance(message.plaintext)
	var relaxed []string
	if reason == nil {
		relaxed, reason = content.matches(subject.Chart, v.options.HelmCompat)
	}
	for i := range results {
		if results[i].outcome != Verified {
			continue // its own reason says more
		}
		if reason != nil {
			results[i] = results[i].fail(reason)
			continue
		}
		results[i].metadata = len(relaxed) == 0
		results[i].relaxed = append(results[i].relaxed, relaxed...)
	}
	return results
}

// matches compares what was signed with what the chart is.
func (p *provenance) matches(chart *chartsign.Chart, compat bool) (relaxed []string, reason *chartsign.Reason) {
	if p.digest != chart.Digest() {
		return nil, chartsign.Reasonf(ReasonDigestMismatch, "the .prov file speaks about the archive %s: got %s", p.digest, chart.Digest())
	}
	signed, actual := p.metadata, chart.Metadata()
	if signed.Name != actual.Name || signed.Version != actual.Version {
		return nil, chartsign.Reasonf(ReasonMetadataMismatch, "the signed metadata names %.80q %.80q: the chart is %.80q %.80q",
			signed.Name, signed.Version, actual.Name, actual.Version)
	}
	if p.file != chart.FileName() {
		return nil, chartsign.Reasonf(chartsign.ReasonReferenceMismatch, "the .prov file signs the file %.200q: want %.200q", p.file, chart.FileName())
	}
	if signed.Equal(actual) {
		return nil, nil
	}
	if compat {
		return []string{string(ReasonMetadataMismatch)}, nil
	}
	return nil, chartsign.Reasonf(ReasonMetadataMismatch, "the signed metadata differs from Chart.yaml of the chart in other fields than name and version")
}
