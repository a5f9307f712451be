// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// AttachRequest is one piece of evidence to attach to a chart.
type AttachRequest struct {
	// Data is the evidence, and MediaType what it is: chartsign.MediaTypeBundle or
	// chartsign.MediaTypeProvenance.
	Data      []byte
	MediaType string
	// ArtifactType of the referrer; empty means MediaType, as cosign v3 has it.
	ArtifactType string
	// Annotations of the referrer, such as dev.sigstore.bundle.content and
	// dev.sigstore.bundle.predicateType. The time of creation is added.
	Annotations map[string]string
}

// Via says how attached evidence can be found.
type Via string

// The ways in which evidence is found.
const (
	// ViaReferrersAPI: the registry lists it.
	ViaReferrersAPI Via = "referrers-api"
	// ViaFallbackTag: the index under the tag sha256-HEX lists it.
	ViaFallbackTag Via = "fallback-tag"
	// ViaLayer: it is the .prov layer of the chart itself.
	ViaLayer Via = "layer"
)

// Attached is where evidence was attached.
type Attached struct {
	// Digest of the referrer's manifest, or of the layer.
	Digest chartsign.Digest
	Via    Via
	// Existed reports that the same evidence was there before, and nothing was written.
	Existed bool
}

// created is RFC 3339, as the OCI image specification wants it.
func (c *Client) created() string {
	if c.now == nil {
		return ""
	}
	return c.now().UTC().Format(time.RFC3339)
}

var errAttach = errors.New("cannot attach")

// Attach stores evidence as a referrer of the chart, in the layout of cosign v3: an image
// manifest with an empty config, the evidence as its only layer, and the chart's manifest
// as subject. Registries that do not list it themselves get an entry in the index of the
// fallback tag; others that write to that index at the same time lose nothing. Evidence
// that is attached already is not attached again. What was stored is read back.
//
// A chart with evidence attached keeps its digest, so that nothing signed before breaks.
func (c *Chart) Attach(ctx context.Context, req AttachRequest) (Attached, error) {
	if err := req.check(); err != nil {
		return Attached{}, err
	}
	found, err := c.resolved(ctx)
	if err != nil {
		return Attached{}, err
	}
	ctx = c.repository.asWriter(ctx)
	if existing, ok := c.existing(ctx, found, req); ok {
		return existing, nil
	}
	body, err := req.manifest(found.manifest, c.repository.client.created())
	if err != nil {
		return Attached{}, err
	}
	entry, listed, err := c.repository.pushReferrer(ctx, req, body)
	if err != nil {
		return Attached{}, err
	}
	if listed && c.repository.lists(ctx, found.manifest.digest, entry.digest) {
		return Attached{Digest: entry.digest, Via: ViaReferrersAPI}, nil
	}
	if err := c.repository.addToFallback(ctx, found.manifest.digest, entry); err != nil {
		return Attached{}, err
	}
	return Attached{Digest: entry.digest, Via: ViaFallbackTag}, nil
}

func (a AttachRequest) check() error {
	kind, ok := kindOf(a.MediaType)
	limit := limits.Bundle
	if kind == chartsign.KindProvenance {
		limit = limits.Provenance
	}
	switch {
	case !ok:
		return fmt.Errorf("%w: media type: got %.100q, want that of a .prov or a Sigstore bundle", errAttach, a.MediaType)
	case len(a.Data) == 0:
		return fmt.Errorf("%w: got no data", errAttach)
	case int64(len(a.Data)) > limit:
		return fmt.Errorf("%w: the evidence is %w: want at most %d bytes", errAttach, limits.ErrTooLarge, limit)
	default:
		return nil
	}
}

