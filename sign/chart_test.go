// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"testing"

	"github.com/chartsign/chartsign"
)

// packChart returns a chart of a Chart.yaml alone, read from its archive.
func packChart(t *testing.T, chartYAML string) *chartsign.Chart {
	t.Helper()
	var buffer bytes.Buffer
	zipped := gzip.NewWriter(&buffer)
	archive := tar.NewWriter(zipped)
	if err := archive.WriteHeader(&tar.Header{Name: "a/Chart.yaml", Mode: 0o644, Size: int64(len(chartYAML)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write([]byte(chartYAML)); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	chart, err := chartsign.ReadChart(&buffer, chartsign.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return chart
}
