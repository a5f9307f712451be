// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// Tree is everything in the registry that belongs to a chart. It is for people: nothing in
// it is verified, and what registries and strangers wrote stands in it as it is.
type Tree struct {
	Manifest  Node
	Config    Node
	Layers    []Node
	Referrers []Referrer
	// Legacy holds the tags sha256-HEX.sig and .att of older cosign versions.
	Legacy []LegacyTag
	// Problem says why there may be more, or is nil.
	Problem error
}

// Node is one piece of content.
type Node struct {
	MediaType string
	Digest    chartsign.Digest
	Size      int64
}

// Referrer is a manifest that was listed as being about the chart.
type Referrer struct {
	Node
	// Source is SourceReferrer or SourceFallbackTag.
	Source chartsign.EvidenceSource
	// ArtifactType and PredicateType as the manifest has them.
	ArtifactType  string
	PredicateType string
	// Problem says why the referrer is no good: it could not be read, or it names another
	// subject. The other fields may be empty then.
	Problem error
}

// LegacyTag is a tag in cosign's older layout.
type LegacyTag struct {
	Tag string
	Node
}

// Tree lists what is attached to the chart, of every kind, and where it was found.
func (c *Chart) Tree(ctx context.Context) (Tree, error) {
	found, err := c.resolved(ctx)
	if err != nil {
		return Tree{}, err
	}
	tree := Tree{Manifest: node(found.manifest), Config: node(found.config)}
	for _, layer := range found.layers {
		tree.Layers = append(tree.Layers, node(layer))
	}
	var (
		workers          group
		refs             []referrer
		problem, tagsErr error
	)
	workers.start(func() { refs, problem = c.repository.referrers(ctx, found.manifest.digest) })
	workers.start(func() { tree.Legacy, tagsErr = c.repository.legacyTags(ctx, found.manifest.digest) })
	workers.wait()
	for i := range refs {
		shown := refs[i].show(found.manifest.digest)
		tree.Referrers = append(tree.Referrers, shown)
		if refs[i].problem != nil {
			problem = errors.Join(problem, refs[i].problem)
		}
	}
	tree.Problem = incomplete(errors.Join(problem, tagsErr))
	return tree, nil
}

func node(d descriptor) Node { return Node{MediaType: d.MediaType, Digest: d.digest, Size: d.Size} }

func (g *referrer) show(subject chartsign.Digest) Referrer {
	shown := Referrer{
		Node:    Node{MediaType: g.mediaType, Digest: g.digest, Size: g.size},
		Source:  g.source,
		Problem: g.problem,
	}
	if g.problem == nil && g.manifest != nil {
		shown.ArtifactType, shown.PredicateType = g.manifest.artifactType(), g.manifest.Annotations[annotationPredicateType]
		if !g.isOf(subject) {
			shown.Problem = chartsign.Reasonf(chartsign.ReasonContentMismatch, "it is about another manifest: got subject %q", g.subject)
		}
	}
	return shown
}

// legacyTags looks for the tags of cosign up to v2.
func (r repository) legacyTags(ctx context.Context, subject chartsign.Digest) ([]LegacyTag, error) {
	var (
		found   []LegacyTag
		problem error
	)
	for _, suffix := range []string{".sig", ".att"} {
		tag := referrersTag(subject) + suffix
		got, err := r.manifest(ctx, tag, chartsign.Digest{}, limits.OCIManifest)
		if hasCode(err, chartsign.ReasonNotFound) {
			continue
		}
		if err != nil {
			problem = errors.Join(problem, err)
			continue
		}
		found = append(found, LegacyTag{Tag: tag, Node: Node{MediaType: got.header, Digest: got.digest, Size: int64(len(got.body))}})
	}
	return found, problem
}
