// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chartsign/chartsign/internal/limits"
)

const (
	// requestTimeout bounds one request: a write to Rekor v2 may take 20 s.
	requestTimeout = 60 * time.Second
	// retries is how often a request is sent again after 429, 5xx or a lost connection.
	retries = 2
	// firstWait is the pause before the first retry; each further one is twice as long.
	firstWait = time.Second
	// longestWait bounds what Retry-After may ask for.
	longestWait = 10 * time.Second
	// maxAnswer bounds the answer of a service; certificates and log entries are some KiB.
	maxAnswer int64 = 1 << 20
	// maxMessage bounds what is quoted of a service's refusal, in characters.
	maxMessage = 300
)

// wire carries the requests of one signing operation to one service. The clients of
// sigstore-go have no limits of their own for some of this, send some requests without a
// context, and lose the status of what fails; so the wire stands below them: it bounds time
// and size, retries, follows no redirect, and turns every refusal into a *ServiceError.
type wire struct {
	service string
	base    http.RoundTripper
	timeout time.Duration
	done    context.Context // of the one operation that the wire is made for
	passes  []int           // statuses besides 200 and 201 that the client wants to see
	check   func([]byte) error
}

// client returns an HTTP client on the wire.
func (w *wire) client() *http.Client { return &http.Client{Transport: w} }

// RoundTrip sends the request, again where that may help. Every request here may be
// repeated: at worst the log refuses to enter the same thing twice.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := bodyOf(req)
	if err != nil {
		return nil, w.fail(req, 0, "", err)
	}
	wait := firstWait
	for attempt := 0; ; attempt++ {
		resp, answer, err := w.once(req, body)
		switch {
		case err == nil && !worthRetrying(resp.StatusCode) || attempt == retries || w.done.Err() != nil:
			return w.conclude(req, resp, answer, err)
		case err != nil && !errors.As(err, new(net.Error)) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return w.conclude(req, resp, answer, err)
		}
		if err := w.pause(req.Context(), retryAfter(resp, wait)); err != nil {
			return nil, w.fail(req, 0, "", err)
		}
		wait *= 2
	}
}

func bodyOf(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer req.Body.Close()
	return limits.Read(req.Body, 2*limits.Bundle, "request")
}

// once sends the request and reads the whole answer.
func (w *wire) once(req *http.Request, body []byte) (resp *http.Response, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(req.Context(), w.timeout)
	defer cancel()
	defer context.AfterFunc(w.done, cancel)() //nolint:contextcheck // the request's own context may be empty, and this one ends it
	copied := req.Clone(ctx)
	if body != nil {
		copied.Body = io.NopCloser(bytes.NewReader(body))
	}
	if resp, err = w.base.RoundTrip(copied); err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err = limits.Read(resp.Body, maxAnswer, "answer")
	return resp, answer, err
}

// conclude hands a good answer on and makes an error of everything else.
func (w *wire) conclude(req *http.Request, resp *http.Response, answer []byte, err error) (*http.Response, error) {
	if err != nil {
		return nil, w.fail(req, 0, "", err)
	}
	good := resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusCreated
	for _, status := range w.passes {
		good = good || resp.StatusCode == status
	}
	if !good {
		return nil, w.fail(req, resp.StatusCode, messageIn(answer), nil)
	}
	if w.check != nil {
		if err := w.check(answer); err != nil {
			return nil, w.fail(req, 0, "", err)
		}
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(answer)), int64(len(answer))
	resp.Request = req
	return resp, nil
}

// fail prefers the operation's own end to what it looks like from below.
func (w *wire) fail(req *http.Request, status int, message string, cause error) error {
	if ended := context.Cause(w.done); ended != nil {
		cause = ended
	}
	if message == "" && cause != nil {
		message = quotable(cause.Error())
	}
	return &ServiceError{Service: w.service, URL: placeOf(req), Status: status, Message: message, cause: cause}
}

func (w *wire) pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-w.done.Done():
		return w.done.Err()
	}
}

func worthRetrying(status int) bool {
	return status == http.StatusTooManyRequests || status >= 500 && status != http.StatusNotImplemented
}

// retryAfter reads the header in its form of seconds.
func retryAfter(resp *http.Response, otherwise time.Duration) time.Duration {
	if resp == nil {
		return otherwise
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return otherwise
	}
	return min(time.Duration(min(seconds, 3600))*time.Second, longestWait)
}

// placeOf returns the address without user information and query.
func placeOf(req *http.Request) string {
	return req.URL.Scheme + "://" + req.URL.Host + req.URL.Path
}

// messageIn finds the message in a refusal: the services answer JSON with 'message'.
func messageIn(answer []byte) string {
	var refusal struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal(answer, &refusal); err == nil {
		return quotable(refusal.Message)
	}
	return quotable(string(answer))
}

// secretLike is any run that may be a piece of a token, in whichever alphabet.
var secretLike = regexp.MustCompile(`[A-Za-z0-9+_=-]{32,}`)

// quotable shortens foreign text and takes out what may be a token that comes back.
func quotable(text string) string {
	text = secretLike.ReplaceAllString(strings.ToValidUTF8(text, "?"), "[…]")
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) > maxMessage {
		text = string([]rune(text)[:maxMessage]) + "…"
	}
	return text
}
