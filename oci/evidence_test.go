// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
)

func TestEvidence(t *testing.T) {
	for _, test := range []struct {
		name   string
		api    bool
		source string
	}{{"Referrers API", true, "referrer"}, {"fallback tag", false, "fallback-tag"}} {
		t.Run(test.name, func(t *testing.T) {
			f := newRegistry(t, test.api)
			s := f.putChart("layer")
			entries := []descriptor{
				f.putReferrer(s, chartsign.MediaTypeBundle, "v0.3"),
				f.putReferrer(s, "application/vnd.dev.sigstore.bundle+json;version=0.1", "v0.1"),
				f.putReferrer(s, chartsign.MediaTypeProvenance, "prov"),
				f.putReferrer(s, "application/spdx+json", "an SBOM"),
			}
			if !test.api {
				// Entries with wrong types: older clients and GHCR write them.
				for i := range entries {
					entries[i].ArtifactType, entries[i].MediaType = "application/vnd.oci.empty.v1+json", "text/plain"
				}
				f.putFallback(s, entries[0], entries[1], entries[2], entries[3])
			}
			listing, err := f.chart("1.2.3").Evidence(t.Context())
			if err != nil || listing.Problem != nil {
				t.Fatal(err, listing.Problem)
			}
			want := []string{
				"bundle " + test.source + " v0.1", "bundle " + test.source + " v0.3",
				"provenance " + test.source + " prov", "provenance layer layer",
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, texts(listing.Evidence)); diff != "" {
				t.Errorf("evidence (-want +got):\n%s", diff)
			}
		})
	}
}

