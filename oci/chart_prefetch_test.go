// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
)

// The config blob is answered only after the referrers were asked for: without the overlap
// that never happens.
func TestPrefetchOverlapsConfigAndEvidence(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("layer")
	f.putReferrer(s, chartsign.MediaTypeBundle, "bundle")
	listed := make(chan struct{})
	f.on(func(_ http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.Contains(r.URL.Path, "/referrers/"):
			close(listed)
		case strings.HasSuffix(r.URL.Path, s.config.Digest):
			select {
			case <-listed:
			case <-time.After(10 * time.Second):
				t.Error("the config blob was asked for and nothing beside it")
			}
		}
		return false
	})
	chart := f.chart("1.2.3").Prefetch()
	if _, err := chart.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	listing, err := chart.Evidence(t.Context())
	if err != nil || listing.Problem != nil {
		t.Fatal(err, listing.Problem)
	}
	if diff := cmp.Diff([]string{"bundle referrer bundle", "provenance layer layer"}, texts(listing.Evidence)); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	asked := map[string]int{}
	for _, request := range f.requests() {
		asked[request]++
	}
	for request, times := range asked {
		if times > 1 {
			t.Errorf("%s was asked %d times, want once", request, times)
		}
	}
}

// A listing that was begun and not awaited is a problem, never 'none'.
func TestPrefetchThatIsNotAwaitedIsIncomplete(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("")
	release := make(chan struct{})
	defer close(release)
	f.on(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/referrers/") {
			<-release
		}
		return false
	})
	chart := f.chart("1.2.3").Prefetch()
	if _, err := chart.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	listing, err := chart.Evidence(ended)
	if err != nil || listing.Problem == nil {
		t.Errorf("got %v and the problem %v, want a listing with a problem", err, listing.Problem)
	}
}
