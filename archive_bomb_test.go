// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// archiveStream writes an archive while it is read, so that the test itself holds none.
func archiveStream(level int, write func(*tar.Writer) error) *io.PipeReader {
	r, w := io.Pipe()
	go func() {
		zip, err := gzip.NewWriterLevel(w, level)
		if err == nil {
			archive := tar.NewWriter(zip)
			err = write(archive)
			if err == nil {
				err = archive.Close()
			}
			if err == nil {
				err = zip.Close()
			}
		}
		_ = w.CloseWithError(err)
	}()
	return r
}

func writeFile(w *tar.Writer, name string, size int64, content io.Reader) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: size}); err != nil {
		return err
	}
	_, err := io.CopyN(w, content, size)
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestReadChartBombs(t *testing.T) {
	chartYAML := func(w *tar.Writer) error {
		return writeFile(w, "demo/Chart.yaml", int64(len(demoYAML)), strings.NewReader(demoYAML))
	}
	tests := map[string]struct {
		level int
		limit int64
		write func(*tar.Writer) error
	}{
		"one large file": {gzip.BestSpeed, 0, func(w *tar.Writer) error {
			return writeFile(w, "demo/bomb", limits.ChartUnpacked+1, zeros{})
		}},
		"many files that add up": {gzip.BestSpeed, 8 << 20, func(w *tar.Writer) error {
			for i := range 9 {
				if err := writeFile(w, fmt.Sprintf("demo/bomb%d", i), 1<<20, zeros{}); err != nil {
					return err
				}
			}
			return nil
		}},
		"many entries": {gzip.BestSpeed, 0, func(w *tar.Writer) error {
			for i := range limits.ChartEntries + 1 {
				if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("demo/%d", i), Typeflag: tar.TypeReg}); err != nil {
					return err
				}
			}
			return nil
		}},
		"long names": {gzip.BestSpeed, 0, func(w *tar.Writer) error {
			for i := range limits.ChartNames/4000 + 1 {
				if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("demo/%04000d", i), Typeflag: tar.TypeReg}); err != nil {
					return err
				}
			}
			return nil
		}},
		"large Chart.yaml": {gzip.BestSpeed, 0, func(w *tar.Writer) error {
			return writeFile(w, "demo/Chart.yaml", limits.ChartYAML+1, zeros{})
		}},
		"large requirements.yaml": {gzip.BestSpeed, 0, func(w *tar.Writer) error {
			return writeFile(w, "demo/requirements.yaml", limits.ChartYAML+1, zeros{})
		}},
		"endless zeros after the end": {gzip.BestSpeed, 1 << 20, func(w *tar.Writer) error {
			if err := chartYAML(w); err != nil {
				return err
			}
			return writeFile(w, "demo/a", 1<<40, zeros{})
		}},
		"endless compressed": {gzip.NoCompression, 1 << 20, func(w *tar.Writer) error {
			return writeFile(w, "demo/a", 1<<40, zeros{})
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stream := archiveStream(tt.level, tt.write)
			defer func() { _ = stream.Close() }()
			_, err := chartsign.ReadChart(stream, chartsign.ReadOptions{MaxUnpacked: tt.limit})
			wantReason(t, err, chartsign.ReasonChartTooLarge, limits.ErrTooLarge.Error())
		})
	}
}

// A gzip stream that never ends, without any tar entry to count.
func TestReadChartEndlessStreams(t *testing.T) {
	t.Run("compressed zeros", func(t *testing.T) {
		r, w := io.Pipe()
		defer func() { _ = r.Close() }()
		go func() {
			zip, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
			_, err := zip.Write(tarOf(t))
			if err == nil {
				_, err = io.Copy(zip, zeros{})
			}
			_ = w.CloseWithError(err)
		}()
		_, err := chartsign.ReadChart(r, chartsign.ReadOptions{MaxUnpacked: 4 << 20})
		wantReason(t, err, chartsign.ReasonChartTooLarge, "too large")
	})
	t.Run("empty deflate blocks", func(t *testing.T) {
		// Stored blocks of length 0 decompress to nothing for ever: only the cap on the compressed bytes ends them.
		header := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}
		blocks := io.MultiReader(bytes.NewReader(header), &repeated{block: bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, 10_000)})
		_, err := chartsign.ReadChart(blocks, chartsign.ReadOptions{MaxUnpacked: 1 << 20})
		wantReason(t, err, chartsign.ReasonChartTooLarge, "too large")
	})
}

