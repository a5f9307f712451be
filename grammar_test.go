// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

// grammars are the expressions of the OCI distribution specification, and ours for hosts.
var grammars = []struct {
	name       string
	expression *regexp.Regexp
	ours       func(string) bool
}{
	{"tag", regexp.MustCompile(`\A[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\z`), isTag},
	{"repository", regexp.MustCompile(`\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z`), isRepository},
	{"host", regexp.MustCompile(`\A([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(:[1-9][0-9]{0,4})?\z`), isHost},
	{"alias", regexp.MustCompile(`\A[a-zA-Z0-9_-]+\z`), func(s string) bool { return consistsOf(s, isAliasLetter) }},
}

func TestGrammarIsThatOfTheSpecification(t *testing.T) {
	const alphabet = "a0zZ_.-/:[]F \n1"
	random := rand.New(rand.NewPCG(1, 2)) // the same words in every run
	accepted := map[string]int{}
	for range 300_000 {
		word := make([]byte, random.IntN(9))
		for i := range word {
			word[i] = alphabet[random.IntN(len(alphabet))]
		}
		for _, g := range grammars {
			got, want := g.ours(string(word)), g.expression.MatchString(string(word))
			if got != want {
				t.Fatalf("%s %q: got %t, want %t", g.name, word, got, want)
			}
			if got {
				accepted[g.name]++
			}
		}
	}
	for _, g := range grammars {
		if accepted[g.name] < 1000 {
			t.Errorf("%s: only %d words were accepted, too few to compare", g.name, accepted[g.name])
		}
	}
}

func FuzzGrammar(f *testing.F) {
	for _, seed := range []string{"", "v1.2.3_build-7", "charts/web", "a__b/c---d", "a___b", "registry.example:5000", "[::1]:443", "-a", "a:0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, word string) {
		for _, g := range grammars {
			if got, want := g.ours(word), g.expression.MatchString(word); got != want {
				t.Fatalf("%s %q: got %t, want %t", g.name, word, got, want)
			}
		}
	})
}
