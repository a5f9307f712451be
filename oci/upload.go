// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// source is content to upload. It can be read again from its start, independently of
// readers that are still in use.
type source struct {
	descriptor
	content io.ReaderAt
}

func bytesSource(mediaType string, data []byte) source {
	return source{descriptor: describe(mediaType, data), content: bytes.NewReader(data)}
}

// push uploads a blob unless the repository has it: distribution specification v1.1,
// 'POST then PUT'.
func (r repository) push(ctx context.Context, blob source, what string) error {
	what += " " + blob.Digest
	resp, err := r.send(ctx, call{what: what, method: http.MethodHead, url: r.at("blobs", blob.Digest), want: []int{http.StatusOK, http.StatusNotFound}})
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	location, err := r.startUpload(ctx, what)
	if err != nil {
		return err
	}
	return r.finishUpload(ctx, location, blob, what)
}

var errLocation = errors.New("the Location of the upload is on another host")

// startUpload returns where to upload to. It must be the registry itself: a Location on
// another host would see the token and the content (CVE-2026-50151).
func (r repository) startUpload(ctx context.Context, what string) (*url.URL, error) {
	// The trailing slash is in the specification; some registries insist.
	start := r.at("blobs", "uploads/")
	resp, err := r.send(ctx, call{what: "upload of " + what, method: http.MethodPost, url: start, want: []int{http.StatusAccepted}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	location, err := start.Parse(resp.Header.Get("Location"))
	if err != nil || resp.Header.Get("Location") == "" {
		return nil, chartsign.Reasonf(chartsign.ReasonInvalidResponse, "upload of %s of %s: got no usable Location", what, r.origin.Host)
	}
	if !sameOrigin(location, r.origin) || location.User != nil {
		return nil, chartsign.Reasonf(chartsign.ReasonInvalidResponse, "upload of %s of %s: %w: got %.100q", what, r.origin.Host, errLocation, location.Host)
	}
	return location, nil
}

func (r repository) finishUpload(ctx context.Context, location *url.URL, blob source, what string) error {
	// The query is the registry's own state and is left as it is.
	target := *location
	if target.RawQuery != "" {
		target.RawQuery += "&"
	}
	target.RawQuery += "digest=" + url.QueryEscape(blob.Digest)
	var sent *hashed
	resp, err := r.send(ctx, call{
		what: "upload of " + what, method: http.MethodPut, url: &target, contentType: mediaTypeBlob, size: blob.Size,
		body: func() io.ReadCloser { sent = newHashed(blob); return sent },
		want: []int{http.StatusCreated, http.StatusOK, http.StatusNoContent},
	})
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	return sent.check(what)
}

// hashed reads content for an upload and remembers what it was: a file may change between
// the moment that it was read for its digest and now.
type hashed struct {
	r    io.Reader
	want source

	mu   sync.Mutex // a registry may answer while the transport still reads
	hash hash.Hash
}

func newHashed(blob source) *hashed {
	return &hashed{r: io.NewSectionReader(blob.content, 0, blob.Size), hash: sha256.New(), want: blob}
}

func (h *hashed) Read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n, err := h.r.Read(p)
	h.hash.Write(p[:n])
	return n, err
}

func (h *hashed) Close() error { return nil }

func (h *hashed) check(what string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if got := chartsign.SumDigest(h.hash); got != h.want.digest {
		return chartsign.Reasonf(chartsign.ReasonContentMismatch, "upload of %s: the content changed meanwhile: got %s", what, got)
	}
	return nil
}

// putManifest stores a manifest or index under a tag or, with an empty one, its digest.
// It returns the header of the response.
func (r repository) putManifest(ctx context.Context, tag, mediaType string, body []byte) (http.Header, error) {
	digest := chartsign.DigestOf(body)
	name := tag
	if name == "" {
		name = digest.String()
	}
	what := "upload of manifest " + name
	resp, err := r.send(ctx, call{
		what: what, method: http.MethodPut, url: r.at("manifests", name), contentType: mediaType,
		body: bytesBody(body), size: int64(len(body)), want: []int{http.StatusCreated, http.StatusOK, http.StatusAccepted},
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if said := resp.Header.Get("Docker-Content-Digest"); said != "" && said != digest.String() {
		return nil, chartsign.Reasonf(chartsign.ReasonContentMismatch, "%s of %s: got digest %.80q, want %s", what, r.origin.Host, said, digest)
	}
	return resp.Header, nil
}

// readBack fetches what was just stored under tag, or its digest, and compares.
func (r repository) readBack(ctx context.Context, tag string, body []byte) error {
	digest := chartsign.DigestOf(body)
	pinned := digest
	if tag != "" {
		pinned = chartsign.Digest{}
	}
	got, err := r.manifest(ctx, tag, pinned, limits.OCIManifest)
	if err != nil {
		return err
	}
	if got.digest != digest {
		return chartsign.Reasonf(chartsign.ReasonContentMismatch, "manifest %s of %s: read back %s, want %s", tag, r.origin.Host, got.digest, digest)
	}
	return nil
}
