// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
)

func bundle(data string) AttachRequest {
	return AttachRequest{Data: []byte(data), MediaType: chartsign.MediaTypeBundle, Annotations: map[string]string{
		"dev.sigstore.bundle.content": "dsse-envelope", annotationPredicateType: "https://sigstore.dev/cosign/sign/v1",
	}}
}

// quick lets an index settle in no time: for tests with one writer.
func quick(c *Chart) *Chart {
	c.repository.client.settle = 3 * time.Millisecond
	return c
}

// processesSubject is what registries with the Referrers API answer to a push.
func processesSubject(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/sha256:") {
		w.Header().Set("OCI-Subject", "processed")
	}
	return false
}

func TestAttach(t *testing.T) {
	for _, test := range []struct {
		name string
		api  bool
		hook func(http.ResponseWriter, *http.Request) bool
		want Via
	}{
		{"Referrers API", true, processesSubject, ViaReferrersAPI},
		{"no Referrers API", false, nil, ViaFallbackTag},
		{"a registry that does not say OCI-Subject", true, nil, ViaFallbackTag},
		{"a registry that says so and does not list it", false, processesSubject, ViaFallbackTag},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newRegistry(t, test.api)
			f.putChart("layer")
			f.on(test.hook)
			for _, req := range []AttachRequest{bundle("bundle"), {Data: []byte("prov"), MediaType: chartsign.MediaTypeProvenance}} {
				first, err := quick(f.chart("1.2.3")).Attach(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if first.Via != test.want || first.Existed {
					t.Errorf("got %+v, want %s", first, test.want)
				}
				f.requests()
				again, err := quick(f.chart("1.2.3")).Attach(t.Context(), req)
				if err != nil || !again.Existed || again.Digest != first.Digest {
					t.Errorf("got %+v and %v, want %s once", again, err, first.Digest)
				}
				for _, asked := range f.requests() {
					if !strings.HasPrefix(asked, "GET ") {
						t.Errorf("%s: the same evidence was written twice", asked)
					}
				}
			}
			listing, err := f.chart("1.2.3").Evidence(t.Context())
			if err != nil || listing.Problem != nil || len(listing.Evidence) != 3 {
				t.Errorf("got %q, %v and %v, want the layer and both", texts(listing.Evidence), listing.Problem, err)
			}
		})
	}
}

