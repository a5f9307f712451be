// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chartsign/chartsign/report"
)

// saysItAll are the codes whose reason leaves nothing to add: the file or bundle is not of
// the right form, and whoever made it has to make it again.
var saysItAll = []string{
	"bundle-malformed", "evidence-too-large", "evidence-unavailable", "key-usage", "prov-armor", "prov-duplicate-key", "prov-files",
	"prov-malformed", "prov-parts", "prov-second-block", "sct-invalid", "signature-time", "signature-type", "statement-malformed",
	"timestamp-invalid", "timestamp-missing", "unsupported",
}

// declaredCodes are the reason codes in the sources of the packages that declare some.
func declaredCodes(tb testing.TB) []string {
	tb.Helper()
	declaration := regexp.MustCompile(`(?m)^\s*Reason\w+\s+(?:chartsign\.)?ReasonCode = "([a-z0-9-]+)"`)
	var codes []string
	for _, folder := range []string{"..", "../verify", "../gate"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			tb.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				tb.Fatal(err)
			}
			for _, match := range declaration.FindAllStringSubmatch(string(data), -1) {
				codes = append(codes, match[1])
			}
		}
	}
	if len(codes) < 40 {
		tb.Fatalf("got %d codes: the search for them is broken", len(codes))
	}
	return codes
}

// TestEveryReasonHasANextStep, or is listed as not needing one; and no step is for a code
// that does not exist.
func TestEveryReasonHasANextStep(t *testing.T) {
	codes := declaredCodes(t)
	for _, code := range codes {
		if next, silent := report.NextStep(code), slices.Contains(saysItAll, code); (next == "") != silent {
			t.Errorf("%s: got the next step %q, listed as not needing one: %t", code, next, silent)
		}
	}
	for _, code := range append(slices.Clone(saysItAll), report.NextStepCodes()...) {
		if !slices.Contains(codes, code) {
			t.Errorf("%s is no reason code", code)
		}
	}
	if got := report.NextStep("unknown"); got != "" {
		t.Errorf("unknown code: got the next step %q", got)
	}
}
