// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/chartsign/chartsign"

// importableByAll lists what each package may import without being named in mayImport.
var importableByAll = []string{".", "internal/limits", "internal/strictyaml"}

// unrestricted in mayImport marks packages that nothing shipped depends on.
var unrestricted = []string{"*"}

// mayImport is the plan of docs/ARCHITECTURE.md: who may import whom, by folder. An edge that
// is missing here needs a decision record before it needs a line.
var mayImport = map[string][]string{
	".":                    nil,
	"internal/limits":      nil,
	"internal/strictyaml":  nil,
	"internal/pack":        nil,
	"internal/testkit":     unrestricted, // and only tests may import it
	"keys":                 nil,
	"keys/kms":             {"keys"},
	"keys/tuf":             {"keys"},
	"transparency":         {"keys"},
	"transparency/monitor": {"keys", "transparency"},
	"transparency/rekor":   {"keys", "transparency"},
	"transparency/store":   {"transparency"},
	"verify":               {"keys", "transparency"},
	"sign":                 {"internal/pack", "keys", "transparency/rekor", "verify"},
	"sign/identity":        nil,
	"policy":               {"verify"},
	"gate":                 {"keys", "policy", "verify"},
	"oci":                  nil,
	"repository":           nil,
	"references":           nil,
	"transfer":             {"gate", "oci", "repository", "sign"},
	"admission":            {"gate", "references"},
	"audit":                {"gate", "transparency"},
	"report":               {"audit", "gate", "references"},
	"cmd":                  unrestricted, // covers everything below it
}

// dependencyOwners says which folders, with all below them, may import a dependency. Without
// tests set, test files may import it anywhere.
var dependencyOwners = []struct {
	dependency string
	folders    []string
	tests      bool
}{
	{"helm.sh", nil, true}, // the Helm SDK is a test oracle and lives in e2e, a module of its own
	{"k8s.io", []string{"admission"}, true},
	{"sigs.k8s.io/controller-runtime", []string{"admission"}, true},
	{"oras.land/oras-go", []string{"oci", "internal/testkit"}, false},
	{"github.com/open-policy-agent", []string{"policy"}, false},
	{"github.com/sigstore/sigstore-go", []string{"keys", "sign", "verify", "transparency", "internal/testkit"}, false},
	{"github.com/sigstore/rekor", []string{"sign", "transparency", "internal/testkit"}, false},
	{"github.com/sigstore/rekor-tiles", []string{"sign", "transparency", "internal/testkit"}, false},
	{"github.com/urfave/cli", []string{"cmd"}, true},
}

// offlineFolders lists the folders, without those below them, whose shipped files hold no
// means to open a connection.
var (
	offlineFolders = []string{".", "internal/limits", "keys", "transparency", "verify", "policy", "gate"}
	dialers        = []string{
		"crypto/tls", "golang.org/x/net", "net/http", "net/rpc", "net/smtp",
		"github.com/sigstore/sigstore-go/pkg/sign", "github.com/sigstore/sigstore-go/pkg/tuf",
	}
)

// reachBarriers holds what a package ("*": any) must not even import indirectly. A user of
// package verify gets no registry client, no policy engine and no Kubernetes.
var reachBarriers = []struct {
	from, except, banned []string
}{
	{from: []string{"*"}, banned: []string{"helm.sh"}},
	{from: []string{"*"}, except: []string{"admission", "cmd"}, banned: kubernetesAPIs},
	{from: []string{"verify"}, banned: append([]string{
		"oras.land/oras-go",
		"github.com/open-policy-agent",
		modulePath + "/keys/tuf", modulePath + "/keys/kms", modulePath + "/transparency/rekor",
	}, kubernetesAPIs...)},
}

// kubernetesAPIs leaves out klog and utils, which come with the Sigstore libraries and carry
// no API.
var kubernetesAPIs = []string{
	"k8s.io/api", "k8s.io/apimachinery", "k8s.io/apiserver", "k8s.io/client-go",
	"sigs.k8s.io/controller-runtime",
}

