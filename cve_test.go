// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
	"unicode"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// Attacks that Helm has seen while it read archives or Chart.yaml, one test for each.

// Archive bomb: a small archive that unpacks to gigabytes.
func TestCVE_2025_32386_ArchiveBomb(t *testing.T) {
	stream := archiveStream(gzip.BestCompression, func(w *tar.Writer) error {
		return writeFile(w, "demo/bomb", 2<<30, zeros{})
	})
	defer func() { _ = stream.Close() }()
	_, err := chartsign.ReadChart(stream, chartsign.ReadOptions{})
	wantReason(t, err, chartsign.ReasonChartTooLarge, "too large")
}

// A chart whose name is '.' or '..' was unpacked into, or over, the folder above.
func TestCVE_2026_35206_NameOfDots(t *testing.T) {
	for _, name := range []string{".", "..", `".\u200b"`, `"\u2060.."`, `".\e."`} {
		_, err := chartsign.ParseMetadata([]byte("apiVersion: v2\nversion: 1.0.0\nname: " + name + "\n"))
		if err == nil || !strings.Contains(err.Error(), "field name") {
			t.Errorf("name %s: got %v, want an error about field name", name, err)
		}
	}
	for _, root := range []string{".", ".."} {
		_, err := readChart(gzipped(t, tarExactly(t, file(root+"/Chart.yaml", demoYAML))))
		wantReason(t, err, chartsign.ReasonNotAChart, "want a relative path")
	}
}

// A chart whose name is a path was saved outside the folder that was asked for.
func TestCVE_2024_25620_NameTraversal(t *testing.T) {
	for _, name := range []string{"../../etc/cron.d/x", "/etc/passwd", "a/b", "a/", `..\..\x`, `a\b`, `"a\u200b/../b"`, `"..\u2060/a"`} {
		_, err := chartsign.ParseMetadata([]byte("apiVersion: v2\nversion: 1.0.0\nname: " + name + "\n"))
		if err == nil || !strings.Contains(err.Error(), "field name") {
			t.Errorf("name %s: got %v, want an error about field name", name, err)
		}
		asJSON := `{"version": "1.0.0", "name": "` + strings.ReplaceAll(strings.Trim(name, `"`), `\`, `\\`) + `"}`
		if _, err := chartsign.ChartFromConfig([]byte(asJSON), chartsign.Digest{}, 0); err == nil && !strings.Contains(name, `\u`) {
			t.Errorf("config blob with name %s: got no error", name)
		}
	}
}

// Terminal escapes in metadata reached the terminal of whoever listed charts.
func TestCVE_2021_21303_TerminalEscapes(t *testing.T) {
	chart, err := readChart(gzipped(t, tarExactly(t, file("demo/Chart.yaml", string(testdata(t, "metadata/unprintable.yaml"))))))
	must(t, err)
	m := chart.Metadata()
	fields := []string{m.Name, m.Version, m.Description, m.Home, m.Icon, m.AppVersion, m.KubeVersion, m.Condition, m.Tags}
	fields = append(append(fields, m.Keywords...), m.Sources...)
	for _, maintainer := range m.Maintainers {
		fields = append(fields, maintainer.Name, maintainer.Email, maintainer.URL)
	}
	for _, dep := range m.Dependencies {
		fields = append(append(fields, dep.Name, dep.Version, dep.Repository, dep.Condition, dep.Alias), dep.Tags...)
	}
	for _, field := range fields {
		if i := strings.IndexFunc(field, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("got unprintable %q at byte %d", field, i)
		}
	}
	for _, version := range []string{`"1.0.0\e[31m"`, `"1.0.0-\u200b"`, `"1.0.0\n"`} {
		if _, err := chartsign.ParseMetadata([]byte("name: a\nversion: " + version + "\n")); err == nil {
			t.Errorf("version %s: got no error", version)
		}
	}
	// The refusal itself must be printable, too.
	_, err = readChart(tgzOf(t, file("\x1b[2J/a\x07", "")))
	if err == nil || strings.ContainsFunc(err.Error(), unicode.IsControl) {
		t.Errorf("got %q, want an error without control characters", err)
	}
}

// Missing or empty Chart.yaml made Helm dereference nil.
func TestCVE_2024_26147_MissingYAML(t *testing.T) {
	for name, data := range map[string][]byte{
		"no entry":          gzipped(t, tarExactly(t)),
		"no Chart.yaml":     gzipped(t, tarExactly(t, file("demo/requirements.yaml", "dependencies: []\n"))),
		"empty Chart.yaml":  gzipped(t, tarExactly(t, file("demo/Chart.yaml", ""))),
		"only a comment":    gzipped(t, tarExactly(t, file("demo/Chart.yaml", "# nothing\n"))),
		"null":              gzipped(t, tarExactly(t, file("demo/Chart.yaml", "~\n"))),
		"only a byte order": gzipped(t, tarExactly(t, file("demo/Chart.yaml", "\ufeff"))),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readChart(data)
			wantReason(t, err, chartsign.ReasonNotAChart, "")
		})
	}
}

