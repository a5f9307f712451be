// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// candidate is one entry of a listing. Nothing of it is believed but the digest.
type candidate struct {
	source chartsign.EvidenceSource
	digest chartsign.Digest
}

// index is an image index. Entries are kept as they came, so that an update of the
// fallback tag loses nothing that others wrote.
type index struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Manifests     []json.RawMessage `json:"manifests"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// parseIndex reads an image index.
func parseIndex(header string, body []byte) (index, error) {
	mediaType, err := readShape(header, body)
	if err != nil {
		return index{}, err
	}
	if mediaType != mediaTypeIndex {
		return index{}, fmt.Errorf("media type: got %.100q, want %s", mediaType, mediaTypeIndex)
	}
	var parsed index
	if err := json.Unmarshal(body, &parsed); err != nil {
		return index{}, err
	}
	return parsed, nil
}

// digests returns what the index lists. An entry that cannot be named is an error, the
// others are returned all the same.
func (i index) digests() (digests []chartsign.Digest, problem error) {
	for _, raw := range i.Manifests {
		var entry descriptor
		if err := json.Unmarshal(raw, &entry); err != nil {
			problem = err
			continue
		}
		digest, err := chartsign.ParseDigest(entry.Digest)
		if err != nil {
			problem = err
			continue
		}
		digests = append(digests, digest)
	}
	return digests, problem
}

// candidates lists the referrers of subject: the union of the Referrers API and the
// fallback tag. The problem says why there may be more.
func (r repository) candidates(ctx context.Context, subject chartsign.Digest) (union []candidate, problem error) {
	var (
		workers            group
		listed, tagged     []chartsign.Digest
		listedErr, tagsErr error
	)
	workers.start(func() { listed, listedErr = r.referrersAPI(ctx, subject) })
	workers.start(func() { tagged, tagsErr = r.fallbackTag(ctx, subject) })
	workers.wait()
	seen := make(map[chartsign.Digest]bool, len(listed)+len(tagged))
	add := func(source chartsign.EvidenceSource, digests []chartsign.Digest) {
		for _, digest := range digests {
			if !seen[digest] {
				seen[digest] = true
				union = append(union, candidate{source: source, digest: digest})
			}
		}
	}
	add(chartsign.SourceReferrer, listed)
	add(chartsign.SourceFallbackTag, tagged)
	problem = errors.Join(listedErr, tagsErr)
	if len(union) > limits.OCIReferrers {
		problem = errors.Join(problem, errTooMany)
		union = union[:limits.OCIReferrers]
	}
	return union, incomplete(problem)
}

var (
	errTooMany  = fmt.Errorf("the list of referrers is %w: want at most %d", limits.ErrTooLarge, limits.OCIReferrers)
	errTooLong  = fmt.Errorf("the list of referrers is %w: got more than %d pages", limits.ErrTooLarge, limits.OCIReferrersPages)
	errNextPage = errors.New("the link to the next page leaves the list")
)

// incomplete turns the problems of a listing into the Problem of a Listing.
func incomplete(problem error) error {
	if problem == nil {
		return nil
	}
	return chartsign.Reasonf(chartsign.ReasonListingIncomplete, "the evidence could not all be listed: %w", problem)
}

// referrersAPI asks the Referrers API, page by page. A registry that does not have it
// lists nothing.
func (r repository) referrersAPI(ctx context.Context, subject chartsign.Digest) (digests []chartsign.Digest, problem error) {
	first := r.at("referrers", subject.String())
	page := first
	for range limits.OCIReferrersPages {
		got, next, err := r.referrersPage(ctx, page)
		if err != nil {
			if page == first && notSupported(err) {
				return nil, nil
			}
			return digests, errors.Join(problem, err)
		}
		more, err := got.digests()
		problem = errors.Join(problem, err)
		digests = append(digests, more...)
		switch {
		case len(digests) > limits.OCIReferrers:
			return digests[:limits.OCIReferrers], errors.Join(problem, errTooMany)
		case next == "":
			return digests, problem
		}
		if page, err = nextPage(first, page, next); err != nil {
			return digests, errors.Join(problem, chartsign.Reasonf(chartsign.ReasonInvalidResponse, "referrers of %s: %w", r.origin.Host, err))
		}
	}
	return digests, errors.Join(problem, errTooLong)
}

// notSupported: 'If the registry does not support the referrers API, it MUST return 404';
// some older ones say that they do not know the method.
func notSupported(err error) bool {
	switch statusOf(err) {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	default:
		return false
	}
}

func (r repository) referrersPage(ctx context.Context, page *url.URL) (index, string, error) {
	const what = "referrers"
	resp, err := r.send(ctx, call{what: what, method: http.MethodGet, url: page, accept: mediaTypeIndex, want: []int{http.StatusOK}})
	if err != nil {
		return index{}, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := r.read(resp, limits.OCIManifest, what)
	if err != nil {
		return index{}, "", err
	}
	got, err := parseIndex(resp.Header.Get("Content-Type"), body)
	if err != nil {
		return index{}, "", chartsign.Reasonf(chartsign.ReasonInvalidResponse, "%s of %s: %w", what, r.origin.Host, err)
	}
	next, err := nextLink(resp.Header.Values("Link"))
	if err != nil {
		return index{}, "", chartsign.Reasonf(chartsign.ReasonInvalidResponse, "%s of %s: %w", what, r.origin.Host, err)
	}
	return got, next, nil
}

// nextLink returns the target of the Link header with rel="next" (RFC 8288), if any.
func nextLink(headers []string) (string, error) {
	for _, rest := range headers {
		for rest = strings.TrimSpace(rest); rest != ""; {
			target, after, ok := strings.Cut(rest, ">")
			if !ok || !strings.HasPrefix(target, "<") {
				return "", fmt.Errorf("%w: got a malformed Link header", errNextPage)
			}
			params, others, _ := strings.Cut(after, ",")
			_, rel, err := mime.ParseMediaType("link" + params)
			if err != nil {
				return "", fmt.Errorf("%w: got malformed parameters in the Link header", errNextPage)
			}
			if strings.EqualFold(rel["rel"], "next") {
				return target[1:], nil
			}
			rest = strings.TrimSpace(others)
		}
	}
	return "", nil
}

// nextPage resolves a link against the page that it stood on. It must be the same list of
// the same registry, or the registry could send us, and our token, anywhere.
func nextPage(first, page *url.URL, link string) (*url.URL, error) {
	next, err := page.Parse(link)
	if err != nil {
		return nil, errNextPage
	}
	if !sameOrigin(next, first) || next.Path != first.Path || next.User != nil || next.Fragment != "" {
		return nil, fmt.Errorf("%w: got host %.100q, want %q and the same path", errNextPage, next.Host, first.Host)
	}
	return next, nil
}

// fallbackTag reads the index under the tag sha256-HEX: distribution specification v1.1,
// 'Referrers Tag Schema'.
func (r repository) fallbackTag(ctx context.Context, subject chartsign.Digest) ([]chartsign.Digest, error) {
	got, err := r.fallbackIndex(ctx, subject)
	if err != nil {
		return nil, err
	}
	return got.digests()
}

// fallbackIndex reads the index of the fallback tag. A tag that does not exist is an empty
// index.
func (r repository) fallbackIndex(ctx context.Context, subject chartsign.Digest) (taggedIndex, error) {
	tag := referrersTag(subject)
	got, err := r.manifest(ctx, tag, chartsign.Digest{}, limits.OCIManifest)
	if hasCode(err, chartsign.ReasonNotFound) {
		return taggedIndex{}, nil
	}
	if err != nil {
		return taggedIndex{}, err
	}
	parsed, err := parseIndex(got.header, got.body)
	if err != nil {
		return taggedIndex{}, chartsign.Reasonf(chartsign.ReasonInvalidResponse, "manifest %s of %s: %w", tag, r.origin.Host, err)
	}
	return taggedIndex{index: parsed, digest: got.digest}, nil
}

// taggedIndex is the index of a fallback tag as it stood when it was read.
type taggedIndex struct {
	index
	digest chartsign.Digest
}

func referrersTag(subject chartsign.Digest) string { return "sha256-" + subject.Hex() }