const (
	maxFileLines     = 600
	maxFunctionLines = 80
	spdxHeader       = "// SPDX-FileCopyrightText: The chartsign authors\n// SPDX-License-Identifier: Apache-2.0\n"
)

func TestImportsFollowTheTable(t *testing.T) {
	for _, finding := range checkEdges(edgesOf(parseTree(t))) {
		t.Error(finding)
	}
}

func TestNothingBannedIsReached(t *testing.T) {
	for _, finding := range checkReach(importGraph(t)) {
		t.Error(finding)
	}
}

func TestSourcesKeepTheirShape(t *testing.T) {
	for _, finding := range checkSources(parseTree(t)) {
		t.Error(finding)
	}
}

func TestTableNamesOnlyItself(t *testing.T) {
	for from, tos := range mayImport {
		for _, to := range tos {
			if _, ok := mayImport[to]; !ok && to != "*" {
				t.Errorf("mayImport[%q] names %q, which the table does not have", from, to)
			}
		}
	}
}

// TestForbiddenEdgesAreFound proves that the tests above can fail.
func TestForbiddenEdgesAreFound(t *testing.T) {
	for _, tc := range []struct {
		name string
		edge importEdge
		want string // part of the only finding, or empty for none
	}{
		{"allowed", importEdge{from: "verify", to: modulePath + "/keys"}, ""},
		{"everybody may import the nouns", importEdge{from: "oci", to: modulePath}, ""},
		{"everybody may import the limits", importEdge{from: "report", to: modulePath + "/internal/limits"}, ""},
		{"command", importEdge{from: "cmd/chartsign", to: modulePath + "/audit"}, ""},
		{"standard library", importEdge{from: "verify", to: "net/url"}, ""},
		{"nouns import a verb", importEdge{from: ".", to: modulePath + "/verify"}, "not in the import table"},
		{"new edge", importEdge{from: "verify", to: modulePath + "/oci"}, "not in the import table"},
		{"test may take a new edge", importEdge{from: "verify", to: modulePath + "/sign", test: true}, ""},
		{"parent imports child", importEdge{from: "keys", to: modulePath + "/keys/tuf"}, "not in the import table"},
		{"unknown package", importEdge{from: "utils", to: modulePath + "/keys"}, "no line in the import table"},
		{"unknown package without our imports", importEdge{from: "utils", to: "fmt"}, "no line in the import table"},
		{"fakes ship", importEdge{from: "cmd/chartsign", to: modulePath + "/internal/testkit"}, "only tests"},
		{"fakes in a test", importEdge{from: "oci", to: modulePath + "/internal/testkit", test: true}, ""},
		{"helm", importEdge{from: "transfer", to: "helm.sh/helm/v4/pkg/chart"}, "helm.sh"},
		{"helm in a test", importEdge{from: "verify", to: "helm.sh/helm/v4/pkg/provenance", test: true}, "helm.sh"},
		{"kubernetes in references", importEdge{from: "references", to: "k8s.io/api/core/v1"}, "k8s.io"},
		{"kubernetes in admission", importEdge{from: "admission", to: "k8s.io/api/admission/v1"}, ""},
		{"yaml is not kubernetes", importEdge{from: "references", to: "sigs.k8s.io/yaml"}, ""},
		{"oras in transfer", importEdge{from: "transfer", to: "oras.land/oras-go/v2"}, "oras.land"},
		{"rego in gate", importEdge{from: "gate", to: "github.com/open-policy-agent/opa/v1/rego"}, "open-policy-agent"},
		{"sigstore-go in a child", importEdge{from: "keys/tuf", to: "github.com/sigstore/sigstore-go/pkg/tuf"}, ""},
		{"sigstore-go in gate", importEdge{from: "gate", to: "github.com/sigstore/sigstore-go/pkg/verify"}, "sigstore-go"},
		{"rekor in verify", importEdge{from: "verify", to: "github.com/sigstore/rekor/pkg/client"}, "sigstore/rekor"},
		{"flags in gate", importEdge{from: "gate", to: "github.com/urfave/cli/v2"}, "urfave/cli"},
		{"http in verify", importEdge{from: "verify", to: "net/http"}, "opens a connection"},
		{"net in policy", importEdge{from: "policy", to: "net"}, "opens a connection"},
		{"http in a test of verify", importEdge{from: "verify", to: "net/http", test: true}, ""},
		{"http in a log client", importEdge{from: "transparency/rekor", to: "net/http"}, ""},
		{"TUF in keys", importEdge{from: "keys", to: "github.com/sigstore/sigstore-go/pkg/tuf"}, "opens a connection"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantFindings(t, checkEdges([]importEdge{tc.edge}), tc.want)
		})
	}
}

