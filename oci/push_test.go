// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.FixedZone("CET", 3600))

func pushRequest(tb testing.TB, archive []byte) PushRequest {
	tb.Helper()
	read, err := chartsign.ReadChart(bytes.NewReader(archive), chartsign.ReadOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return PushRequest{Archive: bytes.NewReader(archive), Chart: read, Created: noon}
}

func TestPush(t *testing.T) {
	for _, prov := range []string{"", "signed"} {
		f := newRegistry(t, true)
		archive := buildChart(t, "web", "1.2.3+build.5")
		req := pushRequest(t, archive)
		if prov != "" {
			req.Prov = []byte(prov)
		}
		pushed, err := f.client().Push(t.Context(), f.ref("charts", ""), req)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := pushed.Reference.Given, "oci://"+f.host()+"/charts/web:1.2.3_build.5"; got != want || pushed.Existed {
			t.Errorf("got %s, existed %t, want %s", got, pushed.Existed, want)
		}
		chart := f.client().Chart(pushed.Reference)
		subject, err := chart.Resolve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if subject.Manifest != pushed.Manifest || subject.Chart.Digest() != req.Chart.Digest() {
			t.Errorf("got manifest %s of chart %s", subject.Manifest, subject.Chart.Digest())
		}
		paths, err := chart.Pull(t.Context(), t.TempDir(), PullOptions{Prov: prov != ""})
		if err != nil {
			t.Fatal(err)
		}
		got, err := limits.ReadFile(paths[0], limits.ChartCompressed)
		if err != nil || !bytes.Equal(got, archive) {
			t.Errorf("got another archive back: %v", err)
		}
	}
}

// What helm push 4.3.1 writes for the same chart and time. Its layers stand in the order
// of their digests, and the chart's annotations override all but title and version.
func TestPushWritesWhatHelmWrites(t *testing.T) {
	const chartYAML = `apiVersion: v2
name: web
version: 1.2.3
description: a <web> & more
home: https://web.example
sources: [https://git.example/web, https://other.example]
maintainers: [{name: Ada, email: ada@web.example}, {name: Bob}, {email: "c@web.example"}]
annotations: {org.opencontainers.image.title: fake, org.opencontainers.image.url: mine, b: "", a: x}
`
	archive := packed(t, "web/Chart.yaml", chartYAML)
	req := pushRequest(t, archive)
	req.Prov = []byte("signed")
	f := newRegistry(t, true)
	pushed, err := f.client().Push(t.Context(), f.ref("charts", ""), req)
	if err != nil {
		t.Fatal(err)
	}
	got := f.direct(http.MethodGet, "/v2/charts/web/manifests/"+pushed.Manifest.String(), "", nil).Body.String()
	layers := []string{
		`{"mediaType":"` + MediaTypeChart + `","digest":"` + req.Chart.Digest().String() + `","size":` + itoa(len(archive)) + `}`,
		`{"mediaType":"` + chartsign.MediaTypeProvenance + `","digest":"` + chartsign.DigestOf(req.Prov).String() + `","size":6}`,
	}
	if chartsign.DigestOf(req.Prov).String() < req.Chart.Digest().String() {
		layers[0], layers[1] = layers[1], layers[0]
	}
	config, err := req.Chart.Metadata().JSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"schemaVersion":2,"config":{"mediaType":"` + MediaTypeConfig + `","digest":"` + chartsign.DigestOf(config).String() + `","size":` + itoa(len(config)) + `},` +
		`"layers":[` + strings.Join(layers, ",") + `],"annotations":{"a":"x","b":"",` +
		`"org.opencontainers.image.authors":"Ada (ada@web.example), Bob,  (c@web.example)",` +
		`"org.opencontainers.image.created":"2026-11-20T12:00:00+01:00",` +
		`"org.opencontainers.image.description":"a \u003cweb\u003e \u0026 more",` +
		`"org.opencontainers.image.source":"https://git.example/web",` +
		`"org.opencontainers.image.title":"web","org.opencontainers.image.url":"mine","org.opencontainers.image.version":"1.2.3"}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
}

func TestPushTwice(t *testing.T) {
	f := newRegistry(t, true)
	req := pushRequest(t, buildChart(t, "web", "1.2.3"))
	first, err := f.client().Push(t.Context(), f.ref("charts", ""), req)
	if err != nil {
		t.Fatal(err)
	}
	f.requests()
	again, err := f.client().Push(t.Context(), f.ref("charts", ""), req)
	if err != nil || !again.Existed || again.Manifest != first.Manifest {
		t.Errorf("got %+v and %v, want the same manifest", again, err)
	}
	if asked := f.requests(); len(asked) != 1 {
		t.Errorf("got requests %q, want one look at the tag", asked)
	}
	other := pushRequest(t, buildChart(t, "web", "1.2.3", "x", "other"))
	_, err = f.client().Push(t.Context(), f.ref("charts", ""), other)
	if !errors.Is(err, ErrTagExists) || !errors.Is(err, limits.ErrExists) {
		t.Fatalf("got %v, want %v", err, ErrTagExists)
	}
	for _, asked := range f.requests() {
		if !strings.HasPrefix(asked, "GET ") {
			t.Errorf("%s: a refused push wrote something", asked)
		}
	}
	other.Force = true
	forced, err := f.client().Push(t.Context(), f.ref("charts", ""), other)
	if err != nil || forced.Manifest == first.Manifest {
		t.Errorf("got %+v and %v, want the tag replaced", forced, err)
	}
}

func TestPushRefusals(t *testing.T) {
	f := newRegistry(t, true)
	good := pushRequest(t, buildChart(t, "web", "1.2.3"))
	fromConfig, err := chartsign.ChartFromConfig([]byte(`{"name":"web","version":"1.2.3"}`), chartsign.Digest{1}, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		ref  chartsign.Reference
		req  PushRequest
	}{
		{"tag", f.ref("charts", "1.2.3"), good},
		{"digest", f.ref("charts", "@"+digestA), good},
		{"file", chartsign.Reference{File: "x"}, good},
		{"no chart", f.ref("charts", ""), PushRequest{Archive: bytes.NewReader(nil)}},
		{"chart of a config", f.ref("charts", ""), PushRequest{Archive: bytes.NewReader(nil), Chart: fromConfig}},
		{"name that is no repository", f.ref("charts", ""), pushRequest(t, buildChart(t, "Web", "1.2.3"))},
	} {
		if _, err := f.client().Push(t.Context(), test.ref, test.req); err == nil {
			t.Errorf("%s: got no error", test.name)
		}
	}
	if asked := f.requests(); len(asked) != 0 {
		t.Errorf("got requests %q, want none", asked)
	}
}

// The file changes between the moment it was read for its digest and the upload. The
// registry here does not look.
func TestPushArchiveThatChanges(t *testing.T) {
	f := newRegistry(t, true)
	archive := buildChart(t, "web", "1.2.3")
	req := pushRequest(t, archive)
	changed := bytes.Clone(archive)
	changed[30] ^= 1
	req.Archive = bytes.NewReader(changed)
	f.on(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/blobs/") {
			var sink bytes.Buffer
			_, _ = sink.ReadFrom(r.Body)
			return status(201)(w, r)
		}
		return false
	})
	_, err := f.client().Push(t.Context(), f.ref("charts", ""), req)
	wantCode(t, err, chartsign.ReasonContentMismatch)
	for _, asked := range f.requests() {
		if strings.HasPrefix(asked, "PUT ") && strings.Contains(asked, "/manifests/") {
			t.Error("the manifest was pushed all the same")
		}
	}
}

