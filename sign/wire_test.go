// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/sign"
)

func before2020() time.Time { return time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC) }

// configWithout removes a field of a signing configuration.
func configWithout(t *testing.T, config []byte, field string) []byte {
	t.Helper()
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(config, &fields); err != nil {
		t.Fatal(err)
	}
	if _, ok := fields[field]; !ok {
		t.Fatalf("the configuration has no %s", field)
	}
	delete(fields, field)
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// forward passes a request on to another Fulcio, with another token.
func forward(t *testing.T, w http.ResponseWriter, r *http.Request, base, token string) {
	t.Helper()
	req, err := http.NewRequestWithContext(r.Context(), r.Method, base+r.URL.Path, r.Body)
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// echo answers with the token that it was given.
func echo(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": "no such token: " + r.Header.Get("Authorization")})
	}
}

// TestServiceFailures: each service fails in each way; the error says which and how, and
// shows nothing of the token.
func TestServiceFailures(t *testing.T) {
	names := map[string]string{
		testkit.ServiceFulcio: sign.ServiceFulcio, testkit.ServiceRekor: sign.ServiceRekor, testkit.ServiceTimestamp: sign.ServiceTimestamp,
	}
	for fault, tc := range map[string]struct {
		handler  http.HandlerFunc
		status   int
		attempts int
	}{
		"bad request":   {answering(400, `{"message":"bad"}`), 400, 1},
		"unauthorized":  {echo(401), 401, 1},
		"not found":     {answering(404, "<html>"), 404, 1},
		"rate limited":  {answering(429, ""), 429, 3},
		"server error":  {echo(500), 500, 3},
		"unavailable":   {answering(503, ""), 503, 3},
		"garbage":       {answering(201, "\x00\x01garbage"), 0, 1},
		"empty":         {answering(201, ""), 0, 1},
		"empty object":  {answering(200, "{}"), 0, 1},
		"echo as token": {echo(201), 0, 1},
		"endless":       {answering(201, strings.Repeat(" ", 2<<20)), 0, 1},
		"hangs up":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, 3},
	} {
		for service, want := range names {
			for _, version := range []uint32{1, 2} {
				if version == 2 && service != testkit.ServiceRekor {
					continue
				}
				t.Run(fault+"/"+service, func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					w.services.Fail(service, tc.handler)
					opts := w.options(t, version)
					evidence, err := newSigstore(t, opts).SignManifest(t.Context(), manifest)
					var failure *sign.ServiceError
					if !errors.Is(err, sign.ErrService) || !errors.As(err, &failure) || failure.Service != want || failure.Status != tc.status {
						t.Errorf("got %v, want a failure of %s with status %d", err, want, tc.status)
					}
					if len(evidence.Bytes()) > 0 {
						t.Error("got evidence beside an error")
					}
					requireSecret(t, err, opts.IdentityToken)
					if got := count(w.services.Requests(), service); got != tc.attempts {
						t.Errorf("got %d attempts, want %d", got, tc.attempts)
					}
				})
			}
		}
	}
}

func count(list []string, item string) int {
	return len(slices.DeleteFunc(list, func(s string) bool { return s != item }))
}

// requireSecret looks for pieces of the token in everything that the error can show.
func requireSecret(t *testing.T, err error, token string) {
	t.Helper()
	if err == nil {
		return
	}
	for part := range strings.SplitSeq(token, ".") {
		if len(part) > 20 && strings.Contains(err.Error(), part[:20]) {
			t.Errorf("the error shows the token: %v", err)
		}
	}
}

func TestRetriesUntilItWorks(t *testing.T) {
	for service := range map[string]bool{testkit.ServiceFulcio: true, testkit.ServiceRekor: true, testkit.ServiceTimestamp: true} {
		t.Run(service, func(t *testing.T) {
			w := newWorld(t)
			w.services.Fail(service, func(rw http.ResponseWriter, r *http.Request) {
				w.services.Fail(service, nil)
				answering(503, "")(rw, r)
			})
			if _, err := newSigstore(t, w.options(t, 1)).SignManifest(t.Context(), manifest); err != nil {
				t.Errorf("got %v, want evidence", err)
			}
		})
	}
}

