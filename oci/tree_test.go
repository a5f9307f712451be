// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"net/http"
	"testing"

	"github.com/chartsign/chartsign"
)

func TestTree(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("layer")
	f.on(processesSubject)
	if _, err := f.chart("1.2.3").Attach(t.Context(), bundle("bundle")); err != nil {
		t.Fatal(err)
	}
	f.putReferrer(s, "application/spdx+json", "an SBOM")
	legacy := f.putReferrer(s, "application/vnd.dev.cosign.simplesigning.v1+json", "old")
	body := f.direct(http.MethodGet, "/v2/charts/web/manifests/"+legacy.Digest, "", nil).Body.Bytes()
	f.putManifest(testRepo, referrersTag(s.manifest.digest)+".sig", mediaTypeManifest, body)
	other := f.putArchive(buildChart(t, "web", "6.6.6"), "6.6.6", "")
	f.putFallback(s, f.putReferrer(other, chartsign.MediaTypeBundle, "foreign"))

	tree, err := f.chart("1.2.3").Tree(t.Context())
	if err != nil || tree.Problem != nil {
		t.Fatal(err, tree.Problem)
	}
	if tree.Manifest.Digest != s.manifest.digest || tree.Config.Digest != s.config.digest || len(tree.Layers) != 2 {
		t.Errorf("got %+v, %+v and %d layers", tree.Manifest, tree.Config, len(tree.Layers))
	}
	for i, want := range []descriptor{s.chart, s.prov} {
		if got := tree.Layers[i]; got != node(want) || got.Digest.IsZero() {
			t.Errorf("layer %d: got %+v, want %+v", i, got, node(want))
		}
	}
	if len(tree.Legacy) != 1 || tree.Legacy[0].Digest != legacy.digest {
		t.Errorf("got legacy tags %+v, want one", tree.Legacy)
	}
	got := make(map[string]Referrer)
	for _, ref := range tree.Referrers {
		got[string(ref.Source)+" "+ref.ArtifactType] = ref
		if ref.Size == 0 || ref.MediaType != mediaTypeManifest {
			t.Errorf("got %+v, want size and media type of the manifest", ref)
		}
	}
	if len(got) != 4 {
		t.Fatalf("got %d referrers, want 4: %v", len(got), got)
	}
	if ref := got["referrer "+chartsign.MediaTypeBundle]; ref.PredicateType != "https://sigstore.dev/cosign/sign/v1" || ref.Problem != nil {
		t.Errorf("got %+v, want the bundle", ref)
	}
	wantCode(t, got["fallback-tag "+chartsign.MediaTypeBundle].Problem, chartsign.ReasonContentMismatch)
}

func TestTreeThatIsNotComplete(t *testing.T) {
	for _, part := range []string{"/referrers/", "/manifests/sha256-"} {
		f := newRegistry(t, true)
		f.putChart("")
		f.on(only(part, status(429)))
		tree, err := f.chart("1.2.3").Tree(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, tree.Problem, chartsign.ReasonListingIncomplete)
	}
}
