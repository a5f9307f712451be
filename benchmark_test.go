// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/chartsign/chartsign"
)

// BenchmarkReadChart compares the reader with what it cannot do without: to unzip and hash
// the same bytes. Bytes per second are those of the unpacked chart.
//
//	go test -run '^$' -bench ReadChart -count 6 .
func BenchmarkReadChart(b *testing.B) {
	for _, files := range []int{10, 1000} {
		data, unpacked := benchmarkChart(b, files, 8<<20)
		b.Run(fmt.Sprintf("files=%d/reader=chartsign", files), func(b *testing.B) {
			b.SetBytes(unpacked)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := readChart(data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("files=%d/reader=gunzip+sha256", files), func(b *testing.B) {
			b.SetBytes(unpacked)
			b.ReportAllocs()
			for b.Loop() {
				if err := gunzipAndHash(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func gunzipAndHash(data []byte) error {
	hash := sha256.New()
	zip, err := gzip.NewReader(bufio.NewReaderSize(io.TeeReader(bytes.NewReader(data), hash), 64<<10))
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, zip); err != nil {
		return err
	}
	var digest chartsign.Digest
	hash.Sum(digest[:0])
	return nil
}

// benchmarkChart returns a chart of about total bytes that shrinks as YAML does, to a fifth
// or so.
func benchmarkChart(b *testing.B, files, total int) ([]byte, int64) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2)) // the same chart in every run
	entries := make([]entry, 0, files)
	for i := range files {
		var body bytes.Buffer
		for body.Len() < total/files {
			fmt.Fprintf(&body, "  - name: value-%d\n    image: registry.example/app:%x\n", random.IntN(1000), random.Uint32())
		}
		entries = append(entries, file(fmt.Sprintf("demo/templates/file-%d.yaml", i), body.String()))
	}
	plain := tarOf(b, entries...)
	return gzipped(b, plain), int64(len(plain))
}
