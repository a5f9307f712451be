// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
)

func TestPatternsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "want oci://HOST/PATH or file:PATH",
		"registry.example/charts/**":             "want oci://HOST/PATH or file:PATH",
		"https://registry.example/charts":        "want oci://HOST/PATH or file:PATH",
		"OCI://registry.example/charts":          "want oci://HOST/PATH or file:PATH",
		"**":                                     "want oci://HOST/PATH or file:PATH",
		"oci://":                                 "host",
		"oci:///charts":                          "host",
		"oci://registry.example":                 "no repository is named",
		"oci://*":                                "no repository is named",
		"oci://registry.example/":                "empty components",
		"oci://registry.example/charts/":         "empty components",
		"oci://registry.example//charts":         "empty components",
		"oci://Registry.example/charts":          `canonical form "registry.example"`,
		"oci://registry.example:443/charts":      `canonical form "registry.example"`,
		"oci://index.docker.io/library/x":        `canonical form "docker.io"`,
		"oci://registry-1.docker.io/library/x":   `canonical form "docker.io"`,
		"oci://registry.example*/charts":         "host",
		"oci://registry.*/charts":                "host",
		"oci://registry.example:*/charts":        "host",
		"oci://*registry.example/charts":         "host",
		"oci://*.*.example/charts":               "host",
		"oci://registry.example./charts":         "host",
		"oci://user@registry.example/charts":     "host",
		"oci://registry.example?x/charts":        "host",
		"oci://registry.example/charts/web:1.2":  "without tag and digest",
		"oci://registry.example/charts/web:*":    "without tag and digest",
		"oci://registry.example/web@sha256:abc":  "without tag and digest",
		"oci://registry.example/charts/../x":     "'..'",
		"oci://registry.example/./x":             "'..'",
		"oci://registry.example/charts/w?b":      "no other wild cards",
		"oci://registry.example/charts/[a-z]":    "no other wild cards",
		"oci://registry.example/charts/{a,b}":    "no other wild cards",
		`oci://registry.example/charts/\*`:       "no other wild cards",
		"oci://registry.example/charts/web**":    "no other wild cards",
		"oci://registry.example/charts/***":      "no other wild cards",
		"oci://registry.example/Charts/**":       "can never match",
		"oci://registry.example/-charts":         "can never match",
		"oci://registry.example/charts/a..b*":    "can never match",
		"oci://registry.example/chärts":          "can never match",
		"oci://registry.example/charts/a b":      "can never match",
		"oci://registry.example/charts%2f*":      "can never match",
		"file:":                                  "empty components",
		"file:../charts/*":                       "'..'",
		"file:charts/../../*":                    "'..'",
		"file:/srv/../etc/*":                     "'..'",
		"file:./charts/*":                        "'..'",
		"file:charts//x":                         "empty components",
		"file://charts/x":                        "empty components",
		"file:charts/[ab].tgz":                   "no other wild cards",
		"file:charts/{a,b}.tgz":                  "no other wild cards",
		"file:charts/a**.tgz":                    "no other wild cards",
		"oci://registry.example/charts\x00/**":   "can never match",
		"oci://\u202eexample/charts/**":          "host",
		"oci://registry.example\\@evil.test/x/*": "host",
	} {
		if _, err := gate.ParsePattern(text, "/srv/trust"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("pattern %q: got %v, want an error about %q", text, err, want)
		}
	}
}