func TestForbiddenReachIsFound(t *testing.T) {
	verify, keys := modulePath+"/verify", modulePath+"/keys"
	for _, tc := range []struct {
		name  string
		graph map[string][]string
		want  string
	}{
		{"clean", map[string][]string{verify: {keys}, keys: {"example.org/x"}}, ""},
		{"klog is no API", map[string][]string{verify: {"k8s.io/klog/v2"}}, ""},
		{"helm through a dependency", map[string][]string{keys: {"example.org/x"}, "example.org/x": {"helm.sh/helm/v4/pkg/chart"}}, "example.org/x → helm.sh"},
		{"kubernetes in oci", map[string][]string{modulePath + "/oci": {"k8s.io/client-go/rest"}}, "k8s.io/client-go"},
		{"kubernetes in admission", map[string][]string{modulePath + "/admission": {"k8s.io/api/admission/v1"}, modulePath + "/cmd/chartsign": {modulePath + "/admission"}}, ""},
		{"registry in verify", map[string][]string{verify: {keys}, keys: {"oras.land/oras-go/v2"}}, "oras.land"},
		{"TUF in verify", map[string][]string{verify: {keys}, keys: {keys + "/tuf"}}, "keys/tuf"},
		{"a cycle ends", map[string][]string{verify: {keys}, keys: {verify}}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantFindings(t, checkReach(tc.graph), tc.want)
		})
	}
}

