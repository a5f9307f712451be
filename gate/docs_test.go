// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/policy"
)

// blocks returns the code blocks of a document in docs/spec that are in the language.
func blocks(tb testing.TB, name, language string) []string {
	tb.Helper()
	text := string(readFile(tb, filepath.Join("..", "docs", "spec", name)))
	var list []string
	for _, match := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		list = append(list, match[1])
	}
	if len(list) == 0 {
		tb.Fatalf("%s has no %s block", name, language)
	}
	return list
}

// TestTrustPolicyDocument: its example is a trust policy, and it names every field.
func TestTrustPolicyDocument(t *testing.T) {
	for _, text := range blocks(t, "trust-policy.md", "yaml") {
		if _, err := gate.ParseTrustPolicy([]byte(text)); err != nil {
			t.Error(err)
		}
		folder := trustFolder(t)
		_, keyFile := newKey(t)
		writeFile(t, filepath.Join(folder, "cosign.pub"), keyFile)
		writeFile(t, filepath.Join(folder, "maintainers.asc"), readFile(t, testdata("keys", "split.pub.asc")))
		writeFile(t, filepath.Join(folder, "limits.yaml"), []byte("minimum: 1.0.0\n"))
		writeFile(t, filepath.Join(folder, "policy", "p.rego"), []byte(blocks(t, "policy-input.md", "rego")[0]))
		text = strings.ReplaceAll(text, "6BC43318FD319493B0A3B94E94D2B35910AEB9AD", fpr("split"))
		if _, err := compile(t, folder, text, gate.Options{}); err != nil {
			t.Error(err)
		}
	}
	document := string(readFile(t, "../docs/spec/trust-policy.md"))
	for _, field := range jsonFields(reflect.TypeFor[gate.TrustPolicy]()) {
		if !regexp.MustCompile("`[a-z.]*\\b" + field + "`").MatchString(document) {
			t.Errorf("trust-policy.md does not name the field %q", field)
		}
	}
}

// TestPolicyInputDocument: its policy compiles, its input is one, and it names every field.
func TestPolicyInputDocument(t *testing.T) {
	for _, text := range blocks(t, "policy-input.md", "rego") {
		if _, err := policy.CompileModules(t.Context(), map[string]string{"example.rego": text}, nil, 0); err != nil {
			t.Error(err)
		}
	}
	for _, text := range blocks(t, "policy-input.md", "json") {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(new(policy.Input)); err != nil {
			t.Error(err)
		}
	}
	document := string(readFile(t, "../docs/spec/policy-input.md"))
	for _, field := range jsonFields(reflect.TypeFor[policy.Input]()) {
		if !regexp.MustCompile("`[a-z.\\[\\]]*\\b"+field+"(\\[\\])?`").MatchString(document) && !strings.Contains(document, "`"+field+".") {
			t.Errorf("policy-input.md does not name the field %q", field)
		}
	}
	for _, rule := range []string{policy.RuleError, policy.RuleTimeout, policy.RuleUndefined} {
		if !strings.Contains(document, "`"+rule+"`") {
			t.Errorf("policy-input.md does not name the rule %q", rule)
		}
	}
}

// jsonFields returns the names of a struct's fields, and of those below it that are ours.
func jsonFields(of reflect.Type) []string {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || !strings.Contains(of.PkgPath(), "chartsign") {
		return nil
	}
	var names []string
	for field := range of.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" {
			names = append(names, name)
		}
		// Rows of evidence have the fields of the report, whose schema describes them.
		if field.Type != reflect.TypeFor[[]policy.Evidence]() {
			names = append(names, jsonFields(field.Type)...)
		}
	}
	return names
}
