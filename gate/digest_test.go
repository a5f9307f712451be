// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/verify"
)

// TestTrustDigest: it changes exactly when the rule, its keys or the options do.
func TestTrustDigest(t *testing.T) {
	base := rule([]string{signRelease, signBot})
	digest := func(t *testing.T, text string, opts gate.Options, edit func(folder string)) chartsign.Digest {
		t.Helper()
		folder := trustFolder(t)
		if edit != nil {
			edit(folder)
		}
		trust, err := compile(t, folder, text, opts)
		if err != nil {
			t.Fatal(err)
		}
		return judge(t, trust, remote(t)).TrustDigest
	}
	want := digest(t, base, gate.Options{}, nil)
	if want.IsZero() {
		t.Fatal("got no trust digest")
	}
	replace := func(name, by string) func(string) {
		return func(folder string) {
			writeFile(t, filepath.Join(folder, name+".asc"), readFile(t, testdata("keys", by+".pub.asc")))
		}
	}
	late := "- {name: later, match: [\"file:x\"], signers: [" + signMaintainer + "]}\n"
	for name, tc := range map[string]struct {
		text string
		opts gate.Options
		edit func(string)
		same bool
	}{
		"again":                {text: base, same: true},
		"comments and spaces":  {text: "# trust\n" + strings.Replace(base, "[{", "[ {", 1), same: true},
		"file that is unused":  {text: base, edit: replace("split", "mallory"), same: true},
		"rule that is another": {text: strings.Replace(base, "\"file:**\", ", "", 1) + late, same: false},
		"key behind the name":  {text: base, edit: replace("release", "mallory")},
		"key beside it":        {text: base, edit: replace("release", "team")},
		"trusted root": {text: base, edit: func(folder string) {
			writeFile(t, filepath.Join(folder, "trusted_root.json"), testkit.NewVirtualSigstore(t).RootJSON(t))
		}},
		"subject":     {text: strings.Replace(base, "release@example.test", "other@example.test", 1)},
		"require":     {text: rule([]string{signRelease, signBot}, "require: all")},
		"mode":        {text: rule([]string{signRelease, signBot}, "mode: warn")},
		"exception":   {text: rule([]string{signRelease, signBot}, "anyTag: true")},
		"waiver":      {text: rule([]string{signRelease, signBot}, "waivers: [{rule: a, charts: [b], reason: c, until: 2027-01-31}]")},
		"name":        {text: strings.Replace(base, "name: only", "name: other", 1)},
		"signer":      {text: rule([]string{signRelease, signBot, signMaintainer})},
		"helm-compat": {text: base, opts: gate.Options{HelmCompat: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := digest(t, tc.text, tc.opts, tc.edit); (got == want) != tc.same {
				t.Errorf("trust digest: the same: %t, want %t", got == want, tc.same)
			}
		})
	}
}

// TestTrustDigestKnowsWhoseKeyItIs: the same keys under exchanged names are another trust:
// results that were stored under the digest name the signers.
func TestTrustDigestKnowsWhoseKeyItIs(t *testing.T) {
	text := rule([]string{`{name: a, pgp: {keyring: a.asc}}`, `{name: b, pgp: {keyring: b.asc}}`})
	digest := func(a, b string) chartsign.Digest {
		folder := trustFolder(t)
		writeFile(t, filepath.Join(folder, "a.asc"), readFile(t, testdata("keys", a+".pub.asc")))
		writeFile(t, filepath.Join(folder, "b.asc"), readFile(t, testdata("keys", b+".pub.asc")))
		return judge(t, mustCompile(t, folder, text), remote(t)).TrustDigest
	}
	if digest("release", "maintainer") == digest("maintainer", "release") {
		t.Error("two trusts have one digest")
	}
}

// TestShortTrustDigest does the same for trust by flags.
func TestShortTrustDigest(t *testing.T) {
	folder := trustFolder(t)
	digest := func(short gate.ShortTrust, opts gate.Options) chartsign.Digest {
		trust, err := gate.CompileShort(t.Context(), short, opts)
		if err != nil {
			t.Fatal(err)
		}
		return judge(t, trust, remote(t)).TrustDigest
	}
	root := filepath.Join(folder, "trusted_root.json")
	ring := []string{filepath.Join(folder, "team.asc")}
	base := gate.ShortTrust{Keyrings: ring}
	seen := map[chartsign.Digest]string{}
	for name, short := range map[string]gate.ShortTrust{
		"team":          base,
		"one of it":     {Keyrings: ring, Fingerprints: []string{fpr("release")}},
		"another of it": {Keyrings: ring, Fingerprints: []string{fpr("split")}},
		"two of it":     {Keyrings: ring, Require: "2"},
		"identity":      {Keyrings: ring, Identity: &verify.KeylessIdentity{Issuer: "i", Subject: "s"}, TrustedRoot: root},
		"expression":    {Keyrings: ring, Identity: &verify.KeylessIdentity{Issuer: "i", SubjectRegexp: "s"}, TrustedRoot: root},
		"root":          {Keyrings: ring, TrustedRoot: root},
	} {
		got := digest(short, gate.Options{})
		if other, ok := seen[got]; ok || got.IsZero() {
			t.Errorf("%s and %s have one trust digest, %q", name, other, got)
		}
		seen[got] = name
		if again := digest(short, gate.Options{}); again != got {
			t.Errorf("%s: the trust digest changes by itself", name)
		}
	}
	if got := digest(base, gate.Options{HelmCompat: true}); seen[got] != "" {
		t.Error("helm-compat does not change the trust digest")
	}
}

// TestPolicyDigest: it names what decided, also where the policy was not asked.
func TestPolicyDigest(t *testing.T) {
	allow := withPolicy(t, `deny contains "x" if false`)
	first := judge(t, allow, remote(t, byRelease(t))).PolicyDigest
	if got := judge(t, allow, remote(t)).PolicyDigest; got != first || first == "" {
		t.Errorf("digest for an unsigned chart: got %q, want %q", got, first)
	}
	if got := judge(t, withPolicy(t, `deny contains "y" if false`), remote(t)).PolicyDigest; got == first {
		t.Error("two policies have one digest")
	}
	if got := judge(t, trusting(t, []string{signRelease}), remote(t)).PolicyDigest; got != "" {
		t.Errorf("no policy: got the digest %q", got)
	}
}
