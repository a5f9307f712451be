// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// originKey marks the context of a request with the origin of the registry that it is
// made for; token requests inherit it.
type originKey struct{}

func withOrigin(ctx context.Context, origin *url.URL) context.Context {
	return context.WithValue(ctx, originKey{}, origin)
}

// guard is the last look at a request before it leaves: credentials go to the origin of
// the registry and to its token service, and nowhere else. It does not depend on what the
// layers above it have already removed.
type guard struct{ next http.RoundTripper }

var (
	errNoOrigin      = errors.New("request without the registry that it is for")
	errLeak          = errors.New("credentials must not leave the registry's origin")
	errDowngrade     = errors.New("redirect from https to http")
	errWriteRedirect = errors.New("redirect of a write to another host")
)

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	origin, ok := req.Context().Value(originKey{}).(*url.URL)
	if !ok {
		return nil, errNoOrigin
	}
	if err := mayLeave(req, origin); err != nil {
		return nil, err
	}
	return g.next.RoundTrip(req)
}

func mayLeave(req *http.Request, origin *url.URL) error {
	if sameOrigin(req.URL, origin) {
		return nil
	}
	if strings.HasPrefix(strings.ToLower(req.Header.Get("Authorization")), "bearer ") {
		return fmt.Errorf("%w: got a token for %q", errLeak, req.URL.Host)
	}
	if req.Response != nil { // this request follows a redirect
		if req.Header.Get("Authorization") != "" || hasBody(req) {
			return fmt.Errorf("%w: got a redirect to %q", errLeak, req.URL.Host)
		}
		return nil
	}
	// Only a token request starts on another origin: its realm comes from the registry.
	if req.URL.Scheme != "https" && !strings.EqualFold(req.URL.Hostname(), origin.Hostname()) {
		return chartsign.Reasonf(chartsign.ReasonUnauthorized, "%s wants credentials sent to %q without encryption: %w", origin.Host, req.URL.Host, errLeak)
	}
	return nil
}

// checkRedirect is the policy for every redirect. The first request is via[0].
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > limits.OCIRedirects:
		return fmt.Errorf("stopped after %d redirects", limits.OCIRedirects)
	case req.URL.Scheme != "https" && req.URL.Scheme != "http":
		return fmt.Errorf("redirect to the scheme %.20q", req.URL.Scheme)
	case via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https":
		return errDowngrade
	case sameOrigin(first.URL, req.URL):
		return nil
	case first.Method != http.MethodGet && first.Method != http.MethodHead:
		return errWriteRedirect
	}
	req.Header.Del("Authorization")
	req.Header.Del("Cookie")
	return nil
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

// sameOrigin compares scheme, host and port as RFC 6454 does, default ports included.
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if strings.EqualFold(u.Scheme, "https") {
		return "443"
	}
	return "80"
}