func TestPatternMatches(t *testing.T) {
	for _, tc := range []struct {
		pattern, reference string
		want               bool
	}{
		{"oci://registry.example/charts/**", "oci://registry.example/charts/web:1.2.3", true},
		{"oci://registry.example/charts/**", "oci://registry.example/charts/team/web:1.2.3", true},
		{"oci://registry.example/charts/**", "oci://registry.example/charts", true},
		{"oci://registry.example/charts/**", "oci://REGISTRY.example/charts/web", true},
		{"oci://registry.example/charts/**", "oci://registry.example:443/charts/web", true},
		{"oci://registry.example/charts/**", "oci://registry.example/chartsevil/web", false},
		{"oci://registry.example/charts/**", "oci://registry.example/x/charts/web", false},
		{"oci://registry.example/charts/**", "oci://registry.example.evil/charts/web", false},
		{"oci://registry.example/charts/**", "oci://evil.registry.example/charts/web", false},
		{"oci://registry.example/charts/**", "oci://registry.example:5000/charts/web", false},
		{"oci://registry.example/charts/**", "oci://registry.example:80/charts/web", false},
		{"oci://registry.example/charts/**", "oci://evil.test/registry.example/charts/web", false},
		{"oci://registry.example/charts/**", "registry.example/charts/web", false},
		{"oci://registry.example/charts/*", "oci://registry.example/charts/web:1", true},
		{"oci://registry.example/charts/*", "oci://registry.example/charts/a/b:1", false},
		{"oci://registry.example/charts/*", "oci://registry.example/charts:1", false},
		{"oci://registry.example/charts/web-*", "oci://registry.example/charts/web-ui:1", true},
		{"oci://registry.example/charts/web-*", "oci://registry.example/charts/web:1", false},
		{"oci://registry.example/*-charts/*-web", "oci://registry.example/a-charts/b-c-web:1", true},
		{"oci://registry.example/a*b*c/x", "oci://registry.example/axbxc/x:1", true},
		{"oci://registry.example/a*b*c/x", "oci://registry.example/axc/x:1", false},
		{"oci://registry.example/ab*ba/x", "oci://registry.example/aba/x:1", false},
		{"oci://registry.example/**/prod/*", "oci://registry.example/a/b/prod/web:1", true},
		{"oci://registry.example/**/prod/*", "oci://registry.example/prod/web:1", true},
		{"oci://registry.example/**/prod/*", "oci://registry.example/a/prod/b/web:1", false},
		{"oci://registry.example/charts/web", "oci://registry.example/charts/web@" + manifestDigest().String(), true},
		{"oci://docker.io/acme/*", "oci://index.docker.io/acme/web:1", true},
		{"oci://docker.io/acme/*", "oci://registry-1.docker.io/acme/web:1", true},
		{"oci://docker.io/acme/*", "oci://DOCKER.IO:443/acme/web:1", true},
		{"oci://docker.io/acme/*", "oci://docker.io.evil.test/acme/web:1", false},
		{"oci://*.registry.example/**", "oci://eu.registry.example/charts/web:1", true},
		{"oci://*.registry.example/**", "oci://registry.example/charts/web:1", false},
		{"oci://*.registry.example/**", "oci://evilregistry.example/charts/web:1", false},
		{"oci://*.registry.example/**", "oci://eu.registry.example:5000/charts/web:1", false},
		{"oci://*/charts/**", "oci://anything.test:5000/charts/web:1", true},
		{"oci://**", "oci://anything.test/x:1", true},
		{"oci://**", "charts/web.tgz", false},
		{"file:**", "charts/web.tgz", true},
		{"file:**", "/srv/web.tgz", true},
		{"file:**", "oci://registry.example/charts/web:1", false},
		{"file:charts/*", "/srv/trust/charts/web.tgz", true},
		{"file:charts/*", "/srv/trust/charts/../../web.tgz", false},
		{"file:charts/*", "/srv/trust/x/../charts/web.tgz", true},
		{"file:charts/*", "/srv/trust/charts/a/web.tgz", false},
		{"file:charts/*", "/srv/charts/web.tgz", false},
		{"file:charts/**", "/srv/trust/charts/a/b/web.tgz", true},
		{"file:/srv/**/web-*.tgz", "/srv/a/b/web-1.tgz", true},
		{"file:**/registry.example/charts/*", "oci://registry.example/charts/web:1", false},
	} {
		pattern, err := gate.ParsePattern(tc.pattern, "/srv/trust")
		if err != nil {
			t.Errorf("pattern %q: %v", tc.pattern, err)
			continue
		}
		if got := pattern.Matches(reference(t, tc.reference)); got != tc.want {
			t.Errorf("%q matches %q: got %t, want %t", tc.pattern, tc.reference, got, tc.want)
		}
	}
}

func TestIPv6RegistryMatches(t *testing.T) {
	pattern, err := gate.ParsePattern("oci://[::1]:5000/charts/**", "/")
	if err != nil {
		t.Fatal(err)
	}
	if !pattern.Matches(reference(t, "oci://[::1]:5000/charts/web:1")) || pattern.Matches(reference(t, "oci://[::2]:5000/charts/web:1")) {
		t.Error("an IPv6 host does not match itself alone")
	}
}