// Null entries in the lists of Chart.yaml made Helm dereference nil.
func TestCVE_2025_55198_MalformedYAML(t *testing.T) {
	for _, extra := range []string{
		"maintainers: [~]", "dependencies: [~]", "maintainers: [{name: a}, ~]", "dependencies: [{name: a, repository: b}, null]",
		"maintainers: name", "dependencies: {name: a}", "dependencies: [[]]", "annotations: [a]", "annotations: {a: {b: c}}", "sources: {a: b}",
		"deprecated: perhaps", "? [a]\n: b", "x: !!binary '%%'", "x: &a [*b]", "- a",
	} {
		if _, err := chartsign.ParseMetadata([]byte(demoYAML + extra + "\n")); err == nil {
			t.Errorf("%s: got no error", extra)
		}
	}
	for _, config := range []string{
		`{"name":"a","version":"1.0.0","maintainers":[null]}`, `{"name":"a","version":"1.0.0","dependencies":[null]}`,
		`null`, `[]`, `"a"`, `{}`, ``, `{"name":"a","version":"1.0.0"} {}`, `{"name":"a","version":"1.0.0"`,
	} {
		_, err := chartsign.ChartFromConfig([]byte(config), chartsign.Digest{}, 0)
		wantReason(t, err, chartsign.ReasonNotAChart, "config blob")
	}
}

// Chart.lock as a symbolic link made Helm write to a file outside of the chart; a link in
// an archive must not come as far as being unpacked.
func TestCVE_2025_53547_SymlinkedLock(t *testing.T) {
	_, err := readChart(tgzOf(t, special("demo/Chart.lock", tar.TypeSymlink, "/root/.bashrc")))
	wantReason(t, err, chartsign.ReasonNotAChart, "want files and folders only")
}

// Schemas that point to /dev/zero or to themselves ate memory: ReadChart never parses one.
func TestCVE_2025_32387_And_55199_Schemas(t *testing.T) {
	recursive := `{"$ref": "#", "properties": ` + strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5000) + `}`
	for _, schema := range []string{recursive, `{"$ref": "file:///dev/zero"}`} {
		chart, err := readChart(tgzOf(t, file("demo/values.schema.json", schema)))
		must(t, err)
		if got, want := chart.Name(), "demo"; got != want {
			t.Errorf("got name %q, want %q", got, want)
		}
	}
}

// Helm strips the first component of every path, whatever it is, and takes the last file of
// a name: a/Chart.yaml and b/Chart.yaml are one file to Helm and two to others.
func TestHelmStripsAnyRoot(t *testing.T) {
	evil := strings.Replace(demoYAML, "1.2.3", "6.6.6", 1)
	for name, entries := range map[string][]entry{
		"two roots": {file("a/Chart.yaml", demoYAML), file("b/Chart.yaml", evil)},
		"twice":     {file("a/Chart.yaml", demoYAML), file("a/Chart.yaml", evil)},
		"backslash": {file("a/Chart.yaml", demoYAML), file(`a\Chart.yaml`, evil)},
		"dot":       {file("a/Chart.yaml", demoYAML), file("a/./Chart.yaml", evil)},
		"no root":   {file("a/Chart.yaml", demoYAML), file("/Chart.yaml", evil)},
		"as a link": {file("a/Chart.yaml", demoYAML), special("a/Chart.yaml", tar.TypeSymlink, "x")},
		"mode":      {{Header: tar.Header{Name: "a/Chart.yaml", Mode: 0o40755}, Body: demoYAML}, file("b/Chart.yaml", evil)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readChart(gzipped(t, tarExactly(t, entries...)))
			wantReason(t, err, chartsign.ReasonNotAChart, "")
		})
	}
}

// A reader of 64 KiB pieces must not let the caps overshoot by much.
func TestCapsHoldAtTheByte(t *testing.T) {
	for extra, ok := range map[int64]bool{0: true, 1: false} {
		body := demoYAML + "# " + strings.Repeat("x", int(limits.ChartYAML)+int(extra)-len(demoYAML)-3) + "\n"
		_, err := chartsign.ReadChart(bytes.NewReader(gzipped(t, tarExactly(t, file("demo/Chart.yaml", body)))), chartsign.ReadOptions{})
		if got := err == nil; got != ok {
			t.Errorf("Chart.yaml of %d bytes: got accepted %t (%v), want %t", len(body), got, err, ok)
		}
	}
}
