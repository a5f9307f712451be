// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/chartsign/chartsign/internal/limits"
)

// retrier sends a request again where that may help: the registry is busy, or the
// connection was lost before an answer. Requests that create something are not repeated.
type retrier struct {
	next  http.RoundTripper
	pause func(context.Context, time.Duration) error
}

const firstPause = 200 * time.Millisecond

// RoundTrip returns the last answer if none was better.
func (t *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	for attempt := 0; ; attempt++ {
		resp, err := t.next.RoundTrip(req)
		wait, again := retryAfter(req, resp, err, attempt)
		if !again || attempt >= limits.OCIRetries {
			return resp, err
		}
		next, rewound := rewind(req)
		if !rewound {
			return resp, err
		}
		if resp != nil {
			_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection is used again
			_ = resp.Body.Close()
		}
		if err := t.pause(req.Context(), wait); err != nil {
			return nil, err
		}
		req = next
	}
}

// retryAfter says how long to wait before the request is sent again, if it should be.
func retryAfter(req *http.Request, resp *http.Response, err error, attempt int) (time.Duration, bool) {
	if req.Method == http.MethodPost || req.Context().Err() != nil {
		return 0, false
	}
	// Half of it is chance, so that clients which were stopped together return apart.
	wait := firstPause << attempt
	wait = wait/2 + rand.N(wait/2) //nolint:gosec // G404: nothing secret depends on it
	if err != nil {
		return wait, errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusInternalServerError:
	default:
		return 0, false
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		if seconds > int(limits.OCIRetryWait/time.Second) {
			return 0, false
		}
		wait = max(wait, time.Duration(seconds)*time.Second)
	}
	return wait, true
}

func rewind(req *http.Request) (*http.Request, bool) {
	if !hasBody(req) {
		return req, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, false
	}
	next := req.Clone(req.Context())
	next.Body = body
	return next, true
}