// TestConflictInRekorV2: the log has our entry already, because an answer got lost. Its
// interface gives it out no more, so we sign anew.
func TestConflictInRekorV2(t *testing.T) {
	w := newWorld(t)
	w.services.Fail(testkit.ServiceRekor, func(rw http.ResponseWriter, r *http.Request) {
		w.services.Fail(testkit.ServiceRekor, nil)
		answering(409, `{"message":"an equivalent entry already exists"}`)(rw, r)
	})
	if _, err := newSigstore(t, w.options(t, 2)).SignManifest(t.Context(), manifest); err != nil {
		t.Errorf("got %v, want evidence", err)
	}
}

// TestNoRedirects: a redirect would carry what we send, the token too, to somebody else.
func TestNoRedirects(t *testing.T) {
	var reached atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer elsewhere.Close()
	for _, service := range []string{testkit.ServiceFulcio, testkit.ServiceRekor, testkit.ServiceTimestamp} {
		for _, status := range []int{302, 307, 308} {
			w := newWorld(t)
			w.services.Fail(service, http.RedirectHandler(elsewhere.URL+"/api/v2/signingCert", status).ServeHTTP)
			_, err := newSigstore(t, w.options(t, 1)).SignManifest(t.Context(), manifest)
			if failure := new(sign.ServiceError); !errors.As(err, &failure) || failure.Status != status {
				t.Errorf("%s: got %v, want status %d", service, err, status)
			}
		}
	}
	if reached.Load() != 0 {
		t.Errorf("got %d requests elsewhere, want none", reached.Load())
	}
}

// TestContextEndsEverything: sigstore-go sends some requests without a context.
func TestContextEndsEverything(t *testing.T) {
	for _, service := range []string{testkit.ServiceFulcio, testkit.ServiceRekor, testkit.ServiceTimestamp} {
		for name, handler := range map[string]http.HandlerFunc{
			"hangs": func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
			"asks for a day": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "86400")
				w.WriteHeader(429)
			},
		} {
			t.Run(service+" "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.services.Fail(service, handler)
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				begin := time.Now()
				_, err := newSigstore(t, w.options(t, 1)).SignManifest(ctx, manifest)
				if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, sign.ErrService) {
					t.Errorf("got %v, want %v of a service", err, context.DeadlineExceeded)
				}
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("got an answer after %s", took)
				}
			})
		}
	}
}

func TestTimeoutOfOneRequest(t *testing.T) {
	w := newWorld(t)
	w.services.Fail(testkit.ServiceTimestamp, func(_ http.ResponseWriter, r *http.Request) {
		w.services.Fail(testkit.ServiceTimestamp, nil)
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	opts := w.options(t, 1)
	opts.Timeout = 500 * time.Millisecond
	if _, err := newSigstore(t, opts).SignManifest(t.Context(), manifest); err != nil {
		t.Errorf("got %v, want evidence at the second attempt", err)
	}
}

// transportFunc lets a test stand in the way of every request.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTokenGoesToFulcioAlone watches every request.
func TestTokenGoesToFulcioAlone(t *testing.T) {
	w := newWorld(t)
	opts := w.options(t, 2)
	opts.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
		body, err := limits.Read(r.Body, 1<<20, "body")
		if err != nil {
			return nil, err
		}
		carries := r.Header.Get("Authorization") != "" || bytes.Contains(body, []byte(opts.IdentityToken))
		if isFulcio := strings.HasSuffix(r.URL.Path, "/signingCert"); carries != isFulcio {
			t.Errorf("%s: got a token: %t, want %t", r.URL, carries, isFulcio)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		return http.DefaultTransport.RoundTrip(r)
	})
	if _, err := newSigstore(t, opts).SignManifest(t.Context(), manifest); err != nil {
		t.Fatal(err)
	}
}
