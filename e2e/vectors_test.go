// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// vector is a line of testdata/provenance/vectors.txt.
type vector struct{ file, chart, keyring, verdict, reason string }

// verdicts are what everybody says of a vector; gpg is the system's, so its answer depends
// on the machine.
type verdicts struct{ Chartsign, Helm, Helm3 string }

// TestProvenanceVectors shows every provenance vector to the real programs. What helm says
// has to be what peers.txt recorded, and what chartsign says what vectors.txt wants: so the
// claim that chartsign is stricter is about the helm that people have.
func TestProvenanceVectors(t *testing.T) {
	t.Parallel()
	data, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	recorded := readPeers(t, filepath.Join(data, "provenance", "peers.txt"))
	for _, v := range readVectors(t, filepath.Join(data, "provenance", "vectors.txt")) {
		t.Run(v.file+" "+v.keyring, func(t *testing.T) {
			t.Parallel()
			chart := layVector(t, data, v)
			ring := filepath.Join(data, "keys", v.keyring+".pub.gpg")
			got := verdicts{
				Chartsign: chartsignSays(t, chart, ring),
				Helm:      says(t, "helm", "verify", chart, "--keyring", ring),
				Helm3:     says(t, "helm3", "verify", chart, "--keyring", ring),
			}
			want := recorded[v.file+" "+v.keyring]
			want.Chartsign = v.expected()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
			if v.verdict == "rejected" && (got.Helm == accepts || got.Helm3 == accepts) {
				row := strings.TrimSuffix(filepath.Base(v.file), ".prov")
				for program, verdict := range map[string]string{"chartsign": got.Chartsign, "helm": got.Helm, "helm3": got.Helm3} {
					if err := stricter.record(row, program, verdict); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

func (v vector) expected() string {
	if v.verdict == "verified" {
		return accepts
	}
	return refuses + ": " + v.reason
}

// layVector puts the chart and the vector beside each other.
func layVector(t *testing.T, data string, v vector) (chart string) {
	t.Helper()
	chart = filepath.Join(t.TempDir(), filepath.Base(v.chart))
	for from, to := range map[string]string{filepath.Join(data, v.chart): chart, filepath.Join(data, "provenance", v.file): chart + ".prov"} {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return chart
}

func says(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, code := runs(t, name, args...); code != 0 {
		return refuses
	}
	return accepts
}

func chartsignSays(t *testing.T, chart, ring string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.json")
	out, code := runs(t, "chartsign", "verify", chart, "--keyring", ring, "-o", "json="+path)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no report: %v\n%s", err, out)
	}
	var document struct {
		Results []struct {
			Verdict string
			Reason  struct{ Code string }
		}
	}
	if err := json.Unmarshal(content, &document); err != nil || len(document.Results) != 1 {
		t.Fatalf("no report of one chart: %v\n%s", err, content)
	}
	result := document.Results[0]
	switch {
	case code == 0 && result.Verdict == "allowed":
		return accepts
	case code == 4 && result.Verdict == "rejected":
		return refuses + ": " + result.Reason.Code
	default:
		return fmt.Sprintf("%s with exit code %d", result.Verdict, code)
	}
}

func readVectors(t *testing.T, path string) []vector {
	t.Helper()
	var list []vector
	for _, line := range readLines(t, path) {
		facts, _, _ := strings.Cut(line, " # ")
		fields := strings.Fields(facts)
		if len(fields) != 5 {
			t.Fatalf("%s: %q has %d fields, want 5", path, line, len(fields))
		}
		list = append(list, vector{fields[0], fields[1], fields[2], fields[3], fields[4]})
	}
	return list
}

// readPeers reads lines FILE KEYRING helm4 VERDICT helm3 VERDICT gpg VERDICT.
func readPeers(t *testing.T, path string) map[string]verdicts {
	t.Helper()
	words := map[string]string{"accepted": accepts, "refused": refuses}
	peers := make(map[string]verdicts)
	for _, line := range readLines(t, path) {
		fields := strings.Fields(line)
		if len(fields) != 8 {
			t.Fatalf("%s: %q has %d fields, want 8", path, line, len(fields))
		}
		peers[fields[0]+" "+fields[1]] = verdicts{Helm: words[fields[3]], Helm3: words[fields[5]]}
	}
	return peers
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}
