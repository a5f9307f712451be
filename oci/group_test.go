// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chartsign/chartsign"
)

func TestEachCallsEveryIndexOnce(t *testing.T) {
	for _, n := range []int{0, 1, 3, 100} {
		calls := make([]atomic.Int32, n)
		each(n, func(i int) { calls[i].Add(1) })
		for i := range calls {
			if got := calls[i].Load(); got != 1 {
				t.Errorf("%d of %d: got %d calls, want 1", i, n, got)
			}
		}
	}
}

// gitsign CVE-2026-44310: a panic must reach somebody who fails closed.
func TestPanicReachesWhoeverWaits(t *testing.T) {
	defer func() {
		if cause := recover(); cause != "broken" {
			t.Errorf("got the panic %v, want broken", cause)
		}
	}()
	each(5, func(i int) {
		if i == 3 {
			panic("broken")
		}
	})
	t.Error("each returned")
}

// panicking is a transport with a bug that only evidence runs into.
type panicking struct{ http.RoundTripper }

func (p panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/referrers/") {
		panic("broken")
	}
	return p.RoundTripper.RoundTrip(r)
}

func TestPanicWhileFetchingAheadIsIncomplete(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("")
	client := f.client()
	client.auth.Client.Transport = panicking{client.auth.Client.Transport}
	chart := client.Chart(f.ref(testRepo, "1.2.3")).Prefetch()
	if _, err := chart.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	listing, err := chart.Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, listing.Problem, chartsign.ReasonListingIncomplete)
}
