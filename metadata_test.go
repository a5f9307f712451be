// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/strictyaml"
)

// vectors returns the names of testdata/metadata that have a file with the given suffix.
func vectors(tb testing.TB, suffix string) []string {
	tb.Helper()
	files, err := filepath.Glob("testdata/metadata/*" + suffix)
	must(tb, err)
	if len(files) < 5 {
		tb.Fatalf("got %d vectors *%s, want more", len(files), suffix)
	}
	for i := range files {
		files[i] = strings.TrimSuffix(filepath.Base(files[i]), suffix)
	}
	return files
}

// readVector reads a vector the way charts are read, from an archive.
func readVector(t *testing.T, name string) (*chartsign.Chart, error) {
	t.Helper()
	entries := []entry{file("demo/Chart.yaml", string(testdata(t, "metadata/"+name+".yaml")))}
	if data, err := os.ReadFile("testdata/metadata/" + name + ".requirements.yaml"); err == nil {
		entries = append(entries, file("demo/requirements.yaml", string(data)))
	}
	return readChart(gzipped(t, tarExactly(t, entries...)))
}

// What Helm 4 reads from the same files; testdata/README.md says how the goldens are made.
func TestMetadataIsHelms(t *testing.T) {
	stricter := map[string]string{
		"requirements-in-v2": "other ones",    // Helm mixes the fields of both lists
		"merge-override":     "duplicate key", // YAML readers differ on which one wins
	}
	for _, name := range vectors(t, ".golden.json") {
		t.Run(name, func(t *testing.T) {
			chart, err := readVector(t, name)
			if want, ok := stricter[name]; ok {
				wantReason(t, err, chartsign.ReasonNotAChart, want)
				return
			}
			must(t, err)
			gotYAML, err := chart.Metadata().YAML()
			must(t, err)
			if diff := cmp.Diff(string(testdata(t, "metadata/"+name+".golden.yaml")), string(gotYAML)); diff != "" {
				t.Errorf("YAML differs from Helm's (-want +got):\n%s", diff)
			}
			gotJSON, err := chart.Metadata().JSON()
			must(t, err)
			if diff := cmp.Diff(string(testdata(t, "metadata/"+name+".golden.json")), string(gotJSON)); diff != "" {
				t.Errorf("JSON differs from Helm's (-want +got):\n%s", diff)
			}
			fromConfig, err := chartsign.ChartFromConfig(gotJSON, chart.Digest(), chart.Size())
			must(t, err)
			if !fromConfig.Metadata().Equal(chart.Metadata()) {
				t.Errorf("the config blob reads differently (-archive +config):\n%s", cmp.Diff(chart.Metadata(), fromConfig.Metadata()))
			}
		})
	}
}

func TestMetadataRefusedByHelmToo(t *testing.T) {
	for _, name := range vectors(t, ".refused") {
		t.Run(name, func(t *testing.T) {
			_, err := readVector(t, name)
			wantReason(t, err, chartsign.ReasonNotAChart, "")
		})
	}
}

// Where Helm's answer depends on luck there is none.
func TestParseMetadataStricterThanHelm(t *testing.T) {
	tests := map[string]struct{ data, want string }{
		"duplicate key":              {demoYAML + "name: b\n", "duplicate key"},
		"duplicate key, quoted":      {demoYAML + "\"na\\u006de\": b\n", "duplicate key"},
		"duplicate key below":        {demoYAML + "maintainers: [{name: a, name: b}]\n", "duplicate key"},
		"duplicate key, unknown":     {demoYAML + "vendor: {a: 1, a: 2}\n", "duplicate key"},
		"twin":                       {demoYAML + "Name: b\n", "in case only"},
		"twin alone":                 {"apiVersion: v2\nNAME: a\nversion: 1.0.0\n", "in case only"},
		"twin of a camel case":       {demoYAML + "appversion: 1.0.0\n", "in case only"},
		"twin by folding, long s":    {demoYAML + "\u017fources: [a]\n", "in case only"},
		"twin by folding, Kelvin":    {demoYAML + "\u212aeywords: [a]\n", "in case only"},
		"twin in a maintainer":       {demoYAML + "maintainers: [{name: a, Name: b}]\n", "in case only"},
		"twin in a dependency":       {demoYAML + "dependencies: [{name: a, repository: b, Repository: c}]\n", "in case only"},
		"second document":            {demoYAML + "---\nname: b\n", "one document"},
		"on the marker's line":       {demoYAML + "--- {name: b}\n", "one document"},
		"after the end of the first": {demoYAML + "...\nname: b\n", "yaml"},
		"after an empty one":         {demoYAML + "---\n---\nname: b\n", "one document"},
		"first one empty":            {"---\n---\n" + demoYAML, "one document"},
		"third document":             {demoYAML + "---\n# nothing\n---\n- x\n", "one document"},
		"carriage returns":           {strings.ReplaceAll(demoYAML+"---\nname: b\n", "\n", "\r"), "one document"},
		"next lines":                 {demoYAML + "#\u0085---\u0085name: b\n", "one document"},
		"line separators":            {demoYAML + "#\u2028---\u2028name: b\n", "one document"},
		"marker after a comment":     {demoYAML + "# \r---\rname: b", "one document"},
		"UTF-16":                     {utf16(demoYAML + "---\nname: b\n"), "one document"},
		"second document malformed":  {demoYAML + "---\n[\n", "yaml"},
		"backslash in the name":      {"version: 1.0.0\nname: 'a\\b'\n", "field name"},
		"version with a blank":       {"name: a\nversion: '1.0.0 '\n", "field version"},
		"version with a newline":     {"name: a\nversion: \"1.0.0\\n\"\n", "field version"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m, err := chartsign.ParseMetadata([]byte(tt.data))
			if err == nil {
				t.Fatalf("got %+v, want an error", m)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %q, want a text with %q", err, tt.want)
			}
			if got, want := errors.Is(err, strictyaml.ErrDuplicateKey), tt.want == "duplicate key"; got != want {
				t.Errorf("got ErrDuplicateKey %t, want %t", got, want)
			}
		})
	}
}