func TestBadSourcesAreFound(t *testing.T) {
	const clause = "\n// Package x does.\npackage x\n"
	long := func(lines int) string { return strings.Repeat("\t_ = 0\n", lines) }
	for _, tc := range []struct{ name, file, text, want string }{
		{"clean", "x/x.go", spdxHeader + clause, ""},
		{"no header", "x/x.go", clause, "SPDX"},
		{"no header in a test", "x/x_test.go", "package x\n", "SPDX"},
		{"no package comment", "x/x.go", spdxHeader + "\npackage x\n", "package comment"},
		{"header as package comment", "x/x.go", spdxHeader + "package x\n", "package comment"},
		{"comment about another package", "x/x.go", spdxHeader + "\n// Package y does.\npackage x\n", "package comment"},
		{"command", "x/main.go", spdxHeader + "\n// Chartsign signs charts.\npackage main\n", ""},
		{"function at the limit", "x/x.go", spdxHeader + clause + "func f() {\n" + long(maxFunctionLines) + "}\n", ""},
		{"function over the limit", "x/x.go", spdxHeader + clause + "func f() {\n" + long(maxFunctionLines+1) + "}\n", "function f has 81 lines"},
		{"file over the limit", "x/x.go", spdxHeader + clause + strings.Repeat("\n", maxFileLines), "lines, want at most 600"},
		{"long test", "x/x_test.go", spdxHeader + "\npackage x\n" + strings.Repeat("\n", maxFileLines), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src, err := parseSource(token.NewFileSet(), tc.file, []byte(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			wantFindings(t, checkSources([]goSource{src}), tc.want)
		})
	}
}

func wantFindings(t *testing.T, got []string, want string) {
	t.Helper()
	switch {
	case want == "" && len(got) > 0:
		t.Errorf("got %q, want no finding", got)
	case want != "" && (len(got) != 1 || !strings.Contains(got[0], want)):
		t.Errorf("got %q, want one finding about %q", got, want)
	}
}

// importEdge is one import: from is a folder of this module, to an import path.
type importEdge struct {
	from, to string
	file     string
	test     bool
}

func (e importEdge) breaks(format string, args ...any) string {
	return fmt.Sprintf("%s: %s imports %s: ", e.file, e.from, e.to) + fmt.Sprintf(format, args...)
}

// checkEdges returns a finding for each import that the tables above do not allow.
func checkEdges(edges []importEdge) []string {
	var findings []string
	unknown := map[string]bool{}
	for _, e := range edges {
		line, known := lineOf(e.from)
		if !known {
			if !unknown[e.from] {
				findings = append(findings, e.from+" has no line in the import table")
			}
			unknown[e.from] = true
			continue
		}
		if to, ours := strings.CutPrefix(e.to+"/", modulePath+"/"); ours {
			if to = strings.TrimSuffix(to, "/"); to == "" {
				to = "."
			}
			findings = append(findings, checkInternal(e, to, line)...)
			continue
		}
		findings = append(findings, checkDependency(e)...)
	}
	return findings
}

func checkInternal(e importEdge, to string, line []string) []string {
	switch {
	case e.test || isWithin(e.from, "internal/testkit"):
		return nil // tests look at a package from wherever they like; the compiler refuses cycles
	case isWithin(to, "internal/testkit"):
		return []string{e.breaks("only tests may")}
	case slices.Contains(importableByAll, to), slices.Contains(line, to), slices.Equal(line, unrestricted):
		return nil
	}
	return []string{e.breaks("not in the import table, which allows %q", line)}
}

func checkDependency(e importEdge) []string {
	var findings []string
	for _, o := range dependencyOwners {
		allowed := slices.ContainsFunc(o.folders, func(folder string) bool { return isWithin(e.from, folder) })
		if isWithin(e.to, o.dependency) && !allowed && (o.tests || !e.test) {
			findings = append(findings, e.breaks("%s belongs to %q", o.dependency, o.folders))
		}
	}
	dials := e.to == "net" || slices.ContainsFunc(dialers, func(d string) bool { return isWithin(e.to, d) })
	if dials && !e.test && slices.Contains(offlineFolders, e.from) {
		findings = append(findings, e.breaks("nothing there opens a connection"))
	}
	return findings
}

// lineOf returns what the package in folder may import. Folders below cmd and testkit share
// their line.
func lineOf(folder string) ([]string, bool) {
	for _, shared := range []string{"cmd", "internal/testkit"} {
		if isWithin(folder, shared) {
			return mayImport[shared], true
		}
	}
	line, ok := mayImport[folder]
	return line, ok
}

// isWithin reports whether the slash-separated name is prefix or below it.
func isWithin(name, prefix string) bool {
	return name == prefix || strings.HasPrefix(name, prefix+"/")
}

// checkReach walks graph, which maps import paths to import paths, from each package of
// this module and returns a finding with the whole chain for each barrier that is crossed.
func checkReach(graph map[string][]string) []string {
	var findings []string
	for _, b := range reachBarriers {
		for start := range graph {
			folder, ours := strings.CutPrefix(start, modulePath)
			folder = strings.TrimPrefix(folder, "/")
			starts := slices.ContainsFunc(b.from, func(f string) bool { return f == "*" || isWithin(folder, f) })
			exempt := slices.ContainsFunc(b.except, func(f string) bool { return isWithin(folder, f) })
			if !ours || !starts || exempt {
				continue
			}
			if chain := chainTo(graph, start, b.banned); chain != nil {
				findings = append(findings, start+" must not reach "+chain[len(chain)-1]+": "+strings.Join(chain, " → "))
			}
		}
	}
	slices.Sort(findings)
	return findings
}

// chainTo returns the shortest chain of imports from start to a banned path, or nil.
func chainTo(graph map[string][]string, start string, banned []string) []string {
	cameFrom := map[string]string{start: ""}
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if slices.ContainsFunc(banned, func(b string) bool { return isWithin(at, b) }) {
			chain := []string{at}
			for p := cameFrom[at]; p != ""; p = cameFrom[p] {
				chain = append(chain, p)
			}
			slices.Reverse(chain)
			return chain
		}
		for _, to := range graph[at] {
			if _, seen := cameFrom[to]; !seen {
				cameFrom[to] = at
				queue = append(queue, to)
			}
		}
	}
	return nil
}

