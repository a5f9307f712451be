// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"testing"

	"github.com/chartsign/chartsign"
)

func TestChartFromConfig(t *testing.T) {
	layer := chartsign.DigestOf([]byte("layer"))
	chart, err := chartsign.ChartFromConfig([]byte(`{"name":"demo","version":"1.2.3+b.4","appVersion":"7"}`), layer, 42)
	must(t, err)
	type facts struct {
		name, version, appVersion, file string
		digest                          chartsign.Digest
		size                            int64
		archive                         bool
	}
	got := facts{chart.Name(), chart.Version(), chart.AppVersion(), chart.FileName(), chart.Digest(), chart.Size(), chart.FromArchive()}
	want := facts{"demo", "1.2.3+b.4", "7", "demo-1.2.3+b.4.tgz", layer, 42, false}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := chart.Metadata().APIVersion, "v1"; got != want {
		t.Errorf("got apiVersion %q, want %q as Helm assumes", got, want)
	}
}

// The same chart says the same through both ways.
func TestArchiveAndConfigAgree(t *testing.T) {
	archive, err := readChart(testdata(t, "charts/guestbook-1.4.2.tgz"))
	must(t, err)
	config, err := archive.Metadata().JSON()
	must(t, err)
	chart, err := chartsign.ChartFromConfig(config, archive.Digest(), archive.Size())
	must(t, err)
	if !chart.Metadata().Equal(archive.Metadata()) {
		t.Error("got metadata that differs, want equal")
	}
	if got, want := archive.FileName(), "guestbook-1.4.2.tgz"; got != want {
		t.Errorf("got file name %q, want %q", got, want)
	}
}

func FuzzReadChart(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("<!DOCTYPE html>"))
	f.Add(tgzOf(f))
	f.Add(tgzOf(f, file("demo/requirements.yaml", "dependencies: []\n"), folder("demo/templates/")))
	f.Add(tgzOf(f, special("demo/a", '2', "../b")))
	f.Add(gzipped(f, append(tarOf(f), paxSparse()...)))
	f.Add(append(tgzOf(f), tgzOf(f)...))
	f.Add(testdata(f, "charts/guestbook-1.4.2.tgz"))
	f.Add(tarOf(f)) // not compressed: the property below compresses what it gets as well
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, archive := range [][]byte{data, gzipped(t, data)} {
			chart, err := readChart(archive)
			if err != nil {
				wantRefusal(t, err)
				continue
			}
			if got, want := chart.Digest(), chartsign.DigestOf(archive); got != want {
				t.Errorf("got digest %s, want %s of all bytes", got, want)
			}
			if got, want := chart.Size(), int64(len(archive)); got != want {
				t.Errorf("got size %d, want %d", got, want)
			}
			if chart.Name() == "" || chart.Version() == "" {
				t.Errorf("got name %q and version %q, want both", chart.Name(), chart.Version())
			}
		}
	})
}

func wantRefusal(t *testing.T, err error) {
	t.Helper()
	reason, ok := err.(*chartsign.Reason) //nolint:errorlint // ReadChart promises the type itself
	if !ok || (reason.Code != chartsign.ReasonNotAChart && reason.Code != chartsign.ReasonChartTooLarge) {
		t.Errorf("got %v, want a reason about the chart", err)
	}
}

func FuzzParseMetadata(f *testing.F) {
	f.Add([]byte(demoYAML))
	f.Add([]byte("\ufeff---\n" + demoYAML + "...\n"))
	f.Add([]byte(demoYAML + "x: &a [1]\ny: *a\n<<: {type: library}\n"))
	f.Add([]byte(demoYAML + "dependencies: [{name: a, repository: b, import-values: [1e99, 9007199254740993, {a: ~}]}]\n"))
	f.Add([]byte(`{"name":"a","version":"1.0.0"}`))
	for _, name := range vectors(f, ".yaml") {
		f.Add(testdata(f, "metadata/"+name+".yaml"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := chartsign.ParseMetadata(data)
		if err != nil {
			return
		}
		asYAML, err := m.YAML()
		must(t, err)
		again, err := chartsign.ParseMetadata(asYAML)
		if err != nil || !m.Equal(again) {
			t.Fatalf("its own YAML reads differently: %v\n%s", err, asYAML)
		}
		asJSON, err := m.JSON()
		must(t, err)
		again, err = chartsign.ParseMetadataJSON(asJSON)
		if err != nil || !m.Equal(again) {
			t.Fatalf("its own JSON reads differently: %v\n%s", err, asJSON)
		}
	})
}