// existing looks for the same evidence. A listing that is not complete does not stop an
// Attach: at worst the evidence is there twice.
func (c *Chart) existing(ctx context.Context, found *contents, req AttachRequest) (Attached, bool) {
	wanted := describe(req.MediaType, req.Data)
	same := func(layer descriptor) bool {
		return layer.Digest == wanted.Digest && layer.MediaType == wanted.MediaType && layer.Size == wanted.Size
	}
	if found.prov != nil && same(*found.prov) {
		return Attached{Digest: found.prov.digest, Via: ViaLayer, Existed: true}, true
	}
	refs, _ := c.repository.referrers(ctx, found.manifest.digest)
	for i := range refs {
		ref := &refs[i]
		if ref.problem != nil || !ref.isOf(found.manifest.digest) || !slices.ContainsFunc(ref.evidenceLayers(), same) {
			continue
		}
		via := ViaReferrersAPI
		if ref.source == chartsign.SourceFallbackTag {
			via = ViaFallbackTag
		}
		return Attached{Digest: ref.digest, Via: via, Existed: true}, true
	}
	return Attached{}, false
}

// emptyConfig is that of image-spec v1.1, 'Guidance for an Empty Descriptor'.
const emptyConfig = "{}"

// manifest returns the referrer's.
func (a AttachRequest) manifest(subject descriptor, created string) ([]byte, error) {
	notes := maps.Clone(a.Annotations)
	if notes == nil {
		notes = make(map[string]string)
	}
	if notes[annotationCreated] == "" && created != "" {
		notes[annotationCreated] = created
	}
	return json.Marshal(manifest{
		SchemaVersion: 2,
		MediaType:     mediaTypeManifest,
		ArtifactType:  a.artifactType(),
		Config:        describe(mediaTypeEmpty, []byte(emptyConfig)),
		Layers:        []descriptor{describe(a.MediaType, a.Data)},
		Subject:       &descriptor{MediaType: mediaTypeManifest, Digest: subject.Digest, Size: subject.Size},
		Annotations:   notes,
	})
}

func (a AttachRequest) artifactType() string {
	if a.ArtifactType != "" {
		return a.ArtifactType
	}
	return a.MediaType
}

// pushReferrer stores the evidence and its manifest by digest and reads both back. It
// returns the entry for an index, and whether the registry said that it lists it.
func (r repository) pushReferrer(ctx context.Context, req AttachRequest, body []byte) (entry descriptor, listed bool, err error) {
	if int64(len(body)) > limits.OCIReferrerManifest {
		return descriptor{}, false, fmt.Errorf("%w: the manifest is %w: want at most %d bytes", errAttach, limits.ErrTooLarge, limits.OCIReferrerManifest)
	}
	if err := r.push(ctx, bytesSource(mediaTypeEmpty, []byte(emptyConfig)), "empty config"); err != nil {
		return descriptor{}, false, err
	}
	evidence := bytesSource(req.MediaType, req.Data)
	if err := r.push(ctx, evidence, "evidence"); err != nil {
		return descriptor{}, false, err
	}
	header, err := r.putManifest(ctx, "", mediaTypeManifest, body)
	if err != nil {
		return descriptor{}, false, err
	}
	if err := r.readBack(ctx, "", body); err != nil {
		return descriptor{}, false, err
	}
	got, err := r.blob(ctx, evidence.descriptor, "evidence")
	if err != nil {
		return descriptor{}, false, err
	}
	if !bytes.Equal(got, req.Data) {
		return descriptor{}, false, chartsign.Reasonf(chartsign.ReasonContentMismatch, "evidence %s: read back other content", evidence.Digest)
	}
	entry, err = indexEntry(body)
	// 'If the subject field was processed, the registry MUST set OCI-Subject.'
	return entry, header.Get("OCI-Subject") != "", err
}

// indexEntry describes a referrer as the Referrers API would: with the types and
// annotations of its manifest.
func indexEntry(body []byte) (descriptor, error) {
	var m manifest
	if err := json.Unmarshal(body, &m); err != nil {
		return descriptor{}, err
	}
	entry := describe(mediaTypeManifest, body)
	entry.ArtifactType, entry.Annotations = m.artifactType(), m.Annotations
	return entry, nil
}

// lists reports whether the Referrers API really lists what the registry said it would:
// some answer with an empty index.
func (r repository) lists(ctx context.Context, subject, referrer chartsign.Digest) bool {
	listed, _ := r.referrersAPI(ctx, subject)
	return slices.Contains(listed, referrer)
}
