// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
)

const demoYAML = "apiVersion: v2\nname: demo\nversion: 1.2.3\n"

// entry is one entry of an archive; the zero Typeflag means a regular file of mode 0644.
type entry struct {
	tar.Header
	Body string
}

func file(name, body string) entry { return entry{Header: tar.Header{Name: name}, Body: body} }

func folder(name string) entry {
	return entry{Header: tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755}}
}

func special(name string, flag byte, target string) entry {
	return entry{Header: tar.Header{Name: name, Typeflag: flag, Linkname: target, Mode: 0o644}}
}

// tarOf returns an archive of a demo chart's Chart.yaml and entries.
func tarOf(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	return tarExactly(tb, append([]entry{file("demo/Chart.yaml", demoYAML)}, entries...)...)
}

func tarExactly(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for _, e := range entries {
		header := e.Header
		if header.Typeflag == 0 {
			header.Typeflag = tar.TypeReg
		}
		if header.Mode == 0 && header.Typeflag != tar.TypeXGlobalHeader {
			header.Mode = 0o644
		}
		if header.Typeflag == tar.TypeReg {
			header.Size = int64(len(e.Body))
		}
		must(tb, w.WriteHeader(&header))
		_, err := io.WriteString(w, e.Body)
		must(tb, err)
	}
	must(tb, w.Close())
	return buffer.Bytes()
}

func gzipped(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var buffer bytes.Buffer
	w, err := gzip.NewWriterLevel(&buffer, gzip.BestSpeed)
	must(tb, err)
	_, err = w.Write(data)
	must(tb, err)
	must(tb, w.Close())
	return buffer.Bytes()
}

func tgzOf(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	return gzipped(tb, tarOf(tb, entries...))
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func testdata(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile("testdata/" + name)
	must(tb, err)
	return data
}

func readChart(data []byte) (*chartsign.Chart, error) {
	return chartsign.ReadChart(bytes.NewReader(data), chartsign.ReadOptions{})
}

// wantReason fails unless err is a *Reason of the given code whose text contains part.
func wantReason(t *testing.T, err error, code chartsign.ReasonCode, part string) {
	t.Helper()
	var reason *chartsign.Reason
	if !errors.As(err, &reason) {
		t.Fatalf("got error %v, want a *Reason with code %s", err, code)
	}
	if reason.Code != code {
		t.Errorf("got code %s (%v), want %s", reason.Code, err, code)
	}
	if !strings.Contains(err.Error(), part) {
		t.Errorf("got %q, want a text with %q", err, part)
	}
}

func TestReadChart(t *testing.T) {
	bom := "\ufeff" + demoYAML
	requirements := file("demo/requirements.yaml", "dependencies: [{name: db, version: 1.x, repository: 'https://charts.example.com'}]\n")
	comment := entry{Header: tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "c0ffee"}}}
	v1 := strings.Replace(demoYAML, "v2", "v1", 1)
	tests := map[string]struct {
		data []byte
		want string // name version appVersion dependencies
	}{
		"helm package":         {testdata(t, "charts/guestbook-1.4.2.tgz"), "guestbook 1.4.2 3.10 cache"},
		"helm package, build":  {testdata(t, "charts/guestbook-1.5.0-rc.1+build.7.tgz"), "guestbook 1.5.0-rc.1+build.7 3.11-rc.1 cache"},
		"helm 3 package":       {testdata(t, "provenance/honest/helm3/guestbook-1.4.2.tgz"), "guestbook 1.4.2 3.10 cache"},
		"minimal":              {tgzOf(t), "demo 1.2.3  "},
		"Chart.yaml last":      {gzipped(t, tarExactly(t, file("demo/values.yaml", "a: b"), file("demo/Chart.yaml", demoYAML))), "demo 1.2.3  "},
		"folders":              {gzipped(t, tarExactly(t, folder("demo/"), file("demo/Chart.yaml", demoYAML), folder("demo/templates/"))), "demo 1.2.3  "},
		"git archive":          {gzipped(t, tarExactly(t, comment, folder("demo/"), file("demo/Chart.yaml", demoYAML))), "demo 1.2.3  "},
		"byte order mark":      {gzipped(t, tarExactly(t, file("demo/Chart.yaml", bom))), "demo 1.2.3  "},
		"root of another name": {gzipped(t, tarExactly(t, file("demo-main/Chart.yaml", demoYAML))), "demo 1.2.3  "},
		"requirements.yaml":    {gzipped(t, tarExactly(t, requirements, file("demo/Chart.yaml", v1))), "demo 1.2.3  db"},
		"empty requirements":   {tgzOf(t, file("demo/requirements.yaml", "# none\n")), "demo 1.2.3  "},
		"unquoted appVersion":  {gzipped(t, tarExactly(t, file("demo/Chart.yaml", demoYAML+"appVersion: 1.10\n"))), "demo 1.2.3 1.1 "},
		"subchart":             {tgzOf(t, file("demo/charts/sub/Chart.yaml", "name: sub\nversion: 9.9.9\n"), file("demo/charts/x.tgz", "\x1f\x8b")), "demo 1.2.3  "},
		"name of PAX length":   {tgzOf(t, file("demo/"+strings.Repeat("d/", 400)+"x.txt", "x")), "demo 1.2.3  "},
		"mode with file type":  {tgzOf(t, entry{Header: tar.Header{Name: "demo/a", Mode: 0o100644}}), "demo 1.2.3  "},
		"dots in names":        {tgzOf(t, file("demo/..data", ""), file("demo/.helmignore", ""), file("demo/a..b", "")), "demo 1.2.3  "},
		"zeros after the end":  {gzipped(t, append(tarOf(t), make([]byte, 20<<10)...)), "demo 1.2.3  "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			chart, err := readChart(tt.data)
			must(t, err)
			var deps []string
			for _, dep := range chart.Metadata().Dependencies {
				deps = append(deps, dep.Name)
			}
			got := strings.Join([]string{chart.Name(), chart.Version(), chart.AppVersion(), strings.Join(deps, ",")}, " ")
			if got != tt.want {
				t.Errorf("got chart %q, want %q", got, tt.want)
			}
			if got, want := chart.Digest(), chartsign.DigestOf(tt.data); got != want {
				t.Errorf("got digest %s, want %s", got, want)
			}
			if got, want := chart.Size(), int64(len(tt.data)); got != want {
				t.Errorf("got size %d, want %d", got, want)
			}
			if !chart.FromArchive() {
				t.Error("got FromArchive false, want true")
			}
		})
	}
}

