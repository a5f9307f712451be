// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

func TestResolve(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("")
	for _, tag := range []string{"1.2.3", "@" + s.manifest.Digest, "other@" + s.manifest.Digest} {
		subject, err := f.chart(tag).Resolve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := subject.Chart.Name()+" "+subject.Chart.Version(), "web 1.2.3"; got != want {
			t.Errorf("%s: got %s, want %s", tag, got, want)
		}
		if subject.Chart.Digest() != s.chart.digest || subject.Chart.Size() != int64(len(s.archive)) || subject.Manifest != s.manifest.digest {
			t.Errorf("%s: got %v of %d bytes in %v", tag, subject.Chart.Digest(), subject.Chart.Size(), subject.Manifest)
		}
	}
}

// The promise of the contract: six requests to judge a chart by tag, never its archive.
func TestJudgingRequests(t *testing.T) {
	for _, test := range []struct {
		name, prov string
		api        bool
		want       int
	}{
		{"one bundle by the API", "", true, 6},
		{"one bundle by the fallback tag", "", false, 6},
		{"with .prov", "signed", true, 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newRegistry(t, test.api)
			s := f.putChart(test.prov)
			entry := f.putReferrer(s, chartsign.MediaTypeBundle, "bundle")
			if !test.api {
				f.putFallback(s, entry)
			}
			chart := f.chart("1.2.3")
			if _, err := chart.Resolve(t.Context()); err != nil {
				t.Fatal(err)
			}
			listing, err := chart.Evidence(t.Context())
			if err != nil || listing.Problem != nil {
				t.Fatal(err, listing.Problem)
			}
			if _, err := chart.Resolve(t.Context()); err != nil {
				t.Fatal(err)
			}
			asked := f.requests()
			if len(asked) != test.want {
				t.Errorf("got %d requests, want %d:\n%s", len(asked), test.want, strings.Join(asked, "\n"))
			}
			slices.Sort(asked)
			if unique := slices.Compact(slices.Clone(asked)); len(unique) != len(asked) {
				t.Errorf("a request was made twice:\n%s", strings.Join(asked, "\n"))
			}
			if slices.Contains(asked, "GET /v2/charts/web/blobs/"+s.chart.Digest) {
				t.Error("the chart's archive was requested")
			}
		})
	}
}

func TestResolveAtTheSameTimeAsksOnce(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("signed")
	chart := f.chart("1.2.3")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := chart.Resolve(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if asked := f.requests(); len(asked) != 2 {
		t.Errorf("got %q, want one manifest and one config", asked)
	}
}

// TOCTOU in Flux HelmChart and Sveltos: the tag is verified, then downloaded again.
func TestTagThatMoves(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("signed")
	chart := f.chart("1.2.3")
	if _, err := chart.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.putArchive(buildChart(t, "web", "1.2.3", "templates/evil.yaml", "x"), "1.2.3", "other")
	dir := t.TempDir()
	paths, err := chart.Pull(t.Context(), dir, PullOptions{Prov: true})
	if err != nil {
		t.Fatal(err)
	}
	archive, err := limits.ReadFile(paths[0], limits.ChartCompressed)
	if err != nil {
		t.Fatal(err)
	}
	prov, err := limits.ReadFile(paths[1], limits.Provenance)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(archive, s.archive) || string(prov) != "signed" {
		t.Error("got the content that the tag moved to, want what was resolved")
	}
	listing, err := chart.Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"provenance layer signed"}, texts(listing.Evidence)); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
}

func TestReferencesWithoutTagOrDigest(t *testing.T) {
	f := newRegistry(t, true)
	for _, ref := range []chartsign.Reference{f.ref(testRepo, ""), {Given: "web.tgz", File: "web.tgz"}} {
		_, err := f.client().Chart(ref).Resolve(t.Context())
		wantCode(t, err, chartsign.ReasonNotFound)
	}
	if asked := f.requests(); len(asked) != 0 {
		t.Errorf("got requests %q, want none", asked)
	}
}

