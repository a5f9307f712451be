// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"

	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// repository is one repository of one registry. Its methods are the requests.
type repository struct {
	client *Client
	origin *url.URL
	name   string
}

func (c *Client) repository(ref chartsign.Reference) repository {
	return repository{client: c, origin: &url.URL{Scheme: c.scheme, Host: endpoint(ref.Registry), Path: "/"}, name: ref.Repository}
}

// call is one request and what may be answered.
type call struct {
	what        string // for the error: 'manifest 1.2.3'
	method      string
	url         *url.URL
	accept      string
	contentType string
	body        func() io.ReadCloser
	size        int64
	want        []int
}

// at returns the URL of a path below the repository.
func (r repository) at(parts ...string) *url.URL {
	return r.origin.JoinPath(append([]string{"v2", r.name}, parts...)...)
}

// asWriter returns a context whose token may push, so that one token serves every request
// of a write.
func (r repository) asWriter(ctx context.Context) context.Context {
	return auth.WithScopesForHost(ctx, r.origin.Host, auth.ScopeRepository(r.name, auth.ActionPull, auth.ActionPush))
}

func (r repository) asReader(ctx context.Context) context.Context {
	if len(auth.GetScopesForHost(ctx, r.origin.Host)) > 0 {
		return ctx
	}
	return auth.WithScopesForHost(ctx, r.origin.Host, auth.ScopeRepository(r.name, auth.ActionPull))
}

// send makes the request. The response has one of the wanted status codes, and its body
// must be closed; every other outcome is a *chartsign.Reason.
func (r repository) send(ctx context.Context, c call) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(withOrigin(r.asReader(ctx), r.origin))
	resp, err := r.exchange(ctx, c)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	resp.Body = newWatched(resp.Body, cancel, r.client.stall)
	if slices.Contains(c.want, resp.StatusCode) {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	return nil, badStatus(resp, r.origin.Host, c.what)
}

func (r repository) exchange(ctx context.Context, c call) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, c.method, c.url.String(), nil)
	if err != nil {
		return nil, noResponse(err, r.origin.Host, c.what)
	}
	if c.accept != "" {
		req.Header.Set("Accept", c.accept)
	}
	if c.contentType != "" {
		req.Header.Set("Content-Type", c.contentType)
	}
	if c.body != nil {
		req.Body, req.ContentLength = c.body(), c.size
		req.GetBody = func() (io.ReadCloser, error) { return c.body(), nil }
	}
	resp, err := r.client.auth.Do(req)
	if err != nil {
		return nil, noResponse(err, r.origin.Host, c.what)
	}
	return resp, nil
}

// read reads the body within limit.
func (r repository) read(resp *http.Response, limit int64, what string) ([]byte, error) {
	data, err := limits.Read(resp.Body, limit, what)
	switch {
	case errors.Is(err, limits.ErrTooLarge):
		return nil, chartsign.Reasonf(chartsign.ReasonInvalidResponse, "%s of %s: %w", what, r.origin.Host, err)
	case err != nil:
		return nil, chartsign.Reasonf(chartsign.ReasonUnavailable, "%s of %s: %w", what, r.origin.Host, withoutURL(err))
	}
	return data, nil
}

// bytesBody returns the body of a call that sends data.
func bytesBody(data []byte) func() io.ReadCloser {
	return func() io.ReadCloser { return io.NopCloser(bytes.NewReader(data)) }
}