// What is read must not depend on how the bytes arrive.
func TestReadChartInSmallReads(t *testing.T) {
	data := testdata(t, "charts/guestbook-1.4.2.tgz")
	want, err := readChart(data)
	must(t, err)
	got, err := chartsign.ReadChart(iotest.DataErrReader(iotest.OneByteReader(bytes.NewReader(data))), chartsign.ReadOptions{})
	must(t, err)
	if got.Digest() != want.Digest() {
		t.Errorf("got digest %s, want %s", got.Digest(), want.Digest())
	}
	if diff := cmp.Diff(want.Metadata(), got.Metadata()); diff != "" {
		t.Errorf("metadata differs (-want +got):\n%s", diff)
	}
}

// A network that breaks is no malformed chart: wherever it happens, the caller gets the
// error of the reader itself and no Reason, which would be a final verdict.
func TestReadChartPassesReaderErrors(t *testing.T) {
	data := testdata(t, "charts/guestbook-1.4.2.tgz")
	broken := errors.New("connection reset by peer")
	for _, readErr := range []error{broken, io.ErrUnexpectedEOF} {
		for cut := 0; cut <= len(data); cut += 97 {
			r := io.MultiReader(bytes.NewReader(data[:cut]), iotest.ErrReader(readErr))
			_, err := chartsign.ReadChart(r, chartsign.ReadOptions{})
			var reason *chartsign.Reason
			if !errors.Is(err, readErr) || errors.As(err, &reason) {
				t.Fatalf("after %d bytes: got %v, want %v as it is", cut, err, readErr)
			}
		}
	}
	complete := io.MultiReader(bytes.NewReader(data), iotest.ErrReader(broken))
	if _, err := chartsign.ReadChart(complete, chartsign.ReadOptions{}); !errors.Is(err, broken) {
		t.Errorf("after the whole archive: got %v, want %v", err, broken)
	}
}