// The manifest as cosign v3 writes it.
func TestAttachWritesWhatCosignWrites(t *testing.T) {
	f := newRegistry(t, false)
	s := f.putChart("")
	chart := quick(f.chart("1.2.3", func(o *Options) { o.Now = func() time.Time { return noon } }))
	attached, err := chart.Attach(t.Context(), bundle("bundle"))
	if err != nil {
		t.Fatal(err)
	}
	got := f.direct(http.MethodGet, "/v2/charts/web/manifests/"+attached.Digest.String(), "", nil).Body.String()
	want := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",` +
		`"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json",` +
		`"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},` +
		`"layers":[{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","digest":"` + chartsign.DigestOf([]byte("bundle")).String() + `","size":6}],` +
		`"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"` + s.manifest.Digest + `","size":` + fmt.Sprint(s.manifest.Size) + `},` +
		`"annotations":{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1",` +
		`"org.opencontainers.image.created":"2026-11-20T11:00:00Z"}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
}

func TestAttachOfTheProvLayer(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("layer")
	got, err := f.chart("1.2.3").Attach(t.Context(), AttachRequest{Data: []byte("layer"), MediaType: chartsign.MediaTypeProvenance})
	if err != nil || !got.Existed || got.Via != ViaLayer || got.Digest != s.prov.digest {
		t.Errorf("got %+v and %v, want the layer that is there", got, err)
	}
}

func TestAttachRefusals(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("")
	for _, req := range []AttachRequest{
		{},
		{Data: []byte("x"), MediaType: "text/plain"},
		{MediaType: chartsign.MediaTypeBundle},
		{Data: make([]byte, 3<<20), MediaType: chartsign.MediaTypeProvenance},
	} {
		if _, err := f.chart("1.2.3").Attach(t.Context(), req); err == nil {
			t.Errorf("%d bytes of %q: got no error", len(req.Data), req.MediaType)
		}
	}
}

// Everything in the index that others wrote stays, known or not.
func TestAttachKeepsForeignEntries(t *testing.T) {
	f := newRegistry(t, false)
	s := f.putChart("")
	other := f.putReferrer(s, "application/spdx+json", "an SBOM")
	f.putManifest(testRepo, referrersTag(s.manifest.digest), mediaTypeIndex, fmt.Appendf(nil,
		`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%d,"x-unknown":[1]}],"annotations":{"a":"b"}}`,
		mediaTypeIndex, mediaTypeManifest, other.Digest, other.Size))
	if _, err := quick(f.chart("1.2.3")).Attach(t.Context(), bundle("bundle")); err != nil {
		t.Fatal(err)
	}
	got := f.direct(http.MethodGet, "/v2/charts/web/manifests/"+referrersTag(s.manifest.digest), "", nil).Body.String()
	for _, want := range []string{`"x-unknown":[1]`, `"annotations":{"a":"b"}`, other.Digest, "cosign/sign/v1"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %s in it", got, want)
		}
	}
}

// An index that could not be read must not be replaced.
func TestAttachDoesNotReplaceWhatItCannotRead(t *testing.T) {
	for _, code := range []int{401, 429, 500} {
		f := newRegistry(t, false)
		f.putChart("")
		f.on(only("/manifests/sha256-", func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPut {
				t.Error("the index was replaced")
			}
			return status(code)(w, r)
		}))
		_, err := quick(f.chart("1.2.3")).Attach(t.Context(), bundle("bundle"))
		wantCode(t, err, codeOfStatus(code))
	}
	f := newRegistry(t, false)
	s := f.putChart("")
	f.putManifest(testRepo, referrersTag(s.manifest.digest), mediaTypeManifest, s.content)
	_, err := quick(f.chart("1.2.3")).Attach(t.Context(), bundle("bundle"))
	wantCode(t, err, chartsign.ReasonInvalidResponse)
}

// A registry that says 201 and stores nothing, or something else.
func TestAttachIsReadBack(t *testing.T) {
	for _, part := range []string{"/manifests/sha256:", "/blobs/"} {
		f := newRegistry(t, true)
		f.putChart("")
		f.on(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, part) {
				return false
			}
			return status(201)(w, r)
		})
		_, err := quick(f.chart("1.2.3")).Attach(t.Context(), bundle("bundle"))
		wantCode(t, err, chartsign.ReasonNotFound)
	}
}

func TestAttachGivesUp(t *testing.T) {
	f := newRegistry(t, false)
	f.putChart("")
	f.on(only("/manifests/sha256-", func(w http.ResponseWriter, r *http.Request) bool {
		return r.Method == http.MethodPut && status(201)(w, r) // and forgets it
	}))
	_, err := quick(f.chart("1.2.3")).Attach(t.Context(), bundle("bundle"))
	wantCode(t, err, chartsign.ReasonUnavailable)
}

// A writer that read the index before ours was in it, and writes it long after: reading
// back once would have been too early.
func TestSlowWriterDoesNotEraseUs(t *testing.T) {
	f := newRegistry(t, false)
	f.putChart("")
	var slow atomic.Bool
	held := make(chan struct{})
	f.on(only("/manifests/sha256-", func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && slow.CompareAndSwap(false, true) {
			close(held)
			time.Sleep(400 * time.Millisecond)
		}
		return false
	}))
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := f.chart("1.2.3").Attach(t.Context(), bundle("slow")); err != nil {
			t.Error(err)
		}
	})
	<-held
	if _, err := f.chart("1.2.3").Attach(t.Context(), bundle("quick")); err != nil {
		t.Error(err)
	}
	group.Wait()
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil || len(listing.Evidence) != 2 {
		t.Errorf("got %q and %v, want both", texts(listing.Evidence), err)
	}
}

// Eight writers at once on a registry without compare-and-swap, whose tag updates are slow
// and uneven: nothing may be lost.
func TestConcurrentAttachLosesNothing(t *testing.T) {
	f := newRegistry(t, false)
	f.putChart("")
	var mu sync.Mutex
	n := 0
	f.on(only("/manifests/sha256-", func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			mu.Lock()
			n++
			slow := time.Duration(n%5) * 20 * time.Millisecond
			mu.Unlock()
			time.Sleep(slow)
		}
		return false
	}))
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			// Each is a process of its own.
			if _, err := f.chart("1.2.3").Attach(t.Context(), bundle(fmt.Sprint("bundle ", i))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	f.on(nil)
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil || listing.Problem != nil {
		t.Fatal(err, listing.Problem)
	}
	if got := len(listing.Evidence); got != 8 {
		t.Errorf("got %d of 8 bundles: %q", got, texts(listing.Evidence))
	}
}
