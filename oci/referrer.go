// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// referrer is what the manifest of a candidate says.
type referrer struct {
	candidate
	size      int64
	mediaType string
	manifest  *manifest // nil for an index, and where problem is set
	subject   chartsign.Digest
	problem   error
}

// referrers lists and reads all referrers of subject, in the order of their digests.
func (r repository) referrers(ctx context.Context, subject chartsign.Digest) ([]referrer, error) {
	candidates, problem := r.candidates(ctx, subject)
	slices.SortFunc(candidates, func(a, b candidate) int { return slices.Compare(a.digest[:], b.digest[:]) })
	found := make([]referrer, len(candidates))
	var throttled atomic.Bool
	each(len(candidates), func(i int) {
		if throttled.Load() {
			found[i] = referrer{candidate: candidates[i], problem: errThrottled}
			return
		}
		found[i] = r.referrer(ctx, candidates[i])
		if hasCode(found[i].problem, chartsign.ReasonRateLimited) {
			throttled.Store(true)
		}
	})
	return found, problem
}

// errThrottled stands for the requests that were not made any more.
var errThrottled = chartsign.Reasonf(chartsign.ReasonRateLimited, "not asked for: the registry wants fewer requests")

// referrer reads one manifest. Its types are those that it has itself: the entry of a
// listing may say anything (older clients and some registries write wrong ones).
func (r repository) referrer(ctx context.Context, from candidate) referrer {
	got := referrer{candidate: from}
	fetched, err := r.manifest(ctx, "", from.digest, limits.OCIReferrerManifest)
	if err != nil {
		got.problem = err
		return got
	}
	got.size = int64(len(fetched.body))
	got.manifest, got.mediaType, err = parseManifest(fetched.header, fetched.body)
	if err != nil {
		got.problem = chartsign.Reasonf(chartsign.ReasonInvalidResponse, "manifest %s of %s: %w", from.digest, r.origin.Host, err)
		return got
	}
	if got.manifest == nil || got.manifest.Subject == nil {
		return got
	}
	if named, err := chartsign.ParseDigest(got.manifest.Subject.Digest); err == nil {
		got.subject = named
	}
	return got
}

// isOf reports whether the referrer speaks of subject.
func (g *referrer) isOf(subject chartsign.Digest) bool {
	return g.subject == subject && !subject.IsZero()
}

// evidenceLayers returns the layers that are evidence by their media type.
func (g *referrer) evidenceLayers() []descriptor {
	if g.manifest == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(g.manifest.Layers), func(layer descriptor) bool {
		_, isEvidence := kindOf(layer.MediaType)
		return !isEvidence
	})
}

// kindOf returns the kind of evidence that a layer of mediaType is.
func kindOf(mediaType string) (chartsign.EvidenceKind, bool) {
	switch {
	case mediaType == chartsign.MediaTypeProvenance:
		return chartsign.KindProvenance, true
	case isBundleType(mediaType):
		return chartsign.KindBundle, true
	default:
		return "", false
	}
}
