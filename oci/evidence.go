// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// Evidence returns everything that claims to speak for the chart: the .prov layer, and
// the .prov files and Sigstore bundles among its referrers, each content once. Referrers of
// other types are no evidence. The error says that the chart itself could not be resolved;
// what could not be listed or read is in the Listing.
func (c *Chart) Evidence(ctx context.Context) (chartsign.Listing, error) {
	if listing, ok := c.fetchedAhead(ctx); ok {
		return listing, nil
	}
	found, err := c.resolved(ctx)
	if err != nil {
		return chartsign.Listing{}, err
	}
	return c.list(ctx, found), nil
}

// list finds and fetches the evidence for the chart.
func (c *Chart) list(ctx context.Context, found *contents) chartsign.Listing {
	var (
		workers group
		layer   []chartsign.Evidence
		refs    []referrer
		problem error
	)
	workers.start(func() { layer = c.provLayer(ctx, found.prov) })
	workers.start(func() { refs, problem = c.repository.referrers(ctx, found.manifest.digest) })
	workers.wait()
	plan := newPlan(found)
	for i := range refs {
		plan.add(&refs[i])
	}
	listing := chartsign.Listing{Evidence: append(layer, c.repository.fetch(ctx, plan.budget())...), Problem: problem}
	if plan.problem != nil {
		listing.Problem = incomplete(errors.Join(problem, plan.problem))
	}
	return listing
}

func (c *Chart) provLayer(ctx context.Context, layer *descriptor) []chartsign.Evidence {
	if layer == nil {
		return nil
	}
	data, err := c.prov(ctx, *layer)
	if err != nil {
		return []chartsign.Evidence{chartsign.UnreadableEvidence(chartsign.KindProvenance, chartsign.SourceLayer, layer.Digest, layer.digest, err)}
	}
	return []chartsign.Evidence{chartsign.NewEvidence(chartsign.KindProvenance, chartsign.SourceLayer, layer.Digest, data)}
}

// piece is one layer to fetch, or the reason why it will not be.
type piece struct {
	kind     chartsign.EvidenceKind
	source   chartsign.EvidenceSource
	location string
	layer    descriptor
	problem  error
}

// plan decides what to fetch within the caps.
type plan struct {
	subject chartsign.Digest
	seen    map[content]bool
	pieces  []piece
	problem error
}

// content is what makes two layers the same evidence. A referrer that promises another
// size or type for known bytes must not displace the honest one.
type content struct {
	kind   chartsign.EvidenceKind
	digest chartsign.Digest
	size   int64
}

func newPlan(found *contents) *plan {
	p := &plan{subject: found.manifest.digest, seen: make(map[content]bool)}
	if found.prov != nil {
		p.seen[content{chartsign.KindProvenance, found.prov.digest, found.prov.Size}] = true
	}
	return p
}

// add plans for one referrer. One that could not be read may have been evidence or an
// attestation, so that it counts as both: unreadable, and as missing from the list.
func (p *plan) add(from *referrer) {
	location := from.digest.String()
	if from.problem != nil {
		p.pieces = append(p.pieces, piece{kind: chartsign.KindBundle, source: from.source, location: location, problem: from.problem})
		p.problem = errors.Join(p.problem, from.problem)
		return
	}
	for _, layer := range from.evidenceLayers() {
		kind, _ := kindOf(layer.MediaType)
		next := piece{kind: kind, source: from.source, location: location, layer: layer}
		next.problem = p.admit(&next, from)
		key := content{kind, next.layer.digest, layer.Size}
		if next.problem == nil && p.seen[key] {
			continue
		}
		if len(p.pieces) >= limits.OCIReferrers {
			p.problem = errors.Join(p.problem, errTooMany)
			return
		}
		p.seen[key] = p.seen[key] || next.problem == nil
		p.pieces = append(p.pieces, next)
	}
}

// admit says why a layer cannot be evidence for the chart.
func (p *plan) admit(next *piece, from *referrer) error {
	limit := limits.Bundle
	if next.kind == chartsign.KindProvenance {
		limit = limits.Provenance
	}
	if err := next.layer.check("evidence", limit); err != nil {
		return chartsign.Reasonf(chartsign.ReasonInvalidResponse, "referrer %s: %w", next.location, err)
	}
	if !from.isOf(p.subject) {
		return chartsign.Reasonf(chartsign.ReasonContentMismatch, "referrer %s is about another manifest: got subject %q, want %s", next.location, from.subject, p.subject)
	}
	return nil
}

// budget bounds all evidence together. The smallest comes first: signatures are small, and
// big attachments must not crowd them out.
func (p *plan) budget() []piece {
	slices.SortStableFunc(p.pieces, func(a, b piece) int { return cmp.Compare(a.layer.Size, b.layer.Size) })
	left := limits.OCIEvidence
	for i := range p.pieces {
		next := &p.pieces[i]
		if next.problem != nil {
			continue
		}
		if left -= next.layer.Size; left < 0 {
			next.problem = chartsign.Reasonf(chartsign.ReasonInvalidResponse, "all evidence together is %w: want at most %d bytes", limits.ErrTooLarge, limits.OCIEvidence)
		}
	}
	return p.pieces
}

// fetch downloads the pieces. None is left out.
func (r repository) fetch(ctx context.Context, pieces []piece) []chartsign.Evidence {
	evidence := make([]chartsign.Evidence, len(pieces))
	each(len(pieces), func(i int) {
		p := pieces[i]
		data, err := []byte(nil), p.problem
		if err == nil {
			data, err = r.blob(ctx, p.layer, "evidence")
		}
		if err != nil {
			evidence[i] = chartsign.UnreadableEvidence(p.kind, p.source, p.location, p.layer.digest, err)
			return
		}
		evidence[i] = chartsign.NewEvidence(p.kind, p.source, p.location, data)
	})
	return evidence
}