func utf16(s string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, r := range s {
		b.WriteRune(r)
		b.WriteByte(0)
	}
	return b.String()
}

func TestParseMetadataDocuments(t *testing.T) {
	for name, data := range map[string]string{
		"one marker":             "---\n" + demoYAML,
		"comment and directive":  "# a\n%YAML 1.1\n---\n" + demoYAML,
		"ended":                  demoYAML + "...\n",
		"empty one after it":     demoYAML + "---\n",
		"comment after it":       demoYAML + "---\n# the end\n",
		"marker in a text":       demoYAML + "description: |\n  ---\n  ...\n",
		"marker within a line":   demoYAML + "description: a --- b\n",
		"no newline at the end":  strings.TrimSuffix(demoYAML, "\n"),
		"carriage returns":       strings.ReplaceAll(demoYAML, "\n", "\r\n"),
		"unknown twin of a twin": demoYAML + "vendor: {Name: a, name: b}\n",
		"annotation in capitals": demoYAML + "annotations: {Name: a, name: b}\n",
		"flow on marker's line":  "--- {name: demo, version: 1.2.3}\n",
	} {
		t.Run(name, func(t *testing.T) {
			m, err := chartsign.ParseMetadata([]byte(data))
			must(t, err)
			if got, want := m.FileName(), "demo-1.2.3.tgz"; got != want {
				t.Errorf("got file name %q, want %q", got, want)
			}
		})
	}
}

func TestMetadataEqual(t *testing.T) {
	parse := func(extra string) *chartsign.Metadata {
		t.Helper()
		m, err := chartsign.ParseMetadata([]byte(demoYAML + extra))
		must(t, err)
		return m
	}
	base := parse("")
	equal := map[string]*chartsign.Metadata{
		"order":         mustParse(t, "version: 1.2.3\nname: demo\napiVersion: v2\n"),
		"unknown field": parse("engine: gotpl\n"),
		"empty list":    parse("sources: []\n"),
		"quoted":        mustParse(t, "\"version\": '1.2.3'\nname: \"demo\"\napiVersion: v2\n"),
	}
	for name, other := range equal {
		if !base.Equal(other) || !other.Equal(base) {
			t.Errorf("%s: got different, want equal", name)
		}
	}
	different := map[string]string{
		"home": "home: a", "sources": "sources: [a]", "description": "description: a", "keywords": "keywords: [a]",
		"maintainers": "maintainers: [{name: a}]", "icon": "icon: a", "condition": "condition: a", "tags": "tags: a", "appVersion": "appVersion: a",
		"deprecated": "deprecated: true", "annotations": "annotations: {a: b}", "kubeVersion": "kubeVersion: a",
		"dependencies": "dependencies: [{name: a, repository: b}]", "type": "type: library",
	}
	for name, extra := range different {
		if other := parse(extra + "\n"); base.Equal(other) || other.Equal(base) {
			t.Errorf("%s: got equal, want different", name)
		}
	}
	var none *chartsign.Metadata
	if none.Equal(base) || base.Equal(none) || !none.Equal(nil) {
		t.Error("nil: got the wrong answer, want nil equal to nil only")
	}
}

func mustParse(t *testing.T, data string) *chartsign.Metadata {
	t.Helper()
	m, err := chartsign.ParseMetadata([]byte(data))
	must(t, err)
	return m
}

func TestParseMetadataJSONRefuses(t *testing.T) {
	tests := map[string]string{
		"duplicate key":       `{"name":"a","version":"1.0.0","version":"2.0.0"}`,
		"duplicate key below": `{"name":"a","version":"1.0.0","annotations":{"a":"1","a":"2"}}`,
		"twin":                `{"name":"a","version":"1.0.0","Version":"2.0.0"}`,
		"twin below":          `{"name":"a","version":"1.0.0","dependencies":[{"name":"a","Name":"b","repository":"c"}]}`,
		"number as a text":    `{"name":"a","version":1.0}`,
		"trailing data":       `{"name":"a","version":"1.0.0"}x`,
		"second object":       `{"name":"a","version":"1.0.0"}{"name":"b"}`,
		"comment":             `{"name":"a","version":"1.0.0"} // b`,
		"YAML":                demoYAML,
		"byte order mark":     "\ufeff" + `{"name":"a","version":"1.0.0"}`,
		"deep nesting":        `{"name":"a","version":"1.0.0","x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`,
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			if m, err := chartsign.ParseMetadataJSON([]byte(data)); err == nil {
				t.Errorf("got %+v, want an error", m)
			}
		})
	}
}
