// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"net/http"

	"github.com/chartsign/chartsign"
)

// document is a manifest or index as it was fetched: its bytes have the digest.
type document struct {
	header string // Content-Type
	digest chartsign.Digest
	body   []byte
}

// manifest fetches a manifest or index by tag or, if pinned is set, by digest. Docs of the
// clauses: OCI distribution specification v1.1, 'Pulling manifests'.
func (r repository) manifest(ctx context.Context, tag string, pinned chartsign.Digest, limit int64) (document, error) {
	name := tag
	if !pinned.IsZero() {
		name = pinned.String()
	}
	what := "manifest " + name
	resp, err := r.send(ctx, call{what: what, method: http.MethodGet, url: r.at("manifests", name), accept: acceptManifests, want: []int{http.StatusOK}})
	if err != nil {
		return document{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := r.read(resp, limit, what)
	if err != nil {
		return document{}, err
	}
	got := document{header: resp.Header.Get("Content-Type"), digest: chartsign.DigestOf(body), body: body}
	if !pinned.IsZero() && got.digest != pinned {
		return document{}, chartsign.Reasonf(chartsign.ReasonContentMismatch, "%s of %s: got content with digest %s", what, r.origin.Host, got.digest)
	}
	// 'If the Docker-Content-Digest header is present, it must match.' More than one may not be.
	for _, said := range resp.Header.Values("Docker-Content-Digest") {
		if said != got.digest.String() {
			return document{}, chartsign.Reasonf(chartsign.ReasonContentMismatch, "%s of %s: got digest %.80q in the header and %s of the content", what, r.origin.Host, said, got.digest)
		}
	}
	return got, nil
}

// open starts the download of a blob. The reader fails unless it yields exactly what want
// promises; it must be closed.
func (r repository) open(ctx context.Context, want descriptor, what string) (*promised, func(), error) {
	//nolint:bodyclose // the caller closes it, by the second result
	resp, err := r.send(ctx, call{what: what + " " + want.Digest, method: http.MethodGet, url: r.at("blobs", want.digest.String()), accept: mediaTypeBlob + ", */*", want: []int{http.StatusOK}})
	if err != nil {
		return nil, nil, err
	}
	if resp.ContentLength >= 0 && resp.ContentLength != want.Size {
		_ = resp.Body.Close()
		return nil, nil, chartsign.Reasonf(chartsign.ReasonContentMismatch, "%s of %s: got %d bytes, want the %d of its descriptor", what, r.origin.Host, resp.ContentLength, want.Size)
	}
	return newPromised(resp.Body, want, what+" of "+r.origin.Host), func() { _ = resp.Body.Close() }, nil
}

// blob fetches a blob of which the caller has checked the size.
func (r repository) blob(ctx context.Context, want descriptor, what string) ([]byte, error) {
	content, done, err := r.open(ctx, want, what)
	if err != nil {
		return nil, err
	}
	defer done()
	return content.all()
}
