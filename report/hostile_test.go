// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/policy"
	"github.com/chartsign/chartsign/report"
)

// hostile is text by which a terminal or an editor can be deceived: escapes in 7 and 8 bits,
// a window title, carriage return, backspace, line and paragraph separators, overrides of
// the writing direction, invisible letters, a tag, private use, bytes that are no text.
const hostile = "a\x1b[2J\x1b]0;pwned\x07b\u009b31mc\rd\be\x7ff\ng\u2028h\u2029i\u202ej\u2066k\u200bl\u200fm\ufeffn\U000e0041o\ue000p\xffq\u0085r"

func hostileJudgement() gate.Judgement {
	finding := []policy.Finding{{Rule: hostile, Message: hostile, Solution: hostile}}
	return gate.Judgement{
		Subject: chartsign.Subject{Reference: chartsign.Reference{Given: hostile, File: hostile}},
		Verdict: gate.Denied, Enforced: true, Rule: hostile, Denials: finding, Warnings: finding,
		Reason: chartsign.Reasonf(gate.ReasonPolicyDenied, "%s", hostile), PolicyDigest: "sha256:x", PolicySources: []string{hostile},
	}
}

// TestHelmCVE202121303: text from charts, registries and certificates reaches a terminal
// without anything that it acts on, in every form of the report.
func TestHelmCVE202121303(t *testing.T) {
	document := report.New([]gate.Judgement{hostileJudgement()})
	for form, text := range map[string]string{
		"text": textOf(t, document, report.Style{}), "json": string(jsonOf(t, document)), "yaml": string(yamlOf(t, document)),
	} {
		if !strings.Contains(text, "pwned") {
			t.Errorf("%s: the text is missing altogether", form)
		}
		for _, r := range text {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%s: got %U, want nothing that cannot be printed", form, r)
			}
		}
		if !utf8.ValidString(text) {
			t.Errorf("%s is not UTF-8", form)
		}
	}
	lines := strings.Count(textOf(t, document, report.Style{}), "\n")
	harmless := report.New([]gate.Judgement{{
		Subject: chartsign.Subject{Reference: chartsign.Reference{Given: "a", File: "a"}}, Verdict: gate.Denied, Enforced: true, Rule: "a",
		Denials: []policy.Finding{{Rule: "a", Message: "a", Solution: "a"}}, Warnings: []policy.Finding{{Rule: "a", Message: "a", Solution: "a"}},
		Reason: chartsign.Reasonf(gate.ReasonPolicyDenied, "a"),
	}})
	if want := strings.Count(textOf(t, harmless, report.Style{}), "\n"); lines != want {
		t.Errorf("text: got %d lines, want %d: a line was forged", lines, want)
	}
}

// TestColorsAreOurs: with colours, the only escapes are those of the report itself.
func TestColorsAreOurs(t *testing.T) {
	text := textOf(t, report.New([]gate.Judgement{hostileJudgement()}), report.Style{Color: true})
	for _, code := range []string{"0", "1", "2", "31", "32", "33"} {
		text = strings.ReplaceAll(text, "\x1b["+code+"m", "")
	}
	if strings.Contains(text, "\x1b") {
		t.Errorf("got a foreign escape in %q", text)
	}
}

// TestJSONKeepsTheText: JSON escapes, so that a program compares what was really there.
func TestJSONKeepsTheText(t *testing.T) {
	document := report.New([]gate.Judgement{hostileJudgement()})
	var got report.Report
	if err := json.Unmarshal(jsonOf(t, document), &got); err != nil {
		t.Fatal(err)
	}
	want := strings.ToValidUTF8(hostile, "\ufffd")
	if got.Results[0].Rule != want || got.Results[0].Denials[0].Message != want {
		t.Errorf("rule: got %q, want %q", got.Results[0].Rule, want)
	}
	if err := yaml.Unmarshal(yamlOf(t, document), &got); err != nil {
		t.Fatal(err)
	}
	if rule := got.Results[0].Rule; !strings.HasPrefix(rule, "a\x1b[2J") || strings.ContainsAny(rule, "\u202e\u2066\u200b\u009b") {
		t.Errorf("rule as YAML: got %q", rule)
	}
}

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                   "plain",
		"Grüße, 世界 🚀":             "Grüße, 世界 🚀",
		"tab\tand\nline":          "tab and line",
		"\x1b[31mred\x1b[0m":      "\ufffd[31mred\ufffd[0m",
		"admin\u202egnp.exe":      "admin\ufffdgnp.exe",
		"zero\u200bwidth":         "zero\ufffdwidth",
		"\u009b2J":                "\ufffd2J",
		"no\u00a0break":           "no break",
		"bad\xffbytes":            "bad\ufffdbytes",
		"\u2028":                  " ",
		"e\u0301":                 "e\u0301",
		"":                        "",
		"\U000e0001tag\U000e007f": "\ufffdtag\ufffd",
	} {
		if got := report.Clean(text); got != want {
			t.Errorf("clean %q: got %q, want %q", text, got, want)
		}
	}
}

// TestTable: columns line up by what a terminal shows, not by bytes or letters.
func TestTable(t *testing.T) {
	var table report.Table
	table.Add("NAME", "WHAT", "END")
	table.Add("web", "\x1b[32mallowed\x1b[0m", "1")
	table.Add("世界", "x", "2")
	table.Add("e\u0301te\u0301", "ｗｉｄｅ", "3")
	table.Add("🚀", "\x1b[1m世\x1b[0m", "4")
	table.Add("short")
	table.Add("", "", "5")
	var out strings.Builder
	if _, err := table.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"NAME   WHAT      END",
		"web    \x1b[32mallowed\x1b[0m   1",
		"世界   x         2",
		"e\u0301te\u0301    ｗｉｄｅ  3",
		"🚀     \x1b[1m世\x1b[0m        4",
		"short",
		"                 5",
	}, "\n") + "\n"
	if out.String() != want {
		t.Errorf("table:\ngot\n%q\nwant\n%q", out.String(), want)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 100 << 20: "100.0 MiB", 3 << 30: "3.0 GiB", 1 << 50: "1024.0 TiB",
	} {
		if got := report.Size(n); got != want {
			t.Errorf("size of %d: got %q, want %q", n, got, want)
		}
	}
}

// FuzzHostileText: whatever the text, nothing unprintable comes out, and JSON stays JSON.
func FuzzHostileText(f *testing.F) {
	f.Add(hostile)
	f.Add(`"\`)
	f.Add("😀\u202e")
	f.Add("\u2029") // a line break to YAML, which encoding/json escapes
	f.Fuzz(func(t *testing.T, text string) {
		document := report.New([]gate.Judgement{{Rule: text, Denials: []policy.Finding{{Message: text}}}})
		var back report.Report
		data := jsonOf(t, document)
		if err := json.Unmarshal(data, &back); err != nil || back.Results[0].Rule != strings.ToValidUTF8(text, "") && utf8.ValidString(text) {
			t.Fatalf("JSON: got %q, %v", back.Results[0].Rule, err)
		}
		written := yamlOf(t, document)
		if err := yaml.Unmarshal(written, &back); err != nil {
			t.Fatalf("YAML: %v", err)
		}
		for _, r := range fmt.Sprintf("%s%s%s", data, written, textOf(t, document, report.Style{})) {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("%q: got %U", text, r)
			}
		}
	})
}