// importGraph asks the go command for the imports of every package and its dependencies.
func importGraph(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-mod=readonly", "-deps", "-json=ImportPath,Imports,Standard", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	graph := map[string][]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
			Standard   bool
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if !pkg.Standard {
			graph[pkg.ImportPath] = pkg.Imports
		}
	}
	if len(graph) == 0 {
		t.Fatal("go list names no package")
	}
	return graph
}

// goSource is one parsed file; name is relative to the module and uses slashes.
type goSource struct {
	name string
	text []byte
	file *ast.File
	fset *token.FileSet
}

func (s goSource) test() bool     { return strings.HasSuffix(s.name, "_test.go") }
func (s goSource) folder() string { return path.Dir(s.name) }

func (s goSource) lines(n ast.Node) int {
	return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line - 1
}

func parseSource(fset *token.FileSet, name string, text []byte) (goSource, error) {
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	return goSource{name: name, text: text, file: file, fset: fset}, err
}

// parseTree parses every Go file of this module, whatever its build constraints say. Modules
// of their own, testdata and hidden folders are left out, as the go command does.
func parseTree(t *testing.T) []goSource {
	t.Helper()
	fset := token.NewFileSet()
	var all []goSource
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			_, noModule := os.Stat(filepath.Join(name, "go.mod"))
			hidden := strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")
			if name != "." && (hidden || base == "testdata" || base == "vendor" || noModule == nil) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		src, err := parseSource(fset, filepath.ToSlash(name), text)
		all = append(all, src)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func edgesOf(all []goSource) []importEdge {
	var edges []importEdge
	for _, src := range all {
		for _, spec := range src.file.Imports {
			if to, err := strconv.Unquote(spec.Path.Value); err == nil {
				edges = append(edges, importEdge{from: src.folder(), to: to, file: src.name, test: src.test()})
			}
		}
	}
	return edges
}

// checkSources returns a finding for each file without the licence header, each package
// without a comment, and each file or function that has grown too long.
func checkSources(all []goSource) []string {
	var findings []string
	documented := map[string]bool{}
	for _, src := range all {
		if !bytes.HasPrefix(src.text, []byte(spdxHeader)) {
			findings = append(findings, src.name+": does not begin with the two SPDX lines")
		}
		if src.test() {
			continue
		}
		documented[src.folder()] = documented[src.folder()] || isPackageComment(src.file)
		if ast.IsGenerated(src.file) {
			continue
		}
		if lines := bytes.Count(src.text, []byte("\n")); lines > maxFileLines {
			findings = append(findings, fmt.Sprintf("%s: %d lines, want at most %d", src.name, lines, maxFileLines))
		}
		for _, decl := range src.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && src.lines(f) > maxFunctionLines {
				findings = append(findings, fmt.Sprintf("%s: function %s has %d lines, want at most %d",
					src.name, f.Name.Name, src.lines(f), maxFunctionLines))
			}
		}
	}
	for folder, ok := range documented {
		if !ok {
			findings = append(findings, folder+": no file has a package comment that begins with the package's name")
		}
	}
	slices.Sort(findings)
	return findings
}

func isPackageComment(file *ast.File) bool {
	doc := file.Doc.Text()
	if file.Name.Name == "main" {
		return doc != "" && !strings.HasPrefix(doc, "SPDX-")
	}
	return strings.HasPrefix(doc, "Package "+file.Name.Name+" ")
}
