// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// descriptor is one of the OCI image specification v1.1, 'descriptor.md'. The order of the
// fields is that in which Helm writes them.
type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	ArtifactType string            `json:"artifactType,omitempty"`

	digest chartsign.Digest
}

// describe returns the descriptor of data.
func describe(mediaType string, data []byte) descriptor {
	digest := chartsign.DigestOf(data)
	return descriptor{MediaType: mediaType, Digest: digest.String(), Size: int64(len(data)), digest: digest}
}

// check parses the digest and holds the size against limit.
func (d *descriptor) check(what string, limit int64) error {
	digest, err := chartsign.ParseDigest(d.Digest)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if d.Size < 0 || d.Size > limit {
		return fmt.Errorf("%s is %w: got %d bytes, want at most %d", what, limits.ErrTooLarge, d.Size, limit)
	}
	d.digest = digest
	return nil
}

// manifest is an image manifest. Helm writes neither mediaType, artifactType nor subject.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType,omitempty"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        descriptor        `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Subject       *descriptor       `json:"subject,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// artifactType of image-spec v1.1: that of the manifest, else that of its config.
func (m *manifest) artifactType() string {
	if m.ArtifactType != "" {
		return m.ArtifactType
	}
	return m.Config.MediaType
}

// shape is what a document must not have both of: a reader that looks at layers and one
// that looks at manifests would see different content (CVE-2021-41190).
type shape struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     string          `json:"mediaType"`
	Config        json.RawMessage `json:"config"`
	Layers        json.RawMessage `json:"layers"`
	Manifests     json.RawMessage `json:"manifests"`
}

var errBoth = errors.New("got a manifest and an index in one document")

// readShape makes sure that body is either one manifest or one index and is what the
// header said.
func readShape(header string, body []byte) (mediaType string, err error) {
	if err := checkJSON(body); err != nil {
		return "", err
	}
	var s shape
	if err := json.Unmarshal(body, &s); err != nil {
		return "", err
	}
	mediaType, _, err = mime.ParseMediaType(header)
	if err != nil {
		return "", fmt.Errorf("media type of the response: got %.100q", header)
	}
	if s.MediaType != "" && s.MediaType != mediaType {
		return "", fmt.Errorf("media type: got %.100q in the response and %.100q in its body", mediaType, s.MediaType)
	}
	if s.SchemaVersion != 2 {
		return "", fmt.Errorf("schemaVersion: got %d, want 2", s.SchemaVersion)
	}
	if s.Manifests != nil && (s.Layers != nil || s.Config != nil) {
		return "", errBoth
	}
	if isIndexType(mediaType) != (s.Manifests != nil) {
		return "", fmt.Errorf("media type: got %.100q for a document that is something else", mediaType)
	}
	return mediaType, nil
}

// parseManifest reads an image manifest. An index is given back as its media type with a
// nil manifest.
func parseManifest(header string, body []byte) (*manifest, string, error) {
	mediaType, err := readShape(header, body)
	if err != nil || isIndexType(mediaType) {
		return nil, mediaType, err
	}
	m := new(manifest)
	if err := json.Unmarshal(body, m); err != nil {
		return nil, "", err
	}
	return m, mediaType, nil
}
