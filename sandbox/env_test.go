// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestExports(t *testing.T) {
	got := exports([]variable{
		{"URL", "http://127.0.0.1:1/a-b_c"},
		{"SPACE", "a b"},
		{"QUOTE", "it's $HOME"},
		{"EMPTY", ""},
	})
	want := "export URL=http://127.0.0.1:1/a-b_c\n" +
		"export SPACE='a b'\n" +
		`export QUOTE='it'\''s $HOME'` + "\n" +
		"export EMPTY=''\n"
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
