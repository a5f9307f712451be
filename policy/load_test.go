// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign/internal/limits"
)

// writeTree writes files below a new directory; a text "-> target" makes a symbolic link.
func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range sortedKeys(files) {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(files[name], "-> "); ok {
			err = os.Symlink(target, full)
		} else {
			err = os.WriteFile(full, []byte(files[name]), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCompileTree(t *testing.T) {
	const useData = "package chartsign\ndeny contains \"x\" if input.name in data.banned\ndeny contains \"y\" if input.name in data.sub.banned"
	tests := []struct {
		name    string
		files   map[string]string
		sources []string
		data    []string
		want    error
		text    string
	}{
		{"directory", map[string]string{"p/a.rego": denyNothing, "p/lib/b.rego": "package chartsign.lib.b\nx := 1"}, []string{"p"}, nil, nil, ""},
		{"file", map[string]string{"a.rego": denyNothing}, []string{"a.rego"}, nil, nil, ""},
		{"two sources", map[string]string{"a/x.rego": denyNothing, "b/x.rego": "package chartsign.lib\nx := 1"}, []string{"a", "b"}, nil, nil, ""},
		{"path with ..", map[string]string{"p/a.rego": denyNothing}, []string{"p/../p/a.rego"}, nil, nil, ""},
		{"data of a directory", map[string]string{"p/a.rego": useData, "p/data.yaml": "banned: [a]", "p/sub/data.json": `{"banned": ["b"]}`}, []string{"p"}, nil, nil, ""},
		{"data files", map[string]string{"p/a.rego": useData, "x.yml": "banned: [a]", "y.json": `{"sub": {"banned": ["b"]}}`}, []string{"p"}, []string{"x.yml", "y.json"}, nil, ""},
		{"objects of two files", map[string]string{"p/a.rego": denyNothing, "p/data.yaml": "a: {b: 1}", "x.yaml": "a: {c: 1}"}, []string{"p"}, []string{"x.yaml"}, nil, ""},
		{"other files", map[string]string{"p/a.rego": denyNothing, "p/README.md": "x", "p/values.yaml": "a: [", "p/.hidden": "x", "p/.git/b.rego": "no rego"}, []string{"p"}, nil, nil, ""},
		{"ConfigMap as mounted by a kubelet", map[string]string{"p/..2026/a.rego": denyNothing, "p/..data": "-> ..2026", "p/a.rego": "-> ..data/a.rego"}, []string{"p"}, nil, nil, ""},

		{"none", nil, nil, nil, ErrNoDeny, ""},
		{"missing", nil, []string{"nowhere"}, nil, ErrSource, "nowhere"},
		{"empty path", nil, []string{""}, nil, ErrSource, ""},
		{"empty directory", map[string]string{"p/README.md": "x"}, []string{"p"}, nil, ErrNoDeny, ""},
		{"second source is empty", map[string]string{"p/a.rego": denyNothing, "q/a.txt": ""}, []string{"p", "q"}, nil, ErrSource, "got no module to evaluate"},
		{"second source has tests only", map[string]string{"p/a.rego": denyNothing, "q/a_test.rego": "package chartsign_test\ntest_x if true"}, []string{"p", "q"}, nil, ErrSource, "that is no test"},
		{"other file", map[string]string{"a.txt": denyNothing}, []string{"a.txt"}, nil, ErrSource, "want a file .rego or a directory"},
		{"the same twice", map[string]string{"p/a.rego": denyNothing}, []string{"p", "p/./a.rego"}, nil, ErrSource, "same module twice"},
		{"upper case counts", map[string]string{"p/a.rego": denyNothing, "p/B.REGO": "package elsewhere"}, []string{"p"}, nil, ErrForbiddenPackage, "B.REGO:1"},
		{"hidden module", map[string]string{"p/a.rego": denyNothing, "p/.b.rego": denyNothing}, []string{"p"}, nil, ErrSource, "hidden policy file"},
		{"large module", map[string]string{"p/a.rego": denyNothing + "# " + strings.Repeat("x", 1<<18)}, []string{"p"}, nil, limits.ErrTooLarge, "a.rego"},
		{"large data", map[string]string{"p/a.rego": denyNothing, "p/data.json": `{"a": "` + strings.Repeat("x", 8<<20) + `"}`}, []string{"p"}, nil, limits.ErrTooLarge, "data.json"},
		{"data that are large together", map[string]string{"p/a.rego": denyNothing, "x.json": `{"a": "` + strings.Repeat("x", 5<<20) + `"}`, "y.json": `{"b": "` + strings.Repeat("x", 5<<20) + `"}`}, []string{"p"}, []string{"x.json", "y.json"}, limits.ErrTooLarge, "y.json"},
		{"link out of the directory", map[string]string{"p/a.rego": denyNothing, "p/b.rego": "-> ../out.rego", "out.rego": "package chartsign.lib.x"}, []string{"p"}, nil, ErrSource, "b.rego"},
		{"absolute link", map[string]string{"p/a.rego": denyNothing, "p/b.rego": "-> /etc/hostname"}, []string{"p"}, nil, ErrSource, "symbolic link out of the directory"},
		{"link to a directory", map[string]string{"p/a.rego": denyNothing, "p/more": "-> lib", "p/lib/b.rego": "package chartsign.lib.b"}, []string{"p"}, nil, ErrSource, "symbolic link to a directory"},
		{"link to a directory outside", map[string]string{"p/a.rego": denyNothing, "p/more": "-> ../q", "q/b.rego": denyNothing}, []string{"p"}, nil, ErrSource, "p/more"},
		{"file that links out", map[string]string{"p/a.rego": "-> ../out.rego", "out.rego": denyNothing}, []string{"p/a.rego"}, nil, ErrSource, ""},
		{"data that links out", map[string]string{"p/a.rego": denyNothing, "d/x.json": "-> ../out.json", "out.json": `{}`}, []string{"p"}, []string{"d/x.json"}, ErrSource, ""},
		{"data is a directory", map[string]string{"p/a.rego": denyNothing, "d.json/x": ""}, []string{"p"}, []string{"d.json"}, ErrSource, "want a regular file"},
		{"data of another form", map[string]string{"p/a.rego": denyNothing, "x.toml": ""}, []string{"p"}, []string{"x.toml"}, ErrSource, "want a file .json"},

		{"data below chartsign", map[string]string{"p/a.rego": denyNothing, "p/data.yaml": "chartsign: {deny: []}"}, []string{"p"}, nil, ErrData, "top-level key chartsign"},
		{"data below chartsign by directory", map[string]string{"p/a.rego": denyNothing, "p/chartsign/data.yaml": "deny: []"}, []string{"p"}, nil, ErrData, "top-level key chartsign"},
		{"data below chartsign in a library", map[string]string{"p/a.rego": denyNothing, "x.json": `{"chartsign": {"lib": {"x": true}}}`}, []string{"p"}, []string{"x.json"}, ErrData, ""},
		{"key in two files", map[string]string{"p/a.rego": denyNothing, "p/data.yaml": "a: {b: 1}", "x.yaml": "a: {b: 1}"}, []string{"p"}, []string{"x.yaml"}, ErrData, "got data.a.b from two files"},
		{"key in data.json and data.yaml", map[string]string{"p/a.rego": denyNothing, "p/data.yaml": "a: 1", "p/data.json": `{"a": 1}`}, []string{"p"}, nil, ErrData, "got data.a from two files"},
		{"object against value", map[string]string{"p/a.rego": denyNothing, "p/data.yaml": "a: {b: 1}", "x.yaml": "a: null"}, []string{"p"}, []string{"x.yaml"}, ErrData, ""},
		{"key twice in YAML", map[string]string{"p/a.rego": denyNothing, "p/data.yaml": "a: 1\na: 2"}, []string{"p"}, nil, ErrData, "already set"},
		{"deeper key twice in YAML", map[string]string{"p/a.rego": denyNothing, "p/data.yaml": "a: {b: 1, b: 2}"}, []string{"p"}, nil, ErrData, "already set"},
		{"key twice in JSON", map[string]string{"p/a.rego": denyNothing, "p/data.json": `{"a": [{"b": 1, "b": 2}]}`}, []string{"p"}, nil, ErrData, `got the key "b" twice`},
		{"keys twice once they are strings", map[string]string{"p/a.rego": denyNothing, "p/data.yaml": "1: a\n\"1\": b"}, []string{"p"}, nil, ErrData, ""},
		{"several YAML documents", map[string]string{"p/a.rego": denyNothing, "p/data.yaml": "a: 1\n---\nb: 1"}, []string{"p"}, nil, ErrData, "want one document"},
		{"more after JSON", map[string]string{"p/a.rego": denyNothing, "p/data.json": `{} {}`}, []string{"p"}, nil, ErrData, "after the first value"},
		{"array", map[string]string{"p/a.rego": denyNothing, "p/data.json": `[]`}, []string{"p"}, nil, ErrData, "want an object"},
		{"empty YAML", map[string]string{"p/a.rego": denyNothing, "p/data.yaml": "# nothing"}, []string{"p"}, nil, ErrData, "want an object"},
		{"no JSON", map[string]string{"p/a.rego": denyNothing, "p/data.json": `{"a": }`}, []string{"p"}, nil, ErrData, ""},
		{"cut JSON", map[string]string{"p/a.rego": denyNothing, "p/data.json": `{"a": [1`}, []string{"p"}, nil, ErrData, ""},
		{"deep JSON", map[string]string{"p/a.rego": denyNothing, "p/data.json": strings.Repeat("[", 1<<20)}, []string{"p"}, nil, limits.ErrTooLarge, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(writeTree(t, tt.files))
			p, err := Compile(t.Context(), Options{Sources: tt.sources, Data: tt.data})
			if !errors.Is(err, tt.want) || (err == nil) != (p != nil) {
				t.Fatalf("Compile: got %v, %v, want %v", p, err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %q, want it to contain %q", err, tt.text)
			}
		})
	}
}

func TestCompileRefusesPipes(t *testing.T) {
	dir := writeTree(t, map[string]string{"a.rego": denyNothing})
	if err := syscall.Mkfifo(filepath.Join(dir, "b.rego"), 0o600); err != nil {
		t.Skip("no pipes here:", err)
	}
	if _, err := Compile(t.Context(), Options{Sources: []string{dir}}); !errors.Is(err, ErrSource) {
		t.Errorf("got %v, want %v", err, ErrSource)
	}
}

func TestCompileManyEntries(t *testing.T) {
	files := map[string]string{"a.rego": denyNothing}
	for i := range limits.PolicyModules {
		files[fmt.Sprintf("lib/m%d.rego", i)] = "package chartsign.lib.x"
	}
	if _, err := Compile(t.Context(), Options{Sources: []string{writeTree(t, files)}}); !errors.Is(err, limits.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, limits.ErrTooLarge)
	}
}

func TestCompileContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Compile(ctx, Options{Sources: []string{"../testdata/policies/release"}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if _, err = CompileModules(ctx, map[string]string{"a.rego": denyNothing}, nil, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestDigest(t *testing.T) {
	digest := func(files map[string]string, sources ...string) string {
		t.Helper()
		t.Chdir(writeTree(t, files))
		p, err := Compile(t.Context(), Options{Sources: sources})
		if err != nil {
			t.Fatal(err)
		}
		return p.Digest()
	}
	base := map[string]string{"p/a.rego": denyNothing, "p/lib/l.rego": "package chartsign.lib.l", "p/data.yaml": "a: 1\nb: 2"}
	with := func(name, text string) map[string]string {
		files := map[string]string{name: text}
		for n, x := range base {
			if _, ok := files[n]; !ok {
				files[n] = x
			}
		}
		return files
	}
	want := digest(base, "p")
	if len(want) != len("sha256:")+64 || !strings.HasPrefix(want, "sha256:") {
		t.Errorf("got %q, want sha256: and 64 digits", want)
	}
	same := map[string]string{
		"again":                 digest(base, "p"),
		"absolute path":         digest(base, filepath.Join(writeTree(t, base), "p")),
		"with a test":           digest(with("p/a_test.rego", "package chartsign_test\ntest_x if true"), "p"),
		"data in another order": digest(with("p/data.yaml", "b: 2\na: 1"), "p"),
		"with a readme":         digest(with("p/README.md", "x"), "p"),
	}
	for name, got := range same {
		if got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	other := map[string]string{
		"module changed": digest(with("p/a.rego", denyNothing+"\n"), "p"),
		"data changed":   digest(with("p/data.yaml", "a: 1\nb: 3"), "p"),
		"data added":     digest(with("p/lib/data.yaml", "c: 1"), "p"),
		"module added":   digest(with("p/b.rego", denyNothing), "p"),
		"module renamed": digest(map[string]string{"p/b.rego": denyNothing, "p/lib/l.rego": "package chartsign.lib.l", "p/data.yaml": "a: 1\nb: 2"}, "p"),
	}
	for name, got := range other {
		if got == want {
			t.Errorf("%s: got the same digest", name)
		}
	}
}

func TestSources(t *testing.T) {
	t.Chdir(writeTree(t, map[string]string{"p/a.rego": denyNothing, "d.json": `{"x": 1}`}))
	p, err := Compile(t.Context(), Options{Sources: []string{"p"}, Data: []string{"d.json"}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Evaluate(t.Context(), Input{Time: testTime})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"p", "d.json"}
	if diff := cmp.Diff(want, d.Sources()); diff != "" || d.PolicyDigest() != p.Digest() {
		t.Errorf("digest %s, want %s; sources (-want +got):\n%s", d.PolicyDigest(), p.Digest(), diff)
	}
}

// Large numbers in data must not lose digits on the way to Rego.
func TestDataKeepsNumbers(t *testing.T) {
	t.Chdir(writeTree(t, map[string]string{
		"a.rego": "package chartsign\ndeny contains sprintf(\"%v %v\", [data.json, data.yaml])",
		"j.json": `{"json": 9007199254740993}`,
		"y.yaml": `yaml: 9007199254740993`,
	}))
	p, err := Compile(t.Context(), Options{Sources: []string{"a.rego"}, Data: []string{"j.json", "y.yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Evaluate(t.Context(), Input{Time: testTime})
	want := []Finding{{Rule: "deny", Message: "9007199254740993 9007199254740993"}}
	if diff := cmp.Diff(want, d.Denials()); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestStoredPolicies(t *testing.T) {
	tests := []struct {
		dir  string
		want error
	}{
		{"release", nil},
		{"deny-all", nil},
		{"allow-all", nil},
		{"warn-only", ErrNoDeny},
		{"typo", ErrUnknownRule},
		{"network", ErrForbiddenBuiltin},
	}
	for _, tt := range tests {
		_, err := Compile(t.Context(), Options{Sources: []string{filepath.Join("..", "testdata", "policies", tt.dir)}})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.dir, err, tt.want)
		}
	}
}