// A registry that says 200 with an empty index may still have a fallback tag, and what is
// in both is one.
func TestUnionOfAPIAndFallbackTag(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("")
	both := f.putReferrer(s, chartsign.MediaTypeBundle, "in both")
	tagged := f.putReferrer(s, chartsign.MediaTypeBundle, "only tagged")
	f.putFallback(s, both, tagged)
	f.on(only("/referrers/", func(w http.ResponseWriter, _ *http.Request) bool {
		return answer(w, 200, mediaTypeIndex, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"digest":%q}]}`, mediaTypeIndex, both.Digest))
	}))
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil || listing.Problem != nil {
		t.Fatal(err, listing.Problem)
	}
	if diff := cmp.Diff([]string{"bundle fallback-tag only tagged", "bundle referrer in both"}, texts(listing.Evidence)); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
}

// 'Unsigned' and 'could not look' are different: only a 404 says that there is nothing.
func TestListingThatCouldNotBeCompleted(t *testing.T) {
	garbage := func(w http.ResponseWriter, _ *http.Request) bool { return answer(w, 200, "text/html", "<html>") }
	cut := func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Length", "1000")
		w.Header().Set("Content-Type", mediaTypeIndex)
		_, _ = w.Write([]byte(`{"schemaVersion":2,`))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	for _, test := range []struct {
		name string
		hook func(http.ResponseWriter, *http.Request) bool
		want bool // a problem
	}{
		{"404", status(404), false},
		{"405", status(405), false},
		{"501", status(501), false},
		{"400", status(400), true},
		{"401", status(401), true},
		{"403", status(403), true},
		{"429", status(429), true},
		{"500", status(500), true},
		{"503", status(503), true},
		{"garbage", garbage, true},
		{"nothing", func(w http.ResponseWriter, _ *http.Request) bool { return answer(w, 200, mediaTypeIndex, "") }, true},
		{"an image", func(w http.ResponseWriter, _ *http.Request) bool {
			return answer(w, 200, mediaTypeManifest, `{"schemaVersion":2,"layers":[]}`)
		}, true},
		{"sha512 entry", func(w http.ResponseWriter, _ *http.Request) bool {
			return answer(w, 200, mediaTypeIndex, `{"schemaVersion":2,"manifests":[{"digest":"sha512:abc"}]}`)
		}, true},
		{"cut", cut, true},
		{"gone", func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, true},
	} {
		for _, path := range []string{"/referrers/", "/manifests/sha256-"} {
			t.Run(test.name+path, func(t *testing.T) {
				if code := statusCode(test.name); path != "/referrers/" && (code == 405 || code == 501) {
					t.Skip("a tag that cannot be asked for is no tag that is missing")
				}
				f := newRegistry(t, true)
				s := f.putChart("layer")
				f.putFallback(s, f.putReferrer(s, chartsign.MediaTypeBundle, "bundle"))
				f.on(only(path, test.hook))
				listing, err := f.chart("1.2.3").Evidence(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got := listing.Problem != nil; got != test.want {
					t.Fatalf("got problem %v, want %t", listing.Problem, test.want)
				}
				if test.want {
					wantCode(t, listing.Problem, chartsign.ReasonListingIncomplete)
				}
				if len(listing.Evidence) != 2 {
					t.Errorf("got %d pieces of evidence, want what could be found: 2", len(listing.Evidence))
				}
			})
		}
	}
}

func statusCode(name string) (code int) {
	_, _ = fmt.Sscanf(name, "%d", &code)
	return code
}

// Evidence that is listed and cannot be read is there, and says so.
func TestUnreadableEvidence(t *testing.T) {
	for _, test := range []struct {
		name string
		part string // of the referrer: its manifest or its blob
		hook func(http.ResponseWriter, *http.Request) bool
		want chartsign.ReasonCode
	}{
		{"manifest 404", "manifest", status(404), chartsign.ReasonNotFound},
		{"manifest 429", "manifest", status(429), chartsign.ReasonRateLimited},
		{"manifest 500", "manifest", status(500), chartsign.ReasonUnavailable},
		{"manifest garbage", "manifest", func(w http.ResponseWriter, _ *http.Request) bool { return answer(w, 200, mediaTypeManifest, "{}") }, chartsign.ReasonContentMismatch},
		{"manifest endless", "manifest", endless, chartsign.ReasonInvalidResponse},
		{"blob 404", "blob", status(404), chartsign.ReasonNotFound},
		{"blob 401", "blob", status(401), chartsign.ReasonUnauthorized},
		{"blob 500", "blob", status(500), chartsign.ReasonUnavailable},
		{"blob garbage", "blob", func(w http.ResponseWriter, _ *http.Request) bool { return answer(w, 200, "", "garbag") }, chartsign.ReasonContentMismatch},
		{"blob endless", "blob", endless, chartsign.ReasonContentMismatch},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newRegistry(t, true)
			s := f.putChart("")
			entry := f.putReferrer(s, chartsign.MediaTypeBundle, "bundle")
			path := "/manifests/" + entry.Digest
			if test.part == "blob" {
				path = "/blobs/" + chartsign.DigestOf([]byte("bundle")).String()
			}
			f.on(only(path, test.hook))
			listing, err := f.chart("1.2.3").Evidence(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(listing.Evidence) != 1 {
				t.Fatalf("got %d pieces of evidence, want 1", len(listing.Evidence))
			}
			got := listing.Evidence[0]
			wantCode(t, got.Problem(), test.want)
			if got.Bytes() != nil || got.Location() != entry.Digest || got.Kind() != chartsign.KindBundle {
				t.Errorf("got %v %s with %d bytes", got.Kind(), got.Location(), len(got.Bytes()))
			}
			// What could not even be looked at may have been an attestation that denies.
			if unknown := test.part == "manifest"; (listing.Problem != nil) != unknown {
				t.Errorf("got problem %v, want one: %t", listing.Problem, unknown)
			}
		})
	}
}

func TestUnreadableProvLayer(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("layer")
	f.on(only(s.prov.Digest, status(503)))
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil || len(listing.Evidence) != 1 {
		t.Fatalf("got %d pieces of evidence and %v, want 1", len(listing.Evidence), err)
	}
	wantCode(t, listing.Evidence[0].Problem(), chartsign.ReasonUnavailable)
	if got := listing.Evidence[0]; got.Kind() != chartsign.KindProvenance || got.Source() != chartsign.SourceLayer || got.Digest() != s.prov.digest {
		t.Errorf("got %v from %v, want the .prov layer", got.Kind(), got.Source())
	}
}

// A registry that lists the signature of one chart for another.
func TestReferrerOfAnotherChart(t *testing.T) {
	f := newRegistry(t, false)
	s := f.putChart("")
	other := f.putArchive(buildChart(t, "web", "6.6.6"), "6.6.6", "")
	foreign := f.putReferrer(other, chartsign.MediaTypeBundle, "bundle of another")
	orphan := f.putManifest(testRepo, "", mediaTypeManifest, manifest{
		SchemaVersion: 2, MediaType: mediaTypeManifest, Config: f.putBlob(testRepo, mediaTypeEmpty, []byte("{}")),
		Layers: []descriptor{f.putBlob(testRepo, chartsign.MediaTypeProvenance, []byte("no subject"))},
	})
	f.putFallback(s, foreign, orphan)
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(listing.Evidence) != 2 {
		t.Fatalf("got %d pieces of evidence, want 2 that say why", len(listing.Evidence))
	}
	for _, e := range listing.Evidence {
		wantCode(t, e.Problem(), chartsign.ReasonContentMismatch)
		if e.Bytes() != nil {
			t.Error("the bytes of foreign evidence were handed on")
		}
	}
}

// A stranger attaches the honest bytes under another type or size. The honest referrer
// must be read all the same.
func TestReferrerCannotDisplaceAnother(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("")
	honest := f.putReferrer(s, chartsign.MediaTypeProvenance, "honest")
	config := f.putBlob(testRepo, mediaTypeEmpty, []byte("{}"))
	layer := describe(chartsign.MediaTypeBundle, []byte("honest"))
	short := describe(chartsign.MediaTypeProvenance, []byte("honest"))
	short.Size--
	for _, l := range []descriptor{layer, short} {
		for i := range 8 { // some sort before the honest one
			f.putManifest(testRepo, "", mediaTypeManifest, manifest{
				SchemaVersion: 2, MediaType: mediaTypeManifest, Config: config, Layers: []descriptor{l}, Subject: &s.manifest,
				Annotations: map[string]string{"n": fmt.Sprint(i)},
			})
		}
	}
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range listing.Evidence {
		if e.Kind() == chartsign.KindProvenance && string(e.Bytes()) == "honest" {
			return
		}
	}
	t.Errorf("got %q, want the honest .prov of %s", texts(listing.Evidence), honest.Digest)
}

func TestSameEvidenceIsReadOnce(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("layer")
	f.putReferrer(s, chartsign.MediaTypeProvenance, "layer")
	config := f.putBlob(testRepo, mediaTypeEmpty, []byte("{}"))
	layer := f.putBlob(testRepo, chartsign.MediaTypeBundle, []byte("bundle"))
	for i := range 3 {
		f.putManifest(testRepo, "", mediaTypeManifest, manifest{
			SchemaVersion: 2, MediaType: mediaTypeManifest, Config: config, Layers: []descriptor{layer}, Subject: &s.manifest,
			Annotations: map[string]string{"n": fmt.Sprint(i)},
		})
	}
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"bundle referrer bundle", "provenance layer layer"}, texts(listing.Evidence)); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
}

// oras-go#1215: a registry whose list never ends.
func TestEndlessPagination(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("")
	page := 0
	f.on(only("/referrers/", func(w http.ResponseWriter, r *http.Request) bool {
		page++
		w.Header().Set("Link", fmt.Sprintf("<%s?last=%d>; rel=\"next\"", r.URL.Path, page))
		return answer(w, 200, mediaTypeIndex, `{"schemaVersion":2,"manifests":[]}`)
	}))
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, listing.Problem, chartsign.ReasonListingIncomplete)
	if page > 100 {
		t.Errorf("got %d pages, want at most 100", page)
	}
}

// Pages are not read beyond what their entries may number.
func TestManyPagesOfManyEntries(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("")
	page := 0
	f.on(only("/referrers/", func(w http.ResponseWriter, r *http.Request) bool {
		var entries []string
		for i := range 600 {
			entries = append(entries, fmt.Sprintf(`{"digest":"sha256:%064x"}`, page*600+i))
		}
		page++
		w.Header().Set("Link", fmt.Sprintf("<%s?last=%d>; rel=\"next\"", r.URL.Path, page))
		return answer(w, 200, mediaTypeIndex, `{"schemaVersion":2,"manifests":[`+strings.Join(entries, ",")+`]}`)
	}))
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, listing.Problem, chartsign.ReasonListingIncomplete)
	if page != 2 {
		t.Errorf("got %d pages of 600 entries, want 2", page)
	}
}

func TestPagination(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("")
	var entries []descriptor
	for i := range 5 {
		entries = append(entries, f.putReferrer(s, chartsign.MediaTypeBundle, fmt.Sprint("bundle ", i)))
	}
	f.on(only("/referrers/", func(w http.ResponseWriter, r *http.Request) bool {
		var at int
		_, _ = fmt.Sscanf(r.URL.Query().Get("last"), "%d", &at)
		if at+1 < len(entries) {
			w.Header().Add("Link", `<https://docs.example/a,b>; rel="help"`)
			w.Header().Add("Link", fmt.Sprintf(`<?last=%d,x>; title="a"; rel="next", </>; rel=first`, at+1))
		}
		return answer(w, 200, mediaTypeIndex, `{"schemaVersion":2,"manifests":[{"digest":"`+entries[at].Digest+`"}]}`)
	}))
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil || listing.Problem != nil || len(listing.Evidence) != 5 {
		t.Errorf("got %d pieces of evidence, %v and %v, want 5", len(listing.Evidence), listing.Problem, err)
	}
}