// TestFilesOfALinkedFolder: a trust policy in a folder that a link leads to is about the
// files below both names, and a link below it does not change the rule.
func TestFilesOfALinkedFolder(t *testing.T) {
	root := t.TempDir()
	folder, link := filepath.Join(root, "real"), filepath.Join(root, "link")
	if err := os.Mkdir(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(folder, link); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, "release.asc"), readFile(t, testdata("keys", "release.pub.asc")))
	text := header + "rules:\n- {name: charts, match: [\"file:charts/*\"], signers: [" + signRelease + "]}\n"
	for _, base := range []string{folder, link} {
		trust := mustCompile(t, base, text)
		for file, want := range map[string]string{
			filepath.Join(folder, "charts", "a.tgz"): "charts",
			filepath.Join(link, "charts", "a.tgz"):   "charts",
			filepath.Join(root, "charts", "a.tgz"):   "",
			filepath.Join(folder, "a.tgz"):           "",
		} {
			s := local(t)
			s.subject.Reference = reference(t, file)
			if base == folder && strings.HasPrefix(file, link) {
				continue // a name that nobody can know of
			}
			if got := judge(t, trust, s).Rule; got != want {
				t.Errorf("trust in %s, file %s: got rule %q, want %q", base, file, got, want)
			}
		}
	}
}

// TestLinkedFileKeepsItsRule: a pull request cannot move a chart below a laxer rule's folder
// by a link.
func TestLinkedFileKeepsItsRule(t *testing.T) {
	folder := trustFolder(t)
	text := header + "rules:\n- {name: lax, match: [\"file:dev/*\"], signers: [{name: m, pgp: {keyring: mallory.asc}}]}\n- {name: strict, match: [\"file:**\"], signers: [" + signRelease + "]}\n"
	trust := mustCompile(t, folder, text)
	writeFile(t, filepath.Join(folder, "dev", "x.tgz"), readFile(t, testdata("charts", "guestbook-1.4.2.tgz")))
	if err := os.Mkdir(filepath.Join(folder, "prod"), 0o750); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(folder, "prod", "x.tgz")
	if err := os.Symlink("../dev/x.tgz", link); err != nil {
		t.Fatal(err)
	}
	ref := reference(t, link)
	got := trust.Judge(t.Context(), gate.Request{Reference: ref, Source: &gate.File{Path: link}, Time: now})
	if got.Rule != "strict" {
		t.Errorf("rule of a link in prod to dev: got %q, want strict", got.Rule)
	}
}

// TestCoverage: which later patterns an earlier one leaves nothing to.
func TestCoverage(t *testing.T) {
	for _, tc := range []struct {
		earlier, later string
		want           bool
	}{
		{"oci://a.test/**", "oci://a.test/x", true},
		{"oci://a.test/**", "oci://a.test/**/x", true},
		{"oci://a.test/**", "oci://a.test/*/x-*", true},
		{"oci://a.test/*", "oci://a.test/x", true},
		{"oci://a.test/*", "oci://a.test/x-*", true},
		{"oci://a.test/x-*", "oci://a.test/x-y", true},
		{"oci://a.test/*", "oci://a.test/**", false},
		{"oci://a.test/*", "oci://a.test/x/y", false},
		{"oci://a.test/x", "oci://a.test/*", false},
		{"oci://a.test/*/y", "oci://a.test/**/y", false},
		{"oci://a.test/**", "oci://b.test/x", false},
		{"oci://*/x", "oci://a.test/x", true},
		{"oci://*.test/**", "oci://a.test/x", true},
		{"oci://**", "oci://a.test/x", true},
		{"oci://**", "file:**", false},
		{"file:**", "oci://**", false},
		{"file:**", "file:charts/*", true},
		{"file:charts/**", "file:charts/*", true},
		{"file:charts/*", "file:/srv/trust/charts/x.tgz", true},
	} {
		earlier, err := gate.ParsePattern(tc.earlier, "/srv/trust")
		if err != nil {
			t.Fatal(err)
		}
		later, err := gate.ParsePattern(tc.later, "/srv/trust")
		if err != nil {
			t.Fatal(err)
		}
		if got := earlier.Covers(later); got != tc.want {
			t.Errorf("%q covers %q: got %t, want %t", tc.earlier, tc.later, got, tc.want)
		}
	}
}

