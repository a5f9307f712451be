// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign

// EvidenceKind says of which form evidence is. The values are those of the report.
type EvidenceKind string

// The kinds of evidence.
const (
	// KindProvenance is a clear-signed OpenPGP .prov file in Helm's form.
	KindProvenance EvidenceKind = "provenance"
	// KindBundle is a Sigstore bundle that carries a signature.
	KindBundle EvidenceKind = "bundle"
	// KindAttestation is a Sigstore bundle whose statement is no signature.
	KindAttestation EvidenceKind = "attestation"
	// KindCosignLegacy is a layer of cosign's older .sig tag.
	KindCosignLegacy EvidenceKind = "cosign-legacy"
)

// EvidenceSource says where evidence was found. The values are those of the report.
type EvidenceSource string

// The places where evidence is found.
const (
	SourceFile        EvidenceSource = "file"
	SourceLayer       EvidenceSource = "layer"
	SourceReferrer    EvidenceSource = "referrer"
	SourceFallbackTag EvidenceSource = "fallback-tag"
	SourceLegacyTag   EvidenceSource = "legacy-tag"
)

// The media types of evidence in files and registries.
const (
	// MediaTypeProvenance is Helm's layer type of a .prov file.
	MediaTypeProvenance = "application/vnd.cncf.helm.chart.provenance.v1.prov"
	// MediaTypeBundle is the Sigstore bundle v0.3, also as cosign v3 stores it.
	MediaTypeBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
)

// Evidence is something that claims to speak for a chart: opaque, untrusted bytes and
// where they were found. It has no accessor to what the bytes claim; package verify is
// the only reader that turns them into facts.
//
// Problem is set instead of data where evidence is known to exist but could not be read:
// such evidence judges as inconclusive, it is never left out silently.
type Evidence struct {
	kind     EvidenceKind
	source   EvidenceSource
	location string
	digest   Digest
	data     []byte
	problem  error
}

// NewEvidence returns evidence of the given kind found at source. Location is for people:
// a path or a descriptor's digest. The bytes are not copied and must not be changed.
func NewEvidence(kind EvidenceKind, source EvidenceSource, location string, data []byte) Evidence {
	return Evidence{kind: kind, source: source, location: location, digest: DigestOf(data), data: data}
}

// UnreadableEvidence returns evidence that exists at location, under digest where that is
// known, but whose bytes could not be had because of problem.
func UnreadableEvidence(kind EvidenceKind, source EvidenceSource, location string, digest Digest, problem error) Evidence {
	return Evidence{kind: kind, source: source, location: location, digest: digest, problem: problem}
}

// Kind returns the form that the place where it was found promises.
func (e Evidence) Kind() EvidenceKind { return e.kind }

// Source returns where the evidence was found.
func (e Evidence) Source() EvidenceSource { return e.source }

// Location returns the path or descriptor, for people.
func (e Evidence) Location() string { return e.location }

// Digest returns the digest of the bytes.
func (e Evidence) Digest() Digest { return e.digest }

// Bytes returns the untrusted content. It must not be changed.
func (e Evidence) Bytes() []byte { return e.data }

// Problem returns why the bytes could not be had, or nil.
func (e Evidence) Problem() error { return e.problem }
