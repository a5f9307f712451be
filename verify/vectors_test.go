// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/verify"
)

// vector is one line of testdata/provenance/vectors.txt.
type vector struct {
	file, chart, keyring string
	want                 judgement
}

func readVectors(tb testing.TB) []vector {
	tb.Helper()
	var vectors []vector
	for line := range strings.Lines(string(readFile(tb, "provenance/vectors.txt"))) {
		text, _, _ := strings.Cut(line, "#")
		fields := strings.Fields(text)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 5 {
			tb.Fatalf("vectors.txt: got the line %q, want five fields", line)
		}
		v := vector{file: fields[0], chart: fields[1], keyring: fields[2], want: judgement{Outcome: fields[3]}}
		if fields[4] != "-" {
			v.want.Code = chartsign.ReasonCode(fields[4])
		}
		vectors = append(vectors, v)
	}
	return vectors
}

func TestProvenanceVectors(t *testing.T) {
	for _, v := range readVectors(t) {
		t.Run(v.file+"/"+v.keyring, func(t *testing.T) {
			verifier := pgpVerifier(t, loadKeys(t, v.keyring), verify.Options{})
			results := verifier.Verify(chartsign.Subject{Chart: readChart(t, v.chart)}, provenance(readFile(t, "provenance", v.file)), lateNow)
			if diff := cmp.Diff(v.want, best(t, results)); diff != "" {
				t.Errorf("verify (-want +got):\n%s%v", diff, results[0].Reason())
			}
		})
	}
}

// TestEveryProvenanceFileIsAVector keeps a file that nobody wrote a verdict for from
// looking tested.
func TestEveryProvenanceFileIsAVector(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata, "provenance", "h*", "*.prov"))
	if err != nil {
		t.Fatal(err)
	}
	vectors := readVectors(t)
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
		if !slices.ContainsFunc(vectors, func(v vector) bool { return v.file == name }) {
			t.Errorf("%s is not in vectors.txt", name)
		}
	}
}
