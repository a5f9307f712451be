// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
)

func TestParseReference(t *testing.T) {
	digest := chartsign.DigestOf(nil)
	tests := map[string]struct {
		registry, repository, tag string
		digest                    chartsign.Digest
		name                      string
	}{
		"oci://registry.example/charts/demo":                {"registry.example", "charts/demo", "", chartsign.Digest{}, "oci://registry.example/charts/demo"},
		"oci://registry.example/charts/demo:1.2.3":          {"registry.example", "charts/demo", "1.2.3", chartsign.Digest{}, "oci://registry.example/charts/demo"},
		"oci://registry.example/demo:1.2.3_b.4":             {"registry.example", "demo", "1.2.3_b.4", chartsign.Digest{}, "oci://registry.example/demo"},
		"oci://registry.example/demo@" + emptyDigest:        {"registry.example", "demo", "", digest, "oci://registry.example/demo"},
		"oci://registry.example:5000/demo:1@" + emptyDigest: {"registry.example:5000", "demo", "1", digest, "oci://registry.example:5000/demo"},
		"oci://Registry.EXAMPLE/demo":                       {"registry.example", "demo", "", chartsign.Digest{}, "oci://registry.example/demo"},
		"oci://registry.example:443/demo":                   {"registry.example", "demo", "", chartsign.Digest{}, "oci://registry.example/demo"},
		"oci://registry-1.docker.io/acme/demo":              {"docker.io", "acme/demo", "", chartsign.Digest{}, "oci://docker.io/acme/demo"},
		"oci://INDEX.docker.io:443/acme/demo":               {"docker.io", "acme/demo", "", chartsign.Digest{}, "oci://docker.io/acme/demo"},
		"oci://localhost:5000/a/b/c/d:latest":               {"localhost:5000", "a/b/c/d", "latest", chartsign.Digest{}, "oci://localhost:5000/a/b/c/d"},
		"oci://127.0.0.1:5000/a":                            {"127.0.0.1:5000", "a", "", chartsign.Digest{}, "oci://127.0.0.1:5000/a"},
		"oci://[::1]:5000/a:1":                              {"[::1]:5000", "a", "1", chartsign.Digest{}, "oci://[::1]:5000/a"},
		"oci://[FE80::443]:443/a":                           {"[fe80::443]", "a", "", chartsign.Digest{}, "oci://[fe80::443]/a"},
		"oci://r.example/a-b--c/d__e.f_g:" + longTag():      {"r.example", "a-b--c/d__e.f_g", longTag(), chartsign.Digest{}, "oci://r.example/a-b--c/d__e.f_g"},
		"oci://r.example/" + strings.Repeat("a", 255):       {"r.example", strings.Repeat("a", 255), "", chartsign.Digest{}, "oci://r.example/" + strings.Repeat("a", 255)},
	}
	for given, tt := range tests {
		t.Run(given, func(t *testing.T) {
			got, err := chartsign.ParseReference(given)
			must(t, err)
			want := chartsign.Reference{Given: given, Registry: tt.registry, Repository: tt.repository, Tag: tt.tag, Digest: tt.digest}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("reference (-want +got):\n%s", diff)
			}
			if got := got.Name(); got != tt.name {
				t.Errorf("got name %q, want %q", got, tt.name)
			}
			if !got.IsOCI() {
				t.Error("got IsOCI false, want true")
			}
		})
	}
}

func longTag() string { return "_" + strings.Repeat("A", 127) }

func TestParseReferenceFiles(t *testing.T) {
	for _, given := range []string{"demo-1.2.3.tgz", "./demo", "/srv/charts/demo-1.2.3+b.4.tgz", "a@b:c", "oci:/host/a", `C:\charts\demo.tgz`, "../demo"} {
		ref, err := chartsign.ParseReference(given)
		must(t, err)
		want := chartsign.Reference{Given: given, File: given}
		if diff := cmp.Diff(want, ref); diff != "" {
			t.Errorf("%s: reference (-want +got):\n%s", given, diff)
		}
		if ref.IsOCI() || ref.Name() != given || ref.Pinned(chartsign.DigestOf(nil)) != given {
			t.Errorf("%s: got OCI %t, name %q, pinned %q, want the path", given, ref.IsOCI(), ref.Name(), ref.Pinned(chartsign.DigestOf(nil)))
		}
	}
}

