// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/chartsign/chartsign"
)

// fakeRegistry is a real registry on loopback. Before it answers, hook may do so instead.
type fakeRegistry struct {
	t       testing.TB
	server  *httptest.Server
	inner   http.Handler
	mu      sync.Mutex
	asked   []string
	headers []http.Header
	hook    func(w http.ResponseWriter, r *http.Request) bool
}

// newRegistry starts a registry; with api it has the Referrers API.
func newRegistry(tb testing.TB, api bool) *fakeRegistry {
	tb.Helper()
	f := &fakeRegistry{t: tb, inner: registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(api))}
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	tb.Cleanup(f.server.Close)
	return f
}

func (f *fakeRegistry) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.Method+" "+r.URL.Path)
	f.headers = append(f.headers, r.Header.Clone())
	hook := f.hook
	f.mu.Unlock()
	if hook != nil && hook(w, r) {
		return
	}
	f.inner.ServeHTTP(w, r)
}

// on installs hook, which sees every request first.
func (f *fakeRegistry) on(hook func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = hook
}

// requests returns what was asked since the last call.
func (f *fakeRegistry) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked, f.headers = nil, nil
	return asked
}

func (f *fakeRegistry) host() string { return strings.TrimPrefix(f.server.URL, "http://") }

// direct speaks to the registry itself, uncounted and unhooked.
func (f *fakeRegistry) direct(method, path, contentType string, body []byte) *httptest.ResponseRecorder {
	f.t.Helper()
	req := httptest.NewRequestWithContext(f.t.Context(), method, path, bytes.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	answer := httptest.NewRecorder()
	f.inner.ServeHTTP(answer, req)
	if answer.Code >= 300 {
		f.t.Fatalf("%s %s: got %d: %s", method, path, answer.Code, answer.Body)
	}
	return answer
}

func (f *fakeRegistry) putBlob(repo, mediaType string, data []byte) descriptor {
	f.t.Helper()
	d := describe(mediaType, data)
	f.direct(http.MethodPost, "/v2/"+repo+"/blobs/uploads/?digest="+d.Digest, mediaTypeBlob, data)
	return d
}

func (f *fakeRegistry) putManifest(repo, tag, mediaType string, content any) descriptor {
	f.t.Helper()
	body, ok := content.([]byte)
	if !ok {
		body = mustJSON(f.t, content)
	}
	d := describe(mediaType, body)
	if tag == "" {
		tag = d.Digest
	}
	f.direct(http.MethodPut, "/v2/"+repo+"/manifests/"+tag, mediaType, body)
	return d
}

func mustJSON(tb testing.TB, v any) []byte {
	tb.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// stored is a chart that a test has put into the registry.
type stored struct {
	repo     string
	archive  []byte
	chart    descriptor
	config   descriptor
	prov     descriptor
	manifest descriptor
	content  manifest
}

const testRepo = "charts/web"

// putChart stores web 1.2.3 under the tag 1.2.3, with a .prov layer if prov is set.
func (f *fakeRegistry) putChart(prov string) stored {
	f.t.Helper()
	return f.putArchive(buildChart(f.t, "web", "1.2.3"), "1.2.3", prov)
}

func (f *fakeRegistry) putArchive(archive []byte, tag, prov string) stored {
	f.t.Helper()
	read, err := chartsign.ReadChart(bytes.NewReader(archive), chartsign.ReadOptions{})
	if err != nil {
		f.t.Fatal(err)
	}
	config, err := read.Metadata().JSON()
	if err != nil {
		f.t.Fatal(err)
	}
	s := stored{repo: testRepo, archive: archive}
	s.chart = f.putBlob(s.repo, MediaTypeChart, archive)
	s.config = f.putBlob(s.repo, MediaTypeConfig, config)
	s.content = manifest{SchemaVersion: 2, Config: s.config, Layers: []descriptor{s.chart}}
	if prov != "" {
		s.prov = f.putBlob(s.repo, chartsign.MediaTypeProvenance, []byte(prov))
		s.content.Layers = append(s.content.Layers, s.prov)
	}
	s.manifest = f.putManifest(s.repo, tag, mediaTypeManifest, s.content)
	return s
}

// putReferrer stores a referrer of the chart in cosign's layout.
func (f *fakeRegistry) putReferrer(s stored, mediaType, data string) descriptor {
	f.t.Helper()
	return f.putReferrerOf(s.repo, s.manifest, mediaType, data)
}

func (f *fakeRegistry) putReferrerOf(repo string, subject descriptor, mediaType, data string) descriptor {
	f.t.Helper()
	config := f.putBlob(repo, mediaTypeEmpty, []byte("{}"))
	layer := f.putBlob(repo, mediaType, []byte(data))
	return f.putManifest(repo, "", mediaTypeManifest, manifest{
		SchemaVersion: 2, MediaType: mediaTypeManifest, ArtifactType: mediaType,
		Config: config, Layers: []descriptor{layer}, Subject: &subject,
	})
}

// putFallback lists entries under the fallback tag of the chart.
func (f *fakeRegistry) putFallback(s stored, entries ...descriptor) {
	f.t.Helper()
	list := index{SchemaVersion: 2, MediaType: mediaTypeIndex, Manifests: []json.RawMessage{}}
	for _, entry := range entries {
		list.Manifests = append(list.Manifests, mustJSON(f.t, entry))
	}
	f.putManifest(s.repo, referrersTag(s.manifest.digest), mediaTypeIndex, list)
}

// client returns a client for the registry, with retries that do not wait.
func (f *fakeRegistry) client(change ...func(*Options)) *Client {
	f.t.Helper()
	opts := Options{PlainHTTP: true, Now: time.Now}
	for _, c := range change {
		c(&opts)
	}
	client, err := NewClient(opts)
	if err != nil {
		f.t.Fatal(err)
	}
	transport, ok := client.auth.Client.Transport.(*guard)
	if !ok {
		f.t.Fatal("the transport of a client has no guard")
	}
	retries, ok := transport.next.(*retrier)
	if !ok {
		f.t.Fatal("the transport of a client has no retries")
	}
	retries.pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return client
}

// chart names a chart by tag or @digest.
func (f *fakeRegistry) chart(tag string, change ...func(*Options)) *Chart {
	f.t.Helper()
	return f.client(change...).Chart(f.ref(testRepo, tag))
}

func (f *fakeRegistry) ref(repo, tag string) chartsign.Reference {
	f.t.Helper()
	if !strings.HasPrefix(tag, "@") && tag != "" {
		tag = ":" + tag
	}
	ref, err := chartsign.ParseReference("oci://" + f.host() + "/" + repo + tag)
	if err != nil {
		f.t.Fatal(err)
	}
	return ref
}

// buildChart packs a chart; extra are further files, name and content in turn.
func buildChart(tb testing.TB, name, version string, extra ...string) []byte {
	tb.Helper()
	files := append([]string{"Chart.yaml", fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\nappVersion: \"1.0\"\n", name, version)}, extra...)
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for i := 0; i+1 < len(files); i += 2 {
		header := &tar.Header{Name: name + "/" + files[i], Mode: 0o644, Size: int64(len(files[i+1])), Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(header); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(archive, files[i+1]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// wantCode fails unless err is a Reason of the code that says nothing secret.
func wantCode(tb testing.TB, err error, want chartsign.ReasonCode) {
	tb.Helper()
	var reason *chartsign.Reason
	if !errors.As(err, &reason) {
		tb.Fatalf("got error %v, want a reason %s", err, want)
	}
	if reason.Code != want {
		tb.Fatalf("got code %s (%v), want %s", reason.Code, err, want)
	}
	for _, secret := range []string{"hunter2", "s3cr3t", "X-Amz-Signature"} {
		if strings.Contains(err.Error(), secret) {
			tb.Errorf("the error holds a secret: %v", err)
		}
	}
}

// wantEmpty fails if anything was left in dir.
func wantEmpty(tb testing.TB, dir string) {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, entry := range entries {
		tb.Errorf("%s was left behind", entry.Name())
	}
}

func texts(evidence []chartsign.Evidence) []string {
	var all []string
	for _, e := range evidence {
		all = append(all, fmt.Sprintf("%s %s %s", e.Kind(), e.Source(), e.Bytes()))
	}
	slices.Sort(all)
	return all
}

func answer(w http.ResponseWriter, status int, contentType, body string) bool {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
	return true
}

// packed packs one file.
func packed(tb testing.TB, name, content string) []byte {
	tb.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(archive, content); err != nil {
		tb.Fatal(err)
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func itoa(n int) string { return fmt.Sprint(n) }

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}