type repeated struct {
	block []byte
	at    int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.block[r.at:])
	r.at = (r.at + n) % len(r.block)
	return n, nil
}

// The size that a header declares counts before anything is read.
func TestReadChartHugeDeclaredSize(t *testing.T) {
	octal := rawHeader("demo/bomb", '0', 1<<33-1)
	binary := rawHeader("demo/bomb", '0', 0)
	copy(binary[124:136], "\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff")
	negative := rawHeader("demo/bomb", '0', 0)
	copy(negative[124:136], bytes.Repeat([]byte{0xff}, 12))
	for name, tt := range map[string]struct {
		header []byte
		code   chartsign.ReasonCode
	}{
		"octal":    {octal, chartsign.ReasonChartTooLarge},
		"binary":   {fixChecksum(binary), chartsign.ReasonChartTooLarge},
		"negative": {fixChecksum(negative), chartsign.ReasonNotAChart},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readChart(gzipped(t, tt.header))
			wantReason(t, err, tt.code, "")
		})
	}
}

func TestReadChartRaisedCap(t *testing.T) {
	data := tgzOf(t, file("demo/a", strings.Repeat("a", 2<<20)))
	for _, tt := range []struct {
		limit int64
		ok    bool
	}{{1 << 20, false}, {2 << 20, false}, {3 << 20, true}, {0, true}, {-1, true}, {math.MaxInt64, true}} {
		_, err := chartsign.ReadChart(bytes.NewReader(data), chartsign.ReadOptions{MaxUnpacked: tt.limit})
		if got := err == nil; got != tt.ok {
			t.Errorf("cap %d: got accepted %t (%v), want %t", tt.limit, got, err, tt.ok)
		}
	}
}

// YAML aliases name a long text many times: small as a file, huge once resolved.
func TestReadChartAliasBombs(t *testing.T) {
	var lol strings.Builder
	lol.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&lol, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	tests := map[string]struct {
		body string
		code chartsign.ReasonCode
	}{
		"long text": {demoYAML + "sources: [&a " + strings.Repeat("x", 400<<10) + strings.Repeat(",*a", 20<<10) + "]\n", chartsign.ReasonChartTooLarge},
		"long key": {
			demoYAML + "x: &a " + strings.Repeat("x", 400<<10) + "\ny: [" + strings.Repeat("{*a : 1},", 20<<10) + "]\n", chartsign.ReasonChartTooLarge,
		},
		"billion laughs": {demoYAML + lol.String(), chartsign.ReasonNotAChart},
		"deep nesting":   {demoYAML + "x: " + strings.Repeat("[", 100<<10) + "\n", chartsign.ReasonNotAChart},
		"itself":         {demoYAML + "x: &a [*a]\n", chartsign.ReasonNotAChart},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := readChart(gzipped(t, tarExactly(t, file("demo/Chart.yaml", tt.body))))
			wantReason(t, err, tt.code, "")
		})
	}
}

// The heap in use must not follow the size of the chart: 90 MiB pass through it.
func TestReadChartMemory(t *testing.T) {
	const files, size = 90, 1 << 20
	random := rand.NewChaCha8([32]byte{1})
	block := make([]byte, 64<<10)
	_, _ = random.Read(block)
	stream := archiveStream(gzip.NoCompression, func(w *tar.Writer) error {
		if err := writeFile(w, "demo/Chart.yaml", int64(len(demoYAML)), strings.NewReader(demoYAML)); err != nil {
			return err
		}
		for i := range files {
			if err := writeFile(w, fmt.Sprintf("demo/files/%d", i), size, &repeated{block: block}); err != nil {
				return err
			}
		}
		return nil
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	chart, err := chartsign.ReadChart(stream, chartsign.ReadOptions{})
	runtime.ReadMemStats(&after)
	must(t, err)
	if chart.Size() < files*size {
		t.Fatalf("got an archive of %d bytes, want at least %d", chart.Size(), files*size)
	}
	// All that was ever allocated, by the writer of the archive too: no collection can hide it.
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(12<<20); got > limit {
		t.Errorf("got %d bytes allocated for %d bytes of chart, want at most %d", got, chart.Size(), limit)
	}
}
