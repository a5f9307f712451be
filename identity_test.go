// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/chartsign/chartsign"
)

const fingerprint = "A3363DE50DE3D06CBC3A0C1B0F411E23C73D5292"

func TestParseFingerprint(t *testing.T) {
	v6 := strings.Repeat("0F", 32)
	for given, want := range map[string]string{
		fingerprint:                  fingerprint,
		strings.ToLower(fingerprint): fingerprint,
		"0x" + fingerprint:           fingerprint,
		"0X" + fingerprint:           fingerprint,
		"A336 3DE5 0DE3 D06C BC3A  0C1B 0F41 1E23 C73D 5292":          fingerprint,
		"A3:36:3D:E5:0D:E3:D0:6C:BC:3A:0C:1B:0F:41:1E:23:C7:3D:52:92": fingerprint,
		v6: v6,
	} {
		got, err := chartsign.ParseFingerprint(given)
		must(t, err)
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", given, got, want)
		}
	}
	for name, given := range map[string]string{
		"empty": "", "short key ID": "C73D5292", "long key ID": "0F411E23C73D5292", "v3, MD5": strings.Repeat("0F", 16), "39 digits": fingerprint[1:],
		"41 digits": fingerprint + "0", "letters": strings.Repeat("G", 40), "user ID": "release@chartsign.test", "two": fingerprint + fingerprint,
		"newline": fingerprint + "\n", "marker twice": "0x0x" + fingerprint[4:],
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := chartsign.ParseFingerprint(given); !errors.Is(err, chartsign.ErrFingerprint) || got != "" {
				t.Errorf("got %q, %v, want ErrFingerprint", got, err)
			}
		})
	}
	if got, want := chartsign.FingerprintOf([]byte{0xab, 0x01}), chartsign.Fingerprint("AB01"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestIdentityID(t *testing.T) {
	pgp := chartsign.Identity{Kind: chartsign.IdentityPGP, Fingerprint: fingerprint, UserID: "Release <release@chartsign.test>"}
	keyless := chartsign.Identity{Kind: chartsign.IdentityKeyless, Issuer: "https://i.example", Subject: "a@b.example"}
	key := chartsign.Identity{Kind: chartsign.IdentityKey, Key: emptyDigest}
	renamed, extended := pgp, keyless
	renamed.UserID = "Somebody Else"
	extended.Extensions = map[string]string{"sourceRepositoryURI": "https://git.example"}
	if pgp.ID() != renamed.ID() || keyless.ID() != extended.ID() {
		t.Error("got another signer for another user ID or extension, want the same")
	}
	// Blanks and quotes must not move text from the issuer to the subject.
	all := []chartsign.Identity{
		pgp, keyless, key,
		{},
		{Kind: chartsign.IdentityPGP, Fingerprint: chartsign.Fingerprint(strings.ToLower(fingerprint))},
		{Kind: chartsign.IdentityKeyless, Issuer: "https://i.example a", Subject: "b"},
		{Kind: chartsign.IdentityKeyless, Issuer: "https://i.example", Subject: "a b"},
		{Kind: chartsign.IdentityKeyless, Issuer: `https://i.example" "a@b.example`},
		{Kind: chartsign.IdentityKeyless, Subject: "https://i.example a@b.example"},
		{Kind: chartsign.IdentityKey, Key: fingerprint},
	}
	seen := make(map[string]int)
	for i, identity := range all {
		if before, ok := seen[identity.ID()]; ok {
			t.Errorf("got the ID %q for both %+v and %+v", identity.ID(), all[before], identity)
		}
		seen[identity.ID()] = i
	}
	// A PGP identity with Sigstore fields is the same PGP identity.
	mixed := pgp
	mixed.Issuer, mixed.Key = "https://i.example", emptyDigest
	if mixed.ID() != pgp.ID() {
		t.Errorf("got %q, want %q", mixed.ID(), pgp.ID())
	}
}

func TestIdentityText(t *testing.T) {
	for want, identity := range map[string]chartsign.Identity{
		"Release " + fingerprint:          {Kind: chartsign.IdentityPGP, Fingerprint: fingerprint, UserID: "Release"},
		fingerprint:                       {Kind: chartsign.IdentityPGP, Fingerprint: fingerprint},
		"a@b.example (https://i.example)": {Kind: chartsign.IdentityKeyless, Issuer: "https://i.example", Subject: "a@b.example"},
		emptyDigest:                       {Kind: chartsign.IdentityKey, Key: emptyDigest},
		"":                                {},
	} {
		if got := identity.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	data, err := json.Marshal(chartsign.Identity{Kind: chartsign.IdentityPGP, Fingerprint: fingerprint})
	must(t, err)
	if got, want := string(data), `{"kind":"pgp","fingerprint":"`+fingerprint+`"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
