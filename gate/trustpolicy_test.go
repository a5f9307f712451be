// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/internal/limits"
)

// everyField is a trust policy that uses whatever the format has.
var everyField = header + `
rules:
- name: production
  match: ["oci://registry.example/charts/**", "oci://registry.example:5000/*/stable-*"]
  signers:
  - name: bot
    keyless: {issuer: https://issuer.example.test, subjectRegexp: "https://github.com/acme/.*", extensions: {sourceRepositoryURI: "https://github.com/acme/charts"}}
    transparency: optional
  - name: maintainers
    pgp: {keyring: team.asc, fingerprints: ["` + fpr("release") + `"]}
    transparency: required
  - name: kms
    key: {file: cosign.pub}
  require: 2
  policies: [policy/]
  policyData: [data.yaml]
  waivers: [{rule: min-version, charts: ["legacy-*"], reason: "until the rewrite", until: 2027-01-31}]
  mode: warn
  warnUnsigned: true
  anyTag: true
  anyName: true
- {name: local, match: ["file:**"], signers: [` + signRelease + `]}
trustedRoot: trusted_root.json
`

func TestParseTrustPolicy(t *testing.T) {
	got, err := gate.ParseTrustPolicy([]byte(everyField))
	if err != nil {
		t.Fatal(err)
	}
	want := &gate.TrustPolicy{
		APIVersion: "chartsign.dev/v1", Kind: "TrustPolicy", TrustedRoot: "trusted_root.json",
		Rules: []gate.Rule{
			{
				Name: "production", Match: []string{"oci://registry.example/charts/**", "oci://registry.example:5000/*/stable-*"},
				Signers: []gate.Signer{
					{Name: "bot", Transparency: "optional", Keyless: &gate.Keyless{
						Issuer: "https://issuer.example.test", SubjectRegexp: "https://github.com/acme/.*",
						Extensions: map[string]string{"sourceRepositoryURI": "https://github.com/acme/charts"},
					}},
					{Name: "maintainers", Transparency: "required", PGP: &gate.PGPKeys{Keyring: "team.asc", Fingerprints: []string{fpr("release")}}},
					{Name: "kms", Key: &gate.KeyFiles{File: "cosign.pub"}},
				},
				Require: "2", Policies: []string{"policy/"}, PolicyData: []string{"data.yaml"},
				Waivers: []gate.Waiver{{Rule: "min-version", Charts: []string{"legacy-*"}, Reason: "until the rewrite", Until: "2027-01-31"}},
				Mode:    "warn", WarnUnsigned: true, AnyTag: true, AnyName: true,
			},
			{Name: "local", Match: []string{"file:**"}, Signers: []gate.Signer{{Name: "release", PGP: &gate.PGPKeys{Keyring: "release.asc"}}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("trust policy (-want +got):\n%s", diff)
	}
}

// TestParseRefuses: what is not understood to the last field is not a trust policy.
func TestParseRefuses(t *testing.T) {
	rules := "rules:\n- {name: a, match: [\"file:**\"], signers: [" + signRelease + "]"
	for name, tc := range map[string]struct{ text, want string }{
		"empty":                    {"", "empty file"},
		"no mapping":               {"- a\n", "cannot unmarshal"},
		"no YAML":                  {"a: [", "yaml"},
		"other apiVersion":         {strings.Replace(header, "dev/v1", "dev/v2", 1) + rules + "}\n", "apiVersion"},
		"other kind":               {strings.Replace(header, "TrustPolicy", "Report", 1) + rules + "}\n", "kind"},
		"no rules":                 {header + "rules: []\n", "no rules"},
		"rules missing":            {header, "no rules"},
		"rules null":               {header + "rules:\n", "no value"},
		"unknown field":            {header + "trust: x\n" + rules + "}\n", "trust"},
		"unknown field of a rule":  {header + rules + ", enforce: true}\n", "enforce"},
		"singular signer":          {header + strings.Replace(rules, "signers", "signer", 1) + "}\n", "signer"},
		"policy signers":           {header + rules + ", policySigners: []}\n", "policySigners"},
		"TUF":                      {header + rules + "}\ntuf: {url: https://tuf.example}\n", "tuf"},
		"upper case field":         {header + rules + ", Require: all}\n", "Require"},
		"field in two spellings":   {header + rules + ", require: all, Require: any}\n", "Require"},
		"upper case of all":        {strings.ToUpper(header) + rules + "}\n", "APIVERSION"},
		"field twice":              {header + rules + ", require: all, require: any}\n", "duplicate key"},
		"rules twice":              {header + rules + "}\n" + rules + "}\n", "duplicate key"},
		"extension twice":          {header + "rules:\n- {name: a, match: [\"file:**\"], signers: [{name: b, keyless: {issuer: i, subject: s, extensions: {runnerEnvironment: a, runnerEnvironment: b}}}]}\n", "duplicate key"},
		"second document":          {header + rules + "}\n---\n" + header + rules + "}\n", "several YAML documents"},
		"document before":          {"---\nmode: warn\n---\n" + header + rules + "}\n", "several YAML documents"},
		"require empty":            {header + rules + ", require: }\n", "no value"},
		"require empty text":       {header + rules + ", require: \"\"}\n", "require"},
		"require a list":           {header + rules + ", require: [all]}\n", "require"},
		"require true":             {header + rules + ", require: true}\n", "require"},
		"mode without value":       {header + rules + ", mode: }\n", "no value"},
		"null in a list":           {header + rules + ", policies: [null]}\n", "no value"},
		"number for a text":        {header + strings.Replace(rules, "name: a", "name: 1", 1) + "}\n", "cannot unmarshal"},
		"text for a list":          {header + strings.Replace(rules, "[\"file:**\"]", "\"file:**\"", 1) + "}\n", "cannot unmarshal"},
		"text for a truth value":   {header + rules + ", anyTag: \"true\"}\n", "cannot unmarshal"},
		"fingerprints left empty":  {header + "rules:\n- name: a\n  match: [\"file:**\"]\n  signers:\n  - name: b\n    pgp:\n      keyring: k\n      fingerprints:\n", "no value"},
		"larger than its cap":      {header + strings.Repeat("# more\n", int(limits.TrustPolicy/7)), "too large"},
		"larger once aliases are":  {header + "x: &x \"" + strings.Repeat("x", 1000) + "\"\ny: [" + strings.Repeat("*x, ", 2000) + "]\n" + rules + "}\n", "too large"},
		"binary":                   {"\x00\x01", "yaml"},
		"not UTF-8":                {header + "# \xff\n" + rules + "}\n", "yaml"},
		"acceptDecisions in a map": {header + "rules: {a: {}}\n", "cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := gate.ParseTrustPolicy([]byte(tc.text))
			wantRefusal(t, got != nil, err, tc.want)
		})
	}
}

func wantRefusal(t *testing.T, accepted bool, err error, want string) {
	t.Helper()
	if accepted || err == nil {
		t.Fatalf("got no error, want one about %q", want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error: got %q, want it to say %q", err, want)
	}
}

// TestCompileRefuses: a rule that could not mean what it says is an error before anything is
// judged.
func TestCompileRefuses(t *testing.T) {
	one := func(lines ...string) string { return rule([]string{signRelease}, lines...) }
	signers := func(list ...string) string { return rule(list) }
	for name, tc := range map[string]struct{ text, want string }{
		"no name":              {strings.Replace(one(), "name: only", "name: \"\"", 1), "no name"},
		"no match":             {strings.Replace(one(), "[\"file:**\", \"oci://**\"]", "[]", 1), "matches nothing"},
		"no signers":           {signers(), "names no signer"},
		"attesters":            {rule([]string{signRelease}, "attesters: [{name: builder}]"), "judges no attestations"},
		"accepted decisions":   {rule([]string{signRelease}, "acceptDecisions: [gate]"), "decisions of others"},
		"signer without a key": {signers("{name: nobody}"), "names no key"},
		"signer without name":  {signers("{pgp: {keyring: release.asc}}"), "name"},
		"signers named alike":  {signers(signRelease, strings.Replace(signMaintainer, "name: maintainer", "name: release", 1)), "name"},
		"rules named alike":    {one() + "- {name: only, match: [\"file:x\"], signers: [" + signRelease + "]}\n", "two rules"},

		"require 0":        {one("require: 0"), "from 1 to 1"},
		"require negative": {one("require: -1"), "from 1 to 1"},
		"require 2 of 1":   {one("require: 2"), "from 1 to 1"},
		"require 1.5":      {one("require: 1.5"), "from 1 to 1"},
		"require most":     {one("require: most"), "from 1 to 1"},
		"require ALL":      {one("require: ALL"), "from 1 to 1"},
		"require huge":     {one("require: 18446744073709551617"), "from 1 to 1"},

		"mode audit":                {one("mode: audit"), "enforce or warn"},
		"mode in capitals":          {one("mode: Warn"), "enforce or warn"},
		"warnUnsigned by itself":    {one("warnUnsigned: true"), "needs mode: warn"},
		"warnUnsigned and enforced": {one("mode: enforce", "warnUnsigned: true"), "needs mode: warn"},
		"other transparency":        {signers("{name: a, pgp: {keyring: release.asc}, transparency: none}"), "required or optional"},

		"missing keyring":              {signers("{name: a, pgp: {keyring: none.asc}}"), "no such file"},
		"no keyring":                   {signers("{name: a, pgp: {}}"), "relative to the trust policy"},
		"absolute keyring":             {signers("{name: a, pgp: {keyring: /etc/passwd}}"), "relative to the trust policy"},
		"keyring outside":              {signers("{name: a, pgp: {keyring: ../outside.asc}}"), "leads out"},
		"keyring by a link":            {signers("{name: a, pgp: {keyring: link.asc}}"), "leads out"},
		"keyring by a linked folder":   {signers("{name: a, pgp: {keyring: linked/outside.asc}}"), "leads out"},
		"keyring is a folder":          {signers("{name: a, pgp: {keyring: .}}"), "regular file"},
		"keyring is no keyring":        {signers("{name: a, pgp: {keyring: trust.yaml}}"), "unreadable keyring"},
		"fingerprint of another ring":  {signers("{name: a, pgp: {keyring: release.asc, fingerprints: [\"" + fpr("mallory") + "\"]}}"), "no primary key"},
		"fingerprint of a subkey":      {signers("{name: a, pgp: {keyring: maintainer.asc, fingerprints: [\"" + subkey("maintainer") + "\"]}}"), "no primary key"},
		"key ID":                       {signers("{name: a, pgp: {keyring: release.asc, fingerprints: [\"0F411E23C73D5292\"]}}"), "malformed fingerprint"},
		"no fingerprints":              {signers("{name: a, pgp: {keyring: release.asc, fingerprints: []}}"), "fingerprints is empty"},
		"empty fingerprint":            {signers("{name: a, pgp: {keyring: release.asc, fingerprints: [\"\"]}}"), "malformed fingerprint"},
		"keyless without a root":       {strings.Replace(signers(signBot), "trustedRoot: trusted_root.json", "", 1), "needs trustedRoot"},
		"root outside":                 {strings.Replace(one(), "trusted_root.json", "../outside.asc", 1), "leads out"},
		"root is none":                 {strings.Replace(one(), "trusted_root.json", "release.asc", 1), "unreadable trusted root"},
		"keyless without a subject":    {signers("{name: a, keyless: {issuer: i}}"), "subject"},
		"keyless without an issuer":    {signers("{name: a, keyless: {subject: i}}"), "issuer"},
		"keyless twice":                {signers("{name: a, keyless: {issuer: i, subject: s, subjectRegexp: s}}"), "subject"},
		"expression is none":           {signers("{name: a, keyless: {issuer: i, subjectRegexp: \"(\"}}"), "subjectRegexp"},
		"expression escapes":           {signers("{name: a, keyless: {issuer: i, subjectRegexp: \"a)|(?:.*\"}}"), "subjectRegexp"},
		"expression matches nothing":   {signers("{name: a, keyless: {issuer: i, subjectRegexp: \".*\"}}"), "empty string"},
		"unknown extension":            {signers("{name: a, keyless: {issuer: i, subject: s, extensions: {repo: x}}}"), "unknown certificate extension"},
		"no extension":                 {signers("{name: a, keyless: {issuer: i, subject: s, extensions: {}}}"), "extensions is empty"},
		"public key is none":           {signers("{name: a, key: {file: release.asc}}"), "public key"},
		"public key has no file":       {signers("{name: a, key: {}}"), "relative to the trust policy"},
		"KMS key":                      {signers("{name: a, key: {file: \"awskms://alias/x\"}}"), "relative to the trust policy"},
		"policy from a registry":       {one("policies: [\"oci://registry.example/policy\"]"), "relative to the trust policy"},
		"policy outside":               {one("policies: [\"..\"]"), "leads out"},
		"missing policy":               {one("policies: [none.rego]"), "no such file"},
		"policy without rules":         {one("policies: [empty]"), "defines no deny"},
		"policy that cannot deny":      {one("policies: [warn.rego]"), "defines no deny"},
		"policy with a typo":           {one("policies: [typo.rego]"), "denny"},
		"data without a policy":        {one("policyData: [data.yaml]"), "without a policy"},
		"data outside":                 {one("policies: [warn.rego]", "policyData: [../outside.yaml]"), "leads out"},
		"waiver without a reason":      {one("waivers: [{rule: a, charts: [b], reason: \"\", until: 2027-01-31}]"), "waiver 1"},
		"waiver without charts":        {one("waivers: [{rule: a, charts: [], reason: b, until: 2027-01-31}]"), "waiver 1"},
		"waiver without a rule":        {one("waivers: [{charts: [a], reason: b, until: 2027-01-31}]"), "waiver 1"},
		"waiver for ever":              {one("waivers: [{rule: a, charts: [b], reason: c}]"), "waiver 1"},
		"waiver until no day":          {one("waivers: [{rule: a, charts: [b], reason: c, until: 2027-02-30}]"), "waiver 1"},
		"waiver until a time":          {one("waivers: [{rule: a, charts: [b], reason: c, until: \"2027-01-31T00:00:00Z\"}]"), "waiver 1"},
		"waiver with a bad pattern":    {one("waivers: [{rule: a, charts: [\"[\"], reason: c, until: 2027-01-31}]"), "chart pattern"},
		"waiver of an error":           {one("waivers: [{rule: policy-error, charts: [b], reason: c, until: 2027-01-31}]"), "cannot be waived"},
		"waiver of a time-out":         {one("waivers: [{rule: policy-timeout, charts: [b], reason: c, until: 2027-01-31}]"), "cannot be waived"},
		"waiver of no result":          {one("waivers: [{rule: policy-undefined, charts: [b], reason: c, until: 2027-01-31}]"), "cannot be waived"},
		"rule that is never reached":   {one() + "- {name: late, match: [\"oci://registry.example/charts/web\"], signers: [" + signRelease + "]}\n", "can never match"},
		"pattern that is never":        {one() + "- {name: late, match: [\"file:x\"], signers: [" + signRelease + "]}\n", "can never match"},
		"pattern of another form":      {strings.Replace(one(), "file:**", "https://registry.example/**", 1), "want oci://HOST/PATH or file:PATH"},
		"second rule is wrong as well": {one() + "- {name: late, match: [\"oci://REGISTRY/**\"], signers: [" + signRelease + "]}\n", "canonical form"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := trustFolder(t)
			outside := filepath.Join(filepath.Dir(folder), "outside.asc")
			writeFile(t, outside, readFile(t, testdata("keys", "mallory.pub.asc")))
			for link, target := range map[string]string{"link.asc": "../outside.asc", "linked": ".."} {
				if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
					t.Fatal(err)
				}
			}
			writeFile(t, filepath.Join(filepath.Dir(folder), "outside.yaml"), []byte("a: b\n"))
			writeFile(t, filepath.Join(folder, "data.yaml"), []byte("a: b\n"))
			writeFile(t, filepath.Join(folder, "empty", "README"), nil)
			writeFile(t, filepath.Join(folder, "warn.rego"), readFile(t, testdata("policies", "warn-only", "warn.rego")))
			writeFile(t, filepath.Join(folder, "typo.rego"), readFile(t, testdata("policies", "typo", "typo.rego")))
			trust, err := compile(t, folder, tc.text, gate.Options{})
			wantRefusal(t, trust != nil, err, tc.want)
		})
	}
}

// TestErrorsCanBeTold: callers tell a bad trust policy from a bad requirement.
func TestErrorsCanBeTold(t *testing.T) {
	folder := trustFolder(t)
	if _, err := compile(t, folder, rule(nil), gate.Options{}); !errors.Is(err, gate.ErrTrustPolicy) {
		t.Errorf("no signers: got %v, want ErrTrustPolicy", err)
	}
	if _, err := compile(t, folder, rule([]string{signRelease}, "require: 3"), gate.Options{}); !errors.Is(err, gate.ErrRequirement) {
		t.Errorf("requirement: got %v, want ErrRequirement", err)
	}
	if _, err := gate.LoadTrust(t.Context(), filepath.Join(folder, "none.yaml"), gate.Options{}); !errors.Is(err, os.ErrNotExist) || !errors.Is(err, gate.ErrTrustPolicy) {
		t.Errorf("missing: got %v, want ErrTrustPolicy and ErrNotExist", err)
	}
}

// TestLinksWithinTheFolder: a Kubernetes volume is made of links.
func TestLinksWithinTheFolder(t *testing.T) {
	folder := trustFolder(t)
	if err := os.MkdirAll(filepath.Join(folder, "..data"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(folder, "release.asc"), filepath.Join(folder, "..data", "release.asc")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..data/release.asc", filepath.Join(folder, "release.asc")); err != nil {
		t.Fatal(err)
	}
	mustCompile(t, folder, rule([]string{signRelease}))
	mustCompile(t, folder, rule([]string{`{name: a, pgp: {keyring: "sub/../release.asc"}}`}))
}

// TestEmptyListsOfLaterFeatures: what the format has and this version does not judge may
// stand in the file as long as nothing hangs on it.
func TestEmptyListsOfLaterFeatures(t *testing.T) {
	t.Parallel()
	text := rule([]string{signRelease}, "attesters: []", "acceptDecisions: []")
	if _, err := compile(t, trustFolder(t), text, gate.Options{}); err != nil {
		t.Error(err)
	}
}
