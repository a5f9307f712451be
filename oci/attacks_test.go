// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

const (
	digestA  = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB  = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	digestC  = "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
	theHelm  = `"config":{"mediaType":"` + MediaTypeConfig + `","digest":"` + digestA + `","size":10}`
	theChart = `{"mediaType":"` + MediaTypeChart + `","digest":"` + digestB + `","size":20}`
	theProv  = `{"mediaType":"` + chartsign.MediaTypeProvenance + `","digest":"` + digestC + `","size":30}`
)

// manifestCases are read by the fuzz target, too.
func manifestCases() []struct {
	name, header, body string
	want               chartsign.ReasonCode // empty: accepted
} {
	image := func(rest string) string { return `{"schemaVersion":2,` + rest + `}` }
	layers := func(all ...string) string { return `"layers":[` + strings.Join(all, ",") + `]` }
	sha512 := `{"mediaType":"` + MediaTypeChart + `","digest":"sha512:` + strings.Repeat("a", 128) + `","size":20}`
	sized := func(size string) string {
		return `{"mediaType":"` + MediaTypeChart + `","digest":"` + digestB + `","size":` + size + `}`
	}
	const notAChart, invalid = chartsign.ReasonNotAChart, chartsign.ReasonInvalidResponse
	return []struct {
		name, header, body string
		want               chartsign.ReasonCode
	}{
		{"as Helm writes it", mediaTypeManifest, image(theHelm + "," + layers(theChart)), ""},
		{".prov first", mediaTypeManifest, image(theHelm + "," + layers(theProv, theChart)), ""},
		{"legacy chart layer", mediaTypeManifest, image(theHelm + "," + layers(strings.Replace(theChart, MediaTypeChart, MediaTypeChartLegacy, 1))), ""},
		{"media type in the body", mediaTypeManifest + "; charset=utf-8", image(`"mediaType":"` + mediaTypeManifest + `",` + theHelm + "," + layers(theChart)), ""},
		{"annotations are free", mediaTypeManifest, image(`"annotations":{"Size":"1","size":"2"},` + theHelm + "," + layers(theChart)), ""},
		{"an index, of which helm 4 takes the last chart", mediaTypeIndex, image(`"mediaType":"` + mediaTypeIndex + `","manifests":[]`), notAChart},
		{"a Docker list", mediaTypeDockerList, image(`"manifests":[]`), notAChart},
		{"a Docker manifest", mediaTypeDockerManifest, image(theHelm + "," + layers(theChart)), notAChart},
		{"two chart layers", mediaTypeManifest, image(theHelm + "," + layers(theChart, theChart)), notAChart},
		{"a new and a legacy chart layer", mediaTypeManifest, image(theHelm + "," + layers(theChart, strings.Replace(theChart, MediaTypeChart, MediaTypeChartLegacy, 1))), notAChart},
		{"two .prov", mediaTypeManifest, image(theHelm + "," + layers(theChart, theProv, theProv)), notAChart},
		{"no chart", mediaTypeManifest, image(theHelm + "," + layers(theProv)), notAChart},
		{"no layers", mediaTypeManifest, image(theHelm), notAChart},
		{"another layer", mediaTypeManifest, image(theHelm + "," + layers(theChart, `{"mediaType":"text/plain","digest":"`+digestC+`","size":1}`)), notAChart},
		{"an image", mediaTypeManifest, image(strings.Replace(theHelm, MediaTypeConfig, "application/vnd.oci.image.config.v1+json", 1) + "," + layers(theChart)), notAChart},
		{"sha512", mediaTypeManifest, image(theHelm + "," + layers(sha512)), notAChart},
		{"upper-case digest", mediaTypeManifest, image(theHelm + "," + layers(strings.Replace(theChart, digestB, strings.ToUpper(digestB), 1))), notAChart},
		{"10 GB (GHSA-f36w-mj3v-6jqv)", mediaTypeManifest, image(theHelm + "," + layers(sized("10000000000"))), chartsign.ReasonChartTooLarge},
		{"negative size", mediaTypeManifest, image(theHelm + "," + layers(sized("-1"))), chartsign.ReasonChartTooLarge},
		{"huge config", mediaTypeManifest, image(strings.Replace(theHelm, `"size":10`, `"size":9999999`, 1) + "," + layers(theChart)), chartsign.ReasonChartTooLarge},
		{"size as text", mediaTypeManifest, image(theHelm + "," + layers(sized(`"20"`))), invalid},
		{"size beyond int64", mediaTypeManifest, image(theHelm + "," + layers(sized(`99999999999999999999`))), invalid},
		{"layers twice", mediaTypeManifest, image(theHelm + "," + layers(theProv) + "," + layers(theChart)), invalid},
		{"digest twice", mediaTypeManifest, image(theHelm + "," + layers(`{"digest":"`+digestC+`",`+theChart[1:])), invalid},
		{"Layers besides layers", mediaTypeManifest, image(theHelm + "," + layers(theChart) + `,"Layers":[]`), invalid},
		{"Kelvin sign and long s", mediaTypeManifest, image(theHelm + "," + layers(theChart) + `,"layer` + "\u017f" + `":[]`), invalid},
		{"both kinds in one (CVE-2021-41190)", mediaTypeManifest, image(theHelm + "," + layers(theChart) + `,"manifests":[]`), invalid},
		{"both kinds in one, as an index", mediaTypeIndex, image(theHelm + "," + layers(theChart) + `,"manifests":[]`), invalid},
		{"an index under the name of a manifest", mediaTypeManifest, image(`"manifests":[]`), invalid},
		{"a manifest under the name of an index", mediaTypeIndex, image(theHelm + "," + layers(theChart)), invalid},
		{"header and body disagree", mediaTypeManifest, image(`"mediaType":"` + mediaTypeDockerManifest + `",` + theHelm + "," + layers(theChart)), invalid},
		{"schemaVersion 1", mediaTypeManifest, `{"schemaVersion":1,` + theHelm + "," + layers(theChart) + `}`, invalid},
		{"trailing data", mediaTypeManifest, image(theHelm+","+layers(theChart)) + "{}", invalid},
		{"trailing brace", mediaTypeManifest, image(theHelm+","+layers(theChart)) + "}", invalid},
		{"deep nesting", mediaTypeManifest, image(`"x":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000)), invalid},
	}
}

func TestManifestStrictness(t *testing.T) {
	for _, test := range manifestCases() {
		t.Run(test.name, func(t *testing.T) {
			found, err := parseContents(test.header, []byte(test.body), limits.ChartCompressed)
			if test.want != "" {
				wantCode(t, err, test.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if found.chart.Digest != digestB || found.config.Digest != digestA {
				t.Errorf("got chart %s and config %s, want %s and %s", found.chart.Digest, found.config.Digest, digestB, digestA)
			}
		})
	}
}

// The whole way over the wire for what the parser refuses.
func TestIndexAsChart(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("")
	list := index{SchemaVersion: 2, MediaType: mediaTypeIndex, Manifests: []json.RawMessage{mustJSON(t, s.manifest)}}
	d := f.putManifest(testRepo, "1.2.3", mediaTypeIndex, list)
	for _, tag := range []string{"1.2.3", "@" + d.Digest} {
		_, err := f.chart(tag).Resolve(t.Context())
		wantCode(t, err, chartsign.ReasonNotAChart)
		_, err = f.chart(tag).Evidence(t.Context())
		wantCode(t, err, chartsign.ReasonNotAChart)
	}
}

func TestManifestIsNotThePinnedOne(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("")
	other := f.putArchive(buildChart(t, "web", "6.6.6"), "6.6.6", "")
	f.on(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/manifests/sha256:") {
			return false
		}
		return answer(w, 200, mediaTypeManifest, string(mustJSON(t, other.content)))
	})
	_, err := f.chart("@" + s.manifest.Digest).Resolve(t.Context())
	wantCode(t, err, chartsign.ReasonContentMismatch)
}

func TestDigestHeaderMustMatch(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("")
	for _, said := range []string{digestA, "sha512:abc", "nonsense"} {
		f.on(only("/manifests/", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Docker-Content-Digest", said)
			return answer(w, 200, mediaTypeManifest, string(mustJSON(t, s.content)))
		}))
		_, err := f.chart("1.2.3").Resolve(t.Context())
		wantCode(t, err, chartsign.ReasonContentMismatch)
	}
	f.on(only("/manifests/", func(w http.ResponseWriter, _ *http.Request) bool {
		return answer(w, 200, mediaTypeManifest, string(mustJSON(t, s.content)))
	}))
	if _, err := f.chart("1.2.3").Resolve(t.Context()); err != nil {
		t.Errorf("got %v, want the header to be optional", err)
	}
}

// Blobs that are not what their descriptors promise: by digest, longer, shorter.
func TestTamperedBlobs(t *testing.T) {
	archive := buildChart(t, "web", "1.2.3")
	tampered := bytes.Clone(archive)
	tampered[len(tampered)-1] ^= 1
	chunked := func(body []byte) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write(body)
			_ = http.NewResponseController(w).Flush()
			return true
		}
	}
	for _, test := range []struct {
		name string
		hook func(http.ResponseWriter, *http.Request) bool
		want chartsign.ReasonCode
	}{
		{"one bit", chunked(tampered), chartsign.ReasonContentMismatch},
		{"another chart", chunked(buildChart(t, "web", "1.2.3", "x", "evil")), chartsign.ReasonContentMismatch},
		{"no archive", chunked(bytes.Repeat([]byte("x"), len(archive))), chartsign.ReasonContentMismatch},
		{"longer", chunked(append(bytes.Clone(archive), "more"...)), chartsign.ReasonContentMismatch},
		{"shorter", chunked(archive[:len(archive)-9]), chartsign.ReasonContentMismatch},
		{"empty", func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(200); return true }, chartsign.ReasonContentMismatch},
		{"another length", func(w http.ResponseWriter, _ *http.Request) bool { return answer(w, 200, "", "short") }, chartsign.ReasonContentMismatch},
		{"cut", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", fmt.Sprint(len(archive)))
			_, _ = w.Write(archive[:20])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, chartsign.ReasonUnavailable},
		{"endless", endless, chartsign.ReasonContentMismatch},
		{"a redirect to nowhere", func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "http://127.0.0.1:1/blob?X-Amz-Signature=s3cr3t", http.StatusTemporaryRedirect)
			return true
		}, chartsign.ReasonUnavailable},
		{"a redirect to a file", func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
			return true
		}, chartsign.ReasonUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newRegistry(t, true)
			s := f.putArchive(archive, "1.2.3", "signed")
			f.on(only(s.chart.Digest, test.hook))
			_, err := f.chart("1.2.3").Archive(t.Context())
			wantCode(t, err, test.want)
			dir := t.TempDir()
			_, err = f.chart("1.2.3").Pull(t.Context(), dir, PullOptions{Prov: true})
			wantCode(t, err, test.want)
			wantEmpty(t, dir)

			if test.name == "cut" {
				return // its length is that of the archive
			}
			f.on(only(s.config.Digest, test.hook))
			_, err = f.chart("1.2.3").Resolve(t.Context())
			wantCode(t, err, test.want)
		})
	}
}

// Content that is no archive from its first byte, and longer than one read: what is wrong
// with it first of all is its digest.
func TestLargeContentThatIsNoArchive(t *testing.T) {
	noise := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	archive := buildChart(t, "web", "1.2.3", "noise", string(noise))
	f := newRegistry(t, true)
	s := f.putArchive(archive, "1.2.3", "")
	f.on(only(s.chart.Digest, func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = w.Write(bytes.Repeat([]byte("x"), len(archive)))
		return true
	}))
	_, err := f.chart("1.2.3").Archive(t.Context())
	wantCode(t, err, chartsign.ReasonContentMismatch)
	f.on(nil)
	if _, err := f.chart("1.2.3").Archive(t.Context()); err != nil {
		t.Error(err)
	}
}

// CVE-2023-46737, CVE-2024-29902: a body that never ends.
func endless(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Set("Content-Type", mediaTypeManifest)
	chunk := bytes.Repeat([]byte(" "), 64<<10)
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			break
		}
	}
	return true
}

func TestEndlessManifest(t *testing.T) {
	f := newRegistry(t, true)
	f.on(endless)
	_, err := f.chart("1.2.3").Resolve(t.Context())
	wantCode(t, err, chartsign.ReasonInvalidResponse)
}

// A connection that stays open and says nothing more holds nobody.
func TestStalledBody(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("")
	f.on(only(s.chart.Digest, func(w http.ResponseWriter, r *http.Request) bool {
		_, _ = w.Write(s.archive[:20])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	}))
	chart := f.chart("1.2.3")
	chart.repository.client.stall = 20 * time.Millisecond
	dir := t.TempDir()
	_, err := chart.Pull(t.Context(), dir, PullOptions{})
	wantCode(t, err, chartsign.ReasonUnavailable)
	wantEmpty(t, dir)
}

// Helm compares neither: the config blob says one chart, the archive holds another.
func TestPullConfigBlobIsNotTheArchive(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("")
	s.content.Config = f.putBlob(testRepo, MediaTypeConfig, []byte(`{"apiVersion":"v2","name":"web","version":"9.9.9"}`))
	f.putManifest(testRepo, "1.2.3", mediaTypeManifest, s.content)
	dir := t.TempDir()
	_, err := f.chart("1.2.3").Pull(t.Context(), dir, PullOptions{})
	wantCode(t, err, chartsign.ReasonContentMismatch)
	wantEmpty(t, dir)
}

// CVE-2026-35206 and CVE-2024-25620: names that are paths.
func TestPullNamesThatArePaths(t *testing.T) {
	f := newRegistry(t, true)
	for _, name := range []string{".", "..", "../evil", "a/b", `a\\b`, ""} {
		s := f.putChart("")
		s.content.Config = f.putBlob(testRepo, MediaTypeConfig, fmt.Appendf(nil, `{"apiVersion":"v2","name":"%s","version":"1.2.3"}`, name))
		f.putManifest(testRepo, "1.2.3", mediaTypeManifest, s.content)
		dir := t.TempDir()
		_, err := f.chart("1.2.3").Pull(t.Context(), dir, PullOptions{})
		wantCode(t, err, chartsign.ReasonNotAChart)
		wantEmpty(t, dir)
	}
}

// CVE-2026-35205: a missing .prov fails open.
func TestPullWithoutTheWantedProv(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("")
	dir := t.TempDir()
	_, err := f.chart("1.2.3").Pull(t.Context(), dir, PullOptions{Prov: true})
	wantCode(t, err, chartsign.ReasonNotFound)
	wantEmpty(t, dir)
}

// Memory does not grow with what the registry sends.
func TestHugeListings(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("")
	entry := f.putReferrer(s, chartsign.MediaTypeBundle, "bundle")
	var million strings.Builder
	million.WriteString(`{"schemaVersion":2,"mediaType":"` + mediaTypeIndex + `","manifests":[`)
	for i := range 1_000_000 {
		if i > 0 {
			million.WriteByte(',')
		}
		fmt.Fprintf(&million, `{"mediaType":"%s","digest":"sha256:%064x","size":1}`, mediaTypeManifest, i)
	}
	million.WriteString("]}")
	for _, path := range []string{"/referrers/", "/manifests/sha256-"} {
		f.on(only(path, func(w http.ResponseWriter, _ *http.Request) bool {
			return answer(w, 200, mediaTypeIndex, million.String())
		}))
		f.requests()
		listing, err := f.chart("1.2.3").Evidence(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, listing.Problem, chartsign.ReasonListingIncomplete)
		if got := len(f.requests()); got > limits.OCIReferrers+10 {
			t.Errorf("got %d requests for 10^6 referrers", got)
		}
	}
	// Many, but within the size of an index: the cap on their number cuts.
	var thousands []string
	for i := range 5000 {
		thousands = append(thousands, fmt.Sprintf(`{"digest":"sha256:%064x"}`, i))
	}
	body := `{"schemaVersion":2,"manifests":[` + strings.Join(thousands, ",") + `]}`
	f.on(only("/referrers/", func(w http.ResponseWriter, _ *http.Request) bool { return answer(w, 200, mediaTypeIndex, body) }))
	f.putFallback(s, entry)
	f.requests()
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, listing.Problem, chartsign.ReasonListingIncomplete)
	if got := len(f.requests()); got > limits.OCIReferrers+10 {
		t.Errorf("got %d requests for 5,000 referrers", got)
	}
}

func TestHugeEvidence(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("")
	config := f.putBlob(testRepo, mediaTypeEmpty, []byte("{}"))
	layer := f.putBlob(testRepo, chartsign.MediaTypeBundle, []byte("bundle"))
	layer.Size = 10_000_000_000
	f.putManifest(testRepo, "", mediaTypeManifest, manifest{SchemaVersion: 2, MediaType: mediaTypeManifest, Config: config, Layers: []descriptor{layer}, Subject: &s.manifest})
	f.requests()
	listing, err := f.chart("1.2.3").Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(listing.Evidence) != 1 {
		t.Fatalf("got %d pieces of evidence, want one that is unreadable", len(listing.Evidence))
	}
	wantCode(t, listing.Evidence[0].Problem(), chartsign.ReasonInvalidResponse)
	for _, asked := range f.requests() {
		if strings.Contains(asked, layer.Digest) {
			t.Error("ten gigabytes were asked for")
		}
	}
}

// Each kind has a cap of its own, far below that of all evidence together.
func TestEvidenceCaps(t *testing.T) {
	for mediaType, limit := range map[string]int64{chartsign.MediaTypeBundle: limits.Bundle, chartsign.MediaTypeProvenance: limits.Provenance} {
		for _, over := range []int64{0, 1} {
			p := newPlan(&contents{manifest: descriptor{digest: chartsign.Digest{1}}})
			p.add(&referrer{subject: chartsign.Digest{1}, manifest: &manifest{Layers: []descriptor{{MediaType: mediaType, Digest: digestA, Size: limit + over}}}})
			if got := p.budget()[0].problem != nil; got != (over > 0) {
				t.Errorf("%s of %d bytes: got a problem %t", mediaType, limit+over, got)
			}
		}
	}
}

// Many bundles of the permitted size: together they have a cap, and small ones come first.
func TestEvidenceBudget(t *testing.T) {
	p := newPlan(&contents{manifest: descriptor{digest: chartsign.Digest{1}}})
	for i := range 20 {
		from := &referrer{candidate: candidate{digest: chartsign.Digest{byte(i)}}, subject: chartsign.Digest{1}}
		size := limits.Bundle
		if i == 19 {
			size = 100
		}
		from.manifest = &manifest{Layers: []descriptor{{MediaType: chartsign.MediaTypeBundle, Digest: fmt.Sprintf("sha256:%064x", i), Size: size}}}
		p.add(from)
	}
	pieces := p.budget()
	var sum int64
	refused := 0
	for _, piece := range pieces {
		if piece.problem != nil {
			refused++
			continue
		}
		sum += piece.layer.Size
	}
	if sum > limits.OCIEvidence || refused == 0 || len(pieces) != 20 {
		t.Errorf("got %d bytes of %d pieces and %d refused, want at most %d bytes", sum, len(pieces), refused, limits.OCIEvidence)
	}
	if pieces[0].layer.Size != 100 || pieces[0].problem != nil {
		t.Error("large attachments crowd out a small one")
	}
}

// The chart's name is taken while it is on its way.
func TestPullThatFailsAtTheEndLeavesNoProv(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("signed")
	dir := t.TempDir()
	taken := filepath.Join(dir, "web-1.2.3.tgz")
	_, err := f.chart("1.2.3").Pull(t.Context(), dir, PullOptions{Prov: true, Progress: func(done, total int64) {
		if done == total {
			if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
				t.Error(err)
			}
		}
	}})
	if !errors.Is(err, limits.ErrExists) {
		t.Fatalf("got %v, want %v", err, limits.ErrExists)
	}
	if err := os.Remove(taken); err != nil {
		t.Fatal(err)
	}
	wantEmpty(t, dir)
}

func TestPullKeepsWhatIsThere(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("signed")
	dir := t.TempDir()
	kept := filepath.Join(dir, "web-1.2.3.tgz.prov")
	if err := os.WriteFile(kept, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.chart("1.2.3").Pull(t.Context(), dir, PullOptions{Prov: true}); !errors.Is(err, limits.ErrExists) {
		t.Fatalf("got %v, want %v", err, limits.ErrExists)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("got %v and %v, want the one file that was there", entries, err)
	}
	paths, err := f.chart("1.2.3").Pull(t.Context(), dir, PullOptions{Prov: true, Replace: true})
	if err != nil || len(paths) != 2 {
		t.Fatal(paths, err)
	}
}