// The next page is on another host, in another repository, or not a URL.
func TestRoguePagination(t *testing.T) {
	rogue := newRegistry(t, true)
	for _, link := range []string{
		"<" + rogue.server.URL + "/v2/charts/web/referrers/x>; rel=\"next\"",
		"<" + rogue.server.URL + "/v2/charts/web/referrers/SUBJECT?n=2>; rel=\"next\"", // the same path
		"<https:?n=2>; rel=\"next\"",
		"</v2/secret/repo/manifests/latest>; rel=\"next\"",
		"<//user@" + rogue.host() + "/>; rel=next",
		"<gopher://x>; rel=next",
		"<%zz>; rel=next",
		"nonsense",
		"<x>; =",
	} {
		f := newRegistry(t, true)
		s := f.putChart("")
		link := strings.Replace(link, "SUBJECT", s.manifest.Digest, 1)
		f.on(only("/referrers/", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Link", link)
			return answer(w, 200, mediaTypeIndex, `{"schemaVersion":2,"manifests":[]}`)
		}))
		listing, err := f.chart("1.2.3").Evidence(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, listing.Problem, chartsign.ReasonListingIncomplete)
		for _, asked := range f.requests() {
			if strings.Contains(asked, "secret") {
				t.Errorf("%s was followed", link)
			}
		}
	}
	if asked := rogue.requests(); len(asked) != 0 {
		t.Errorf("the rogue host was asked %q", asked)
	}
}

// A throttled registry is not asked a thousand times more.
func TestThrottledIsLeftAlone(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("")
	for i := range 60 {
		f.putReferrer(s, chartsign.MediaTypeBundle, fmt.Sprint("bundle ", i))
	}
	f.on(func(w http.ResponseWriter, r *http.Request) bool {
		return strings.Contains(r.URL.Path, "/manifests/sha256:") && status(429)(w, r)
	})
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil || len(listing.Evidence) != 60 {
		t.Fatalf("got %d pieces of evidence and %v, want 60 that are unreadable", len(listing.Evidence), err)
	}
	wantCode(t, listing.Problem, chartsign.ReasonListingIncomplete)
	if got := len(f.requests()); got > 40 {
		t.Errorf("got %d requests, want the rest not made", got)
	}
}