func TestParseReferenceRefuses(t *testing.T) {
	for name, given := range map[string]string{
		"empty":                     "",
		"long":                      "oci://r.example/" + strings.Repeat("a", 1024),
		"long path":                 strings.Repeat("a", 1025),
		"http":                      "https://charts.example.com/demo-1.2.3.tgz",
		"scheme in capitals":        "OCI://r.example/a",
		"other scheme":              "verified+oci://r.example/a",
		"file scheme":               "file:///etc/passwd",
		"no host":                   "oci:///a",
		"no repository":             "oci://r.example",
		"no repository, slash":      "oci://r.example/",
		"no repository, tag":        "oci://r.example:1.0.0",
		"user":                      "oci://user@r.example/a",
		"user and password":         "oci://user:secret@r.example/a",
		"query":                     "oci://r.example/a?x=y",
		"fragment":                  "oci://r.example/a#b",
		"empty tag":                 "oci://r.example/a:",
		"tag with plus":             "oci://r.example/a:1.0.0+b",
		"tag too long":              "oci://r.example/a:" + longTag() + "a",
		"tag that starts with dash": "oci://r.example/a:-1",
		"two tags":                  "oci://r.example/a:1:2",
		"empty digest":              "oci://r.example/a@",
		"short digest":              "oci://r.example/a@sha256:00",
		"sha512":                    "oci://r.example/a@sha512:" + strings.Repeat("0a", 64),
		"zero digest":               "oci://r.example/a@sha256:" + strings.Repeat("0", 64),
		"digest and more":           "oci://r.example/a@" + emptyDigest + "@" + emptyDigest,
		"tag after digest":          "oci://r.example/a@" + emptyDigest + ":1",
		"upper-case repository":     "oci://r.example/Charts/a",
		"empty component":           "oci://r.example/a//b",
		"dot component":             "oci://r.example/./a",
		"parent component":          "oci://r.example/a/../b",
		"slash at the end":          "oci://r.example/a/",
		"long repository":           "oci://r.example/" + strings.Repeat("a", 256),
		"escape":                    "oci://r.example/a%2fb",
		"blank":                     "oci://r.example/a b",
		"newline":                   "oci://r.example/a\n",
		"terminal escape":           "oci://r.example/\x1b[31m",
		"umlaut":                    "oci://r.example/\u00e4",
		"host with umlaut":          "oci://r\u00e4.example/a",
		"host with a dot at end":    "oci://r.example./a",
		"host with underscore":      "oci://r_x.example/a",
		"port with leading zero":    "oci://r.example:0443/a",
		"port zero":                 "oci://r.example:0/a",
		"port too long":             "oci://r.example:100000/a",
		"port empty":                "oci://r.example:/a",
		"port a name":               "oci://r.example:https/a",
		"two ports":                 "oci://r.example:443:443/a",
		"IPv6 without brackets":     "oci://::1/a",
		"IPv6 malformed":            "oci://[:::1]/a",
		"IPv6 in a long form":       "oci://[0:0:0:0:0:0:0:1]/a",
		"IPv6 with a zone":          "oci://[fe80::1%25eth0]/a",
	} {
		t.Run(name, func(t *testing.T) {
			ref, err := chartsign.ParseReference(given)
			if !errors.Is(err, chartsign.ErrReference) {
				t.Errorf("got %+v, %v, want ErrReference", ref, err)
			}
			if ref != (chartsign.Reference{}) {
				t.Errorf("got %+v beside an error, want nothing", ref)
			}
		})
	}
}

// Errors end in logs: a password must not.
func TestReferenceErrorsHoldNoPassword(t *testing.T) {
	_, err := chartsign.ParseReference("oci://user:secret@r.example/a")
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want an error without the password", err)
	}
	_, err = chartsign.ParseReference("https://user:secret@r.example/a")
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want an error without the password", err)
	}
}

func TestReferenceForms(t *testing.T) {
	ref, err := chartsign.ParseReference("oci://r.example/charts/demo:1.0.0_b")
	must(t, err)
	if got, want := ref.BaseName(), "demo"; got != want {
		t.Errorf("got base name %q, want %q", got, want)
	}
	if got, want := ref.Pinned(chartsign.DigestOf(nil)), "oci://r.example/charts/demo@"+emptyDigest; got != want {
		t.Errorf("got pinned %q, want %q", got, want)
	}
	if got, want := ref.Pinned(chartsign.Digest{}), "oci://r.example/charts/demo"; got != want {
		t.Errorf("got pinned %q, want %q", got, want)
	}
	if got, want := chartsign.TagOfVersion("1.0.0-rc.1+b.7"), "1.0.0-rc.1_b.7"; got != want {
		t.Errorf("got tag %q, want %q", got, want)
	}
	subject := chartsign.Subject{Reference: ref, Manifest: chartsign.DigestOf(nil)}
	if got, want := subject.Resolved(), "oci://r.example/charts/demo@"+emptyDigest; got != want {
		t.Errorf("got resolved %q, want %q", got, want)
	}
}

func FuzzParseReference(f *testing.F) {
	for _, seed := range []string{
		"", "demo.tgz", "oci://r.example/a", "oci://R.example:443/a:1_2@" + emptyDigest, "oci://index.docker.io/a", "oci://[::1]:80/a",
		"oci://user:p@h/a", "https://h/a", "oci://r.example/a:", "oci://h:0443/a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		ref, err := chartsign.ParseReference(given)
		if err != nil {
			if !errors.Is(err, chartsign.ErrReference) || ref != (chartsign.Reference{}) {
				t.Fatalf("%q: got %+v, %v, want nothing and ErrReference", given, ref, err)
			}
			return
		}
		again, err := chartsign.ParseReference(ref.Name())
		must(t, err)
		if again.Name() != ref.Name() || again.Registry != ref.Registry || again.Repository != ref.Repository {
			t.Errorf("got %+v from the name of %+v, want the same chart", again, ref)
		}
		pinned, err := chartsign.ParseReference(ref.Pinned(ref.Digest))
		must(t, err)
		if ref.IsOCI() && (pinned.Digest != ref.Digest || pinned.Name() != ref.Name()) {
			t.Errorf("got %+v from the pinned form of %+v, want the same", pinned, ref)
		}
		if chartsign.CanonicalRegistry(ref.Registry) != ref.Registry {
			t.Errorf("got a registry %q that is not canonical", ref.Registry)
		}
	})
}
