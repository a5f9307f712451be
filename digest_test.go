// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
)

const emptyDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestDigestOf(t *testing.T) {
	if got := chartsign.DigestOf(nil).String(); got != emptyDigest {
		t.Errorf("got %s, want %s", got, emptyDigest)
	}
	h := sha256.New()
	h.Write([]byte("chart"))
	if got, want := chartsign.SumDigest(h), chartsign.DigestOf([]byte("chart")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseDigest(t *testing.T) {
	got, err := chartsign.ParseDigest(emptyDigest)
	must(t, err)
	if want := chartsign.DigestOf(nil); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	hex := strings.TrimPrefix(emptyDigest, "sha256:")
	refused := map[string]string{
		"empty":                "",
		"prefix only":          "sha256:",
		"no prefix":            hex,
		"upper-case hex":       "sha256:" + strings.ToUpper(hex),
		"upper-case algorithm": "SHA256:" + hex,
		"sha512":               "sha512:" + hex + hex,
		"sha512 as sha256":     "sha256:" + hex + hex,
		"sha1":                 "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"short":                emptyDigest[:len(emptyDigest)-1],
		"long":                 emptyDigest + "0",
		"blank before":         " " + emptyDigest,
		"newline after":        emptyDigest + "\n",
		"not hexadecimal":      "sha256:" + strings.Repeat("g", 64),
		"separator":            "sha256-" + hex,
		"wide digits":          "sha256:" + strings.Repeat("\uff11", 21) + "1",
		"NUL":                  "sha256:" + hex[:63] + "\x00",
		// It would read as 'unknown': a pin to it would silently be no pin.
		"zeros": "sha256:" + strings.Repeat("0", 64),
	}
	for name, s := range refused {
		t.Run(name, func(t *testing.T) {
			d, err := chartsign.ParseDigest(s)
			if !errors.Is(err, chartsign.ErrDigest) {
				t.Errorf("got %v, %v, want ErrDigest", d, err)
			}
			if !d.IsZero() {
				t.Errorf("got digest %s beside an error, want none", d)
			}
		})
	}
}

func TestDigestZero(t *testing.T) {
	var zero chartsign.Digest
	if got := zero.String(); got != "" {
		t.Errorf("got %q, want the empty string", got)
	}
	if !zero.IsZero() || chartsign.DigestOf(nil).IsZero() {
		t.Error("got IsZero wrong, want it for the zero value only")
	}
}

func TestDigestText(t *testing.T) {
	type document struct{ A, B chartsign.Digest }
	in := document{A: chartsign.DigestOf(nil)}
	data, err := json.Marshal(in)
	must(t, err)
	if got, want := string(data), `{"A":"`+emptyDigest+`","B":""}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var out document
	must(t, json.Unmarshal(data, &out))
	if diff := cmp.Diff(in, out); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
	if err := json.Unmarshal([]byte(`{"A":"sha256:00"}`), &out); !errors.Is(err, chartsign.ErrDigest) {
		t.Errorf("got %v, want ErrDigest", err)
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Errorf("an error changed the value (-want +got):\n%s", diff)
	}
}

func FuzzParseDigest(f *testing.F) {
	for _, seed := range []string{emptyDigest, "", "sha256:", strings.ToUpper(emptyDigest), emptyDigest + "\n", "sha512:00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := chartsign.ParseDigest(s)
		if err != nil {
			if !errors.Is(err, chartsign.ErrDigest) || !d.IsZero() {
				t.Fatalf("%q: got %v, %v, want the zero value and ErrDigest", s, d, err)
			}
			return
		}
		if got := d.String(); got != s {
			t.Errorf("got %q, want %q: there is one form only", got, s)
		}
	})
}