// CVE-2026-50151: the Location of an upload is on another host.
func TestUploadLocationOnAnotherHost(t *testing.T) {
	rogue := newRegistry(t, true)
	for _, location := range []string{
		rogue.server.URL + "/upload", "//" + rogue.host() + "/upload", "https://evil.example/", "http://user@%s/", "", "http://%zz",
	} {
		f := newRegistry(t, true)
		f.on(func(w http.ResponseWriter, r *http.Request) bool {
			if basic(w, r) {
				return true
			}
			if r.Method != http.MethodPost {
				return false
			}
			w.Header().Set("Location", strings.Replace(location, "%s", f.host(), 1))
			w.WriteHeader(http.StatusAccepted)
			return true
		})
		_, err := f.client(ada(f.host())).Push(t.Context(), f.ref("charts", ""), pushRequest(t, buildChart(t, "web", "1.2.3")))
		wantCode(t, err, chartsign.ReasonInvalidResponse)
	}
	if asked := rogue.requests(); len(asked) != 0 {
		t.Errorf("the rogue host was asked %q", asked)
	}
}

// A write is never sent on to another host.
func TestUploadRedirectedToAnotherHost(t *testing.T) {
	f, rogue := newRegistry(t, true), newRegistry(t, true)
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		f.on(func(w http.ResponseWriter, r *http.Request) bool {
			if basic(w, r) {
				return true
			}
			if r.Method != method {
				return false
			}
			http.Redirect(w, r, rogue.server.URL+"/upload", http.StatusTemporaryRedirect)
			return true
		})
		_, err := f.client(ada(f.host())).Push(t.Context(), f.ref("charts", ""), pushRequest(t, buildChart(t, "web", "1.2.3")))
		wantCode(t, err, chartsign.ReasonInvalidResponse)
	}
	if asked := rogue.requests(); len(asked) != 0 {
		t.Errorf("the rogue host was asked %q", asked)
	}
}

func TestPushFailures(t *testing.T) {
	for _, test := range []struct {
		method, part string
		status       int
		want         chartsign.ReasonCode
	}{
		{"GET", "/manifests/", 500, chartsign.ReasonUnavailable},
		{"GET", "/manifests/", 429, chartsign.ReasonRateLimited},
		{"HEAD", "/blobs/", 403, chartsign.ReasonUnauthorized},
		{"POST", "/blobs/", 401, chartsign.ReasonUnauthorized},
		{"PUT", "/blobs/", 500, chartsign.ReasonUnavailable},
		{"PUT", "/manifests/", 403, chartsign.ReasonUnauthorized},
		{"PUT", "/manifests/", 400, chartsign.ReasonInvalidResponse},
	} {
		f := newRegistry(t, true)
		f.on(func(w http.ResponseWriter, r *http.Request) bool {
			return r.Method == test.method && strings.Contains(r.URL.Path, test.part) && status(test.status)(w, r)
		})
		_, err := f.client().Push(t.Context(), f.ref("charts", ""), pushRequest(t, buildChart(t, "web", "1.2.3")))
		wantCode(t, err, test.want)
	}
}

// A registry that says 201 and stores something else.
func TestPushIsReadBack(t *testing.T) {
	f := newRegistry(t, true)
	f.on(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
			f.putArchive(buildChart(t, "web", "6.6.6"), "1.2.3", "")
			return status(201)(w, r)
		}
		return false
	})
	_, err := f.client().Push(t.Context(), f.ref("charts", ""), pushRequest(t, buildChart(t, "web", "1.2.3")))
	wantCode(t, err, chartsign.ReasonContentMismatch)
}
