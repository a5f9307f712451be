// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"encoding/json"
	"testing"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// Whatever is accepted is exactly one chart, to a reader that is not strict as well.
func FuzzManifest(f *testing.F) {
	for _, seed := range manifestCases() {
		f.Add(seed.header, []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		found, err := parseContents(header, body, limits.ChartCompressed)
		if err != nil {
			if !hasCode(err, chartsign.ReasonNotAChart) && !hasCode(err, chartsign.ReasonInvalidResponse) && !hasCode(err, chartsign.ReasonChartTooLarge) {
				t.Fatalf("got %v, want a reason", err)
			}
			return
		}
		var loose struct {
			Config struct {
				MediaType string `json:"mediaType"`
			} `json:"config"`
			Layers    []map[string]any `json:"layers"`
			Manifests any              `json:"manifests"`
		}
		if err := json.Unmarshal(body, &loose); err != nil {
			t.Fatalf("got a chart from what is no JSON: %v", err)
		}
		if loose.Manifests != nil || loose.Config.MediaType != MediaTypeConfig || len(loose.Layers) < 1 || len(loose.Layers) > 2 {
			t.Fatalf("got a chart from %s", body)
		}
		charts := 0
		for _, layer := range loose.Layers {
			if layer["mediaType"] != chartsign.MediaTypeProvenance {
				charts++
				if layer["digest"] != found.chart.Digest {
					t.Fatalf("got chart %s from %s", found.chart.Digest, body)
				}
			}
		}
		if charts != 1 || found.chart.Size < 0 || found.chart.Size > limits.ChartCompressed {
			t.Fatalf("got %d charts of %d bytes from %s", charts, found.chart.Size, body)
		}
	})
}

func FuzzNextLink(f *testing.F) {
	for _, seed := range []string{`</v2/a/referrers/x?n=1>; rel="next"`, "<>", "<a>;rel=next", `<a,b>; x="y", <c>; rel=next`, "<a>,", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		link, err := nextLink([]string{header})
		if err != nil || link == "" {
			return
		}
		first := repository{origin: mustURL("https://r.example/"), name: "a"}.at("referrers", "x")
		next, err := nextPage(first, first, link)
		if err == nil && (!sameOrigin(next, first) || next.Path != first.Path) {
			t.Fatalf("got %s from %q", next, header)
		}
	})
}
