// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package strictyaml_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/internal/strictyaml"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	errSyntax := errors.New("any other error")
	tests := map[string]struct {
		text string
		want error
	}{
		"a mapping":                      {"a: 1\nb: {c: 2}\n", nil},
		"empty":                          {"", nil},
		"a marker before the content":    {"---\na: 1\n", nil},
		"a marker after the content":     {"a: 1\n...\n", nil},
		"an empty second document":       {"a: 1\n---\n", nil},
		"an alias":                       {"a: &x {k: 1}\nb: *x\n", nil},
		"a duplicate key":                {"a: 1\na: 2\n", strictyaml.ErrDuplicateKey},
		"a duplicate key further down":   {"a: [{b: 1, b: 2}]\n", strictyaml.ErrDuplicateKey},
		"a duplicate in document two":    {"---\n---\na: 1\na: 2\n", strictyaml.ErrDuplicateKey},
		"a second document":              {"a: 1\n---\nb: 1\n", strictyaml.ErrDocuments},
		"content after dots":             {"a: 1\n...\nb: 1\n", errSyntax},
		"content after an empty first":   {"---\n---\nb: 1\n", strictyaml.ErrDocuments},
		"a marker behind CR alone":       {"a: 1\r---\rb: 1\r", strictyaml.ErrDocuments},
		"aliases that blow up":           {bomb(), limits.ErrTooLarge},
		"no YAML":                        {"a: [", errSyntax},
		"a second document that is none": {"a: 1\n---\nb: [\n", errSyntax},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := strictyaml.Check([]byte(tt.text), 1000)
			switch {
			case tt.want == nil && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.want == errSyntax: //nolint:errorlint // a marker of this table, never wrapped
				if err == nil || errors.Is(err, strictyaml.ErrDuplicateKey) || errors.Is(err, strictyaml.ErrDocuments) {
					t.Errorf("got %v, want a syntax error", err)
				}
			case tt.want != nil && !errors.Is(err, tt.want):
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// bomb names a long text often: short as YAML, long when it is resolved.
func bomb() string {
	return "a: &a " + strings.Repeat("x", 100) + "\nb: [" + strings.Repeat("*a, ", 20) + "*a]\n"
}
