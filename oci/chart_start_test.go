// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"testing"

	"github.com/chartsign/chartsign"
)

// What Start has begun is not begun again, and what went wrong is not hidden.
func TestStart(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("layer")
	chart := f.chart("1.2.3").Prefetch()
	chart.Start(t.Context())
	if _, err := chart.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if listing, err := chart.Evidence(t.Context()); err != nil || listing.Problem != nil || len(listing.Evidence) != 1 {
		t.Errorf("got %d pieces of evidence, %v, %v: want the .prov layer", len(listing.Evidence), listing.Problem, err)
	}
	asked := make(map[string]bool)
	for _, request := range f.requests() {
		if asked[request] {
			t.Errorf("%s was asked twice", request)
		}
		asked[request] = true
	}
	missing := f.chart("9.9.9")
	missing.Start(t.Context())
	_, err := missing.Resolve(t.Context())
	wantCode(t, err, chartsign.ReasonNotFound)
}