// TestShadowedRules: one pattern that no reference can reach is an error, even where others
// of the rule live.
func TestShadowedRules(t *testing.T) {
	folder := trustFolder(t)
	rules := func(patterns ...string) string {
		text := header + "rules:\n"
		for i, pattern := range patterns {
			text += "- {name: r" + string(rune('0'+i)) + ", match: [" + pattern + "], signers: [" + signRelease + "]}\n"
		}
		return text
	}
	for _, tc := range []struct {
		patterns []string
		dead     bool
	}{
		{[]string{`"oci://a.test/x/*"`, `"oci://a.test/x/**"`, `"oci://a.test/**"`, `"oci://**"`, `"file:**"`}, false},
		{[]string{`"oci://a.test/x/**"`, `"oci://a.test/x/*"`}, true},
		{[]string{`"oci://a.test/x/**"`, `"oci://a.test/x/**"`}, true},
		{[]string{`"oci://a.test/**"`, `"oci://b.test/**", "oci://a.test/x"`}, true},
		{[]string{`"oci://b.test/**", "oci://a.test/**"`, `"oci://a.test/x"`}, true},
		{[]string{`"oci://a.test/*/x"`, `"oci://a.test/**/x"`}, false},
		{[]string{`"file:charts/*"`, `"file:*"`}, false},
	} {
		_, err := compile(t, folder, rules(tc.patterns...), gate.Options{})
		if dead := err != nil && strings.Contains(err.Error(), "can never match"); dead != tc.dead || (err != nil) != tc.dead {
			t.Errorf("rules %q: got %v, want a dead rule: %t", tc.patterns, err, tc.dead)
		}
	}
}

// TestCoverIsSound: what a covered pattern matches, the covering one matches too. Otherwise
// a rule that is reached would be refused; the other way round nothing is promised.
func TestCoverIsSound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	covered, reached := 0, 0
	for range 60_000 {
		p, q := randomPattern(random), randomPattern(random)
		outer, err1 := gate.ParsePattern(p, "/")
		inner, err2 := gate.ParsePattern(q, "/")
		if err1 != nil || err2 != nil || !outer.Covers(inner) {
			continue
		}
		covered++
		for range 8 {
			ref := chartsign.Reference{Registry: "h", Repository: randomName(random)}
			if inner.Matches(ref) {
				if reached++; !outer.Matches(ref) {
					t.Fatalf("%q covers %q, which matches %s: it does not", p, q, ref.Name())
				}
			}
		}
	}
	if covered < 1000 || reached < 1000 {
		t.Errorf("got %d covered pairs and %d matches, want more of both", covered, reached)
	}
}

func randomPattern(random *rand.Rand) string {
	segments := []string{"*", "*", "**", "**", "a", "b", "a*", "*a", "a*b", "ab", "a*a", "*b*"}
	text := "oci://h"
	if random.IntN(8) == 0 {
		text = "oci://*"
	}
	for range 1 + random.IntN(4) {
		text += "/" + segments[random.IntN(len(segments))]
	}
	return text
}

func randomName(random *rand.Rand) string {
	segments := []string{"a", "b", "ab", "aa", "ba", "aab", "abb", "aba"}
	var parts []string
	for range 1 + random.IntN(4) {
		parts = append(parts, segments[random.IntN(len(segments))])
	}
	return strings.Join(parts, "/")
}

// FuzzCover is TestCoverIsSound for whatever a fuzzer thinks of.
func FuzzCover(f *testing.F) {
	f.Add("oci://a.test/**", "oci://a.test/*/x", "oci://a.test/y/x:1")
	f.Add("file:**", "file:charts/*", "charts/x.tgz")
	f.Add("oci://*/a*b", "oci://a.test/ab", "oci://a.test/ab")
	f.Fuzz(func(t *testing.T, outer, inner, name string) {
		p, err1 := gate.ParsePattern(outer, "/srv")
		q, err2 := gate.ParsePattern(inner, "/srv")
		ref, err3 := chartsign.ParseReference(name)
		if err1 != nil || err2 != nil || err3 != nil {
			return
		}
		if p.Covers(q) && q.Matches(ref) && !p.Matches(ref) {
			t.Errorf("%q covers %q, which matches %q: it does not", outer, inner, name)
		}
		if !p.Covers(p) {
			t.Errorf("%q does not cover itself", outer)
		}
	})
}

// TestManyWildCardsAreCheap: a pattern of many '**' takes no more time than any other.
func TestManyWildCardsAreCheap(t *testing.T) {
	text := "oci://h" + strings.Repeat("/**/a", 60)
	pattern, err := gate.ParsePattern(text+"/b", "/")
	if err != nil {
		t.Fatal(err)
	}
	other, err := gate.ParsePattern("oci://h"+strings.Repeat("/a", 120), "/")
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if pattern.Covers(other) || pattern.Matches(chartsign.Reference{Registry: "h", Repository: strings.Repeat("a/", 120) + "a"}) {
		t.Error("a pattern that ends in b matches what ends in a")
	}
	if spent := time.Since(begin); spent > time.Second {
		t.Errorf("got an answer after %s, want it at once", spent)
	}
}
