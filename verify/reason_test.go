// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/verify"
)

// documentedCodes reads the table of docs/spec/reasons.md: code → outcome.
func documentedCodes(tb testing.TB) map[chartsign.ReasonCode]string {
	tb.Helper()
	codes := make(map[chartsign.ReasonCode]string)
	for _, row := range reasonRows(tb) {
		codes[chartsign.ReasonCode(row[0])] = row[1]
	}
	return codes
}

func reasonRows(tb testing.TB) [][]string {
	tb.Helper()
	data, err := os.ReadFile("../docs/spec/reasons.md")
	if err != nil {
		tb.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 {
			tb.Fatalf("reasons.md: got the row %q, want four cells", line)
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
			if cells[i] == "" {
				tb.Errorf("reasons.md: the row %q has an empty cell", line)
			}
		}
		rows = append(rows, cells)
	}
	return rows
}

// declaredCodes collects the constants of type ReasonCode in the sources of a folder.
func declaredCodes(tb testing.TB, folder string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		tb.Fatal(err)
	}
	var codes []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			tb.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || !isReasonCode(spec.Type) {
				return true
			}
			for _, value := range spec.Values {
				literal, ok := value.(*ast.BasicLit)
				if !ok {
					tb.Errorf("%s: a reason code that is no literal", file)
					continue
				}
				code, err := strconv.Unquote(literal.Value)
				if err != nil {
					tb.Fatal(err)
				}
				codes = append(codes, code)
			}
			return true
		})
	}
	return codes
}

func isReasonCode(expression ast.Expr) bool {
	switch expression := expression.(type) {
	case *ast.Ident:
		return expression.Name == "ReasonCode"
	case *ast.SelectorExpr:
		return expression.Sel.Name == "ReasonCode"
	default:
		return false
	}
}

// TestReasonCodesAreDocumented, both ways.
func TestReasonCodesAreDocumented(t *testing.T) {
	declared := append(declaredCodes(t, ".."), declaredCodes(t, ".")...)
	slices.Sort(declared)
	if unique := slices.Compact(slices.Clone(declared)); len(unique) != len(declared) || len(declared) < 30 {
		t.Errorf("got %d codes, %d of them different", len(declared), len(unique))
	}
	var documented []string
	for _, row := range reasonRows(t) {
		documented = append(documented, row[0])
	}
	if diff := cmp.Diff(declared, documented); diff != "" {
		t.Errorf("docs/spec/reasons.md, which is sorted (-declared +documented):\n%s", diff)
	}
}

// TestDocumentedOutcomes: the outcome in the document is the one that results get.
func TestDocumentedOutcomes(t *testing.T) {
	evidence := declaredCodes(t, ".")
	for code, outcome := range documentedCodes(t) {
		if !slices.Contains(evidence, string(code)) {
			if outcome != "rejected" && outcome != "inconclusive" {
				t.Errorf("%s: got the outcome %q", code, outcome)
			}
			continue
		}
		if got := verify.OutcomeOf(code).String(); got != outcome {
			t.Errorf("%s: documented as %s, is %s", code, outcome, got)
		}
	}
}

// TestZeroResult: what nobody has judged is not verified.
func TestZeroResult(t *testing.T) {
	var zero verify.Result
	if zero.Outcome() == verify.Verified || zero.CoversMetadata() || len(zero.Signers()) > 0 || zero.Log() != nil || zero.Outcome().String() != "inconclusive" {
		t.Errorf("got %v, metadata %v, signers %v", zero.Outcome(), zero.CoversMetadata(), zero.Signers())
	}
	if got := verify.Outcome(99).String(); got == "verified" {
		t.Errorf("an unknown outcome reads %q", got)
	}
}