// What registries answer when they do not answer: each has its own code, for Resolve and
// for Pull, which leaves nothing on disk.
func TestRegistryFailures(t *testing.T) {
	garbage := strings.Repeat("<html>", 100)
	for _, test := range []struct {
		name string
		hook func(http.ResponseWriter, *http.Request) bool
		want chartsign.ReasonCode
	}{
		{"401", status(401), chartsign.ReasonUnauthorized},
		{"403", status(403), chartsign.ReasonUnauthorized},
		{"404", status(404), chartsign.ReasonNotFound},
		{"429", status(429), chartsign.ReasonRateLimited},
		{"500", status(500), chartsign.ReasonUnavailable},
		{"503", status(503), chartsign.ReasonUnavailable},
		{"418", status(418), chartsign.ReasonInvalidResponse},
		{"204", status(204), chartsign.ReasonInvalidResponse},
		{"cut", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", "1000")
			w.Header().Set("Content-Type", mediaTypeManifest)
			_, _ = w.Write([]byte("{"))
			panic(http.ErrAbortHandler)
		}, chartsign.ReasonUnavailable},
		{"nothing at all", func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, chartsign.ReasonUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, part := range []string{"/manifests/1.2.3", "/blobs/"} {
				f := newRegistry(t, true)
				f.putChart("")
				f.on(only(part, test.hook))
				_, err := f.chart("1.2.3").Resolve(t.Context())
				wantCode(t, err, test.want)
				if !strings.Contains(err.Error(), f.host()) {
					t.Errorf("got %v, want the host in it", err)
				}
				dir := t.TempDir()
				_, err = f.chart("1.2.3").Pull(t.Context(), dir, PullOptions{})
				wantCode(t, err, test.want)
				wantEmpty(t, dir)
			}
		})
	}
	for _, test := range []struct{ name, contentType, body string }{
		{"garbage", mediaTypeManifest, garbage},
		{"garbage as HTML", "text/html", garbage},
		{"nothing", mediaTypeManifest, ""},
		{"no type", "", "{}"},
		{"another object", mediaTypeManifest, "{}"},
		{"a list", mediaTypeManifest, "[]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newRegistry(t, true)
			f.on(func(w http.ResponseWriter, _ *http.Request) bool { return answer(w, 200, test.contentType, test.body) })
			_, err := f.chart("1.2.3").Resolve(t.Context())
			wantCode(t, err, chartsign.ReasonInvalidResponse)
		})
	}
}

func status(code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(code)
		return true
	}
}

// only limits a hook to the paths that contain part.
func only(part string, hook func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		return strings.Contains(r.URL.Path, part) && hook(w, r)
	}
}

func TestErrorsNameTheRegistrysCode(t *testing.T) {
	f := newRegistry(t, true)
	_, err := f.chart("1.2.3").Resolve(t.Context())
	wantCode(t, err, chartsign.ReasonNotFound)
	if !strings.Contains(err.Error(), "NAME_UNKNOWN") {
		t.Errorf("got %v, want NAME_UNKNOWN in it", err)
	}
	f.on(func(w http.ResponseWriter, _ *http.Request) bool {
		return answer(w, 404, "application/json", `{"errors":[{"code":"\u001b[31mEVIL"}]}`)
	})
	if _, err := f.chart("1.2.3").Resolve(t.Context()); strings.Contains(err.Error(), "EVIL") {
		t.Errorf("the error repeats what the registry said: %q", err)
	}
}

func TestBusyRegistryIsAskedAgain(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("")
	failures := 2
	f.on(func(w http.ResponseWriter, _ *http.Request) bool {
		if failures == 0 {
			return false
		}
		failures--
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(429)
		return true
	})
	if _, err := f.chart("1.2.3").Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.on(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", strconv.Itoa(3600))
		w.WriteHeader(429)
		return true
	})
	f.requests()
	_, err := f.chart("1.2.3").Resolve(t.Context())
	wantCode(t, err, chartsign.ReasonRateLimited)
	if asked := f.requests(); len(asked) != 1 {
		t.Errorf("got %d requests, want one: an hour is not waited for", len(asked))
	}
}

func TestCanceled(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("")
	ctx, cancel := context.WithCancel(t.Context())
	f.on(func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done()
		return true
	})
	chart := f.chart("1.2.3")
	_, err := chart.Resolve(ctx)
	wantCode(t, err, chartsign.ReasonUnavailable)
	f.on(nil)
	if _, err := chart.Resolve(t.Context()); err != nil {
		t.Errorf("got %v, want the failure of another caller forgotten", err)
	}
}
