// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/keys"
)

func TestReadPGPKeyring(t *testing.T) {
	team := fingerprintsOf(t, "release", "maintainer", "split")
	armored, binary := readKeyFile(t, "release.pub.asc"), readKeyFile(t, "release.pub.gpg")
	for name, tc := range map[string]struct {
		data []byte
		want []chartsign.Fingerprint
	}{
		"binary":                   {binary, team[:1]},
		"armored":                  {armored, team[:1]},
		"secret, binary":           {readKeyFile(t, "release.sec.gpg"), team[:1]},
		"secret, armored":          {readKeyFile(t, "release.sec.asc"), team[:1]},
		"several, binary":          {readKeyFile(t, "team.pub.gpg"), team},
		"several blocks":           {readKeyFile(t, "team.pub.asc"), team},
		"keybox":                   {readKeyFile(t, "team.kbx"), team},
		"CRLF":                     {bytes.ReplaceAll(armored, []byte("\n"), []byte("\r\n")), team[:1]},
		"byte order mark":          {append([]byte("\xef\xbb\xbf"), armored...), team[:1]},
		"text before the block":    {append([]byte("This is our key:\n\n"), armored...), team[:1]},
		"one key twice":            {slices.Concat(binary, binary), team[:1]},
		"one key in public/secret": {slices.Concat(binary, readKeyFile(t, "release.sec.gpg")), team[:1]},
	} {
		t.Run(name, func(t *testing.T) {
			ring := readRing(t, tc.data)
			if diff := cmp.Diff(tc.want, ring.Fingerprints()); diff != "" {
				t.Errorf("fingerprints (-want +got):\n%s", diff)
			}
			if !ring.Has(tc.want[0]) || ring.Has(fingerprintsOf(t, "mallory")[0]) {
				t.Error("Has: want the first key and not mallory's")
			}
		})
	}
}

func TestUnreadableKeyrings(t *testing.T) {
	armored, binary := readKeyFile(t, "team.pub.asc"), readKeyFile(t, "release.pub.gpg")
	keybox := readKeyFile(t, "team.kbx")
	lines := bytes.SplitAfter(armored, []byte("\n"))
	for name, data := range map[string][]byte{
		"empty":                            nil,
		"one newline":                      []byte("\n"),
		"text":                             []byte("no key here\n"),
		"HTML":                             []byte("<!DOCTYPE html>\n<html>404</html>\n"),
		"JSON":                             []byte(`{"errors":[]}`),
		"random bytes":                     {0x99, 0x01, 0x02, 0x03},
		"all ones":                         bytes.Repeat([]byte{0xff}, 1000),
		"binary, cut off in the first key": binary[:100],
		"armored, no end":                  bytes.Join(lines[:len(lines)-2], nil),
		"armored, cut off between lines":   bytes.Join(lines[:20], nil),
		"armored, first block without end": bytes.Replace(armored, []byte("-----END PGP PUBLIC KEY BLOCK-----\n"), nil, 1),
		"armored, no data":                 []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n"),
		"a message":                        []byte("-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n"),
		"a signature after a key":          append(bytes.Clone(armored), "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"...),
		"keybox, cut off":                  keybox[:len(keybox)-1],
		"keybox, first blob only":          keybox[:32],
		"keybox, blob of no length":        append(bytes.Clone(keybox), 0, 0, 0, 0, 2),
		"keybox, keyblock outside":         append(bytes.Clone(keybox), 0, 0, 0, 20, 2, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			ring, err := keys.ReadPGPKeyring(data)
			if !errors.Is(err, keys.ErrKeyring) || ring != nil {
				t.Errorf("got %v, %v; want ErrKeyring", ring.Fingerprints(), err)
			}
		})
	}
}

// TestUserIDDoesNotHideOtherKeys: anybody can add a user ID to a public key, even one that
// holds a whole armored key. It must not be taken for the file.
func TestUserIDDoesNotHideOtherKeys(t *testing.T) {
	mallory := string(readKeyFile(t, "mallory.pub.asc"))
	carrier := newKey(t, "Carrier")
	for _, identity := range carrier.Identities {
		identity.UserId = packet.NewUserId("x", "", "")
		identity.UserId.Id = "\n" + mallory
	}
	ring := readRing(t, slices.Concat(readKeyFile(t, "release.pub.gpg"), exported(t, carrier)))
	want := append(fingerprintsOf(t, "release"), chartsign.FingerprintOf(carrier.PrimaryKey.Fingerprint))
	if diff := cmp.Diff(want, ring.Fingerprints()); diff != "" {
		t.Errorf("fingerprints (-want +got):\n%s", diff)
	}
}

// TestUnknownAlgorithmsAreSkipped, in a block of their own too: a newer key beside the others
// may not make the file useless.
func TestUnknownAlgorithmsAreSkipped(t *testing.T) {
	unknown := exported(t, newKey(t, "Newer"))
	at := bytes.IndexByte(unknown, 4) // the version of the first packet
	unknown[at+5] = 109               // its algorithm
	var block bytes.Buffer
	w, err := armor.Encode(&block, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(unknown); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := fingerprintsOf(t, "release")
	for name, data := range map[string][]byte{
		"binary":  slices.Concat(unknown, readKeyFile(t, "release.pub.gpg")),
		"armored": slices.Concat(block.Bytes(), []byte("\n"), readKeyFile(t, "release.pub.asc")),
	} {
		if diff := cmp.Diff(want, readRing(t, data).Fingerprints()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := keys.ReadPGPKeyring(unknown); !errors.Is(err, keys.ErrKeyring) {
		t.Errorf("alone: got %v, want ErrKeyring", err)
	}
}

func TestTooManyKeys(t *testing.T) {
	one := exported(t, newKey(t, "Many"))
	if _, err := keys.ReadPGPKeyring(bytes.Repeat(one, limits.KeyringEntities+1)); !errors.Is(err, limits.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
}

// TestFilesThatAreNone: a path may name anything.
func TestFilesThatAreNone(t *testing.T) {
	folder := t.TempDir()
	fifo, huge := filepath.Join(folder, "fifo"), filepath.Join(folder, "huge")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, limits.Keyring+1); err != nil { // a hole: no disk is needed
		t.Fatal(err)
	}
	for name, path := range map[string]string{"folder": folder, "pipe": fifo, "huge": huge, "device": "/dev/zero", "missing": filepath.Join(folder, "no")} {
		for what, load := range map[string]func(string) error{
			"keyring":      func(p string) error { _, err := keys.LoadPGPKeyring(p); return err },
			"trusted root": func(p string) error { _, err := keys.LoadTrustedRoot(p); return err },
			"public key":   func(p string) error { _, err := keys.LoadPublicKey(p); return err },
		} {
			done := make(chan error, 1)
			go func() { done <- load(path) }()
			select {
			case err := <-done:
				if !errors.Is(err, keys.ErrKeyring) && !errors.Is(err, keys.ErrTrustedRoot) && !errors.Is(err, keys.ErrPublicKey) {
					t.Errorf("%s from %s: got %v", what, name, err)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s from %s: still reading", what, name)
			}
		}
	}
}

// TestCopiesAreMerged: what any copy of a key knows counts, in whatever order they come, and
// nothing is kept twice.
func TestCopiesAreMerged(t *testing.T) {
	entity := newKey(t, "Release")
	old := exported(t, entity)
	if err := entity.AddSigningSubkey(configAt(keyTime)); err != nil {
		t.Fatal(err)
	}
	if err := entity.AddUserId("Second", "", "second@chartsign.test", configAt(keyTime)); err != nil {
		t.Fatal(err)
	}
	newer, secret := exported(t, entity), exportedSecret(t, entity)
	if err := entity.Revoke(packet.KeyCompromised, "", configAt(now)); err != nil {
		t.Fatal(err)
	}
	revoked := exported(t, entity)
	for name, data := range map[string][]byte{
		"old first":    slices.Concat(old, newer, revoked, secret),
		"old last":     slices.Concat(revoked, secret, newer, old),
		"copies twice": slices.Concat(secret, old, old, newer, newer, revoked, revoked, old),
	} {
		t.Run(name, func(t *testing.T) {
			ring := readRing(t, data)
			if len(ring.Entities()) != 1 {
				t.Fatalf("got %d keys, want 1", len(ring.Entities()))
			}
			merged := ring.Entities()[0]
			type counts struct{ Revocations, Users, Subkeys, Certifications int }
			got := counts{Revocations: len(merged.Revocations), Users: len(merged.Identities), Subkeys: len(merged.Subkeys)}
			for _, identity := range merged.Identities {
				got.Certifications += len(identity.SelfCertifications)
				if identity.Primary != merged {
					t.Errorf("the user ID %q belongs to another copy", identity.Name)
				}
			}
			if diff := cmp.Diff(counts{1, 2, 2, 2}, got); diff != "" {
				t.Errorf("merged key (-want +got):\n%s", diff)
			}
			if !merged.Revoked(now) {
				t.Error("the revocation was lost")
			}
			for i := range merged.Subkeys {
				if merged.Subkeys[i].Primary != merged || merged.Subkeys[i].PrivateKey == nil {
					t.Errorf("subkey %d: belongs to another copy, or has lost its secret part", i)
				}
			}
		})
	}
	joined := keys.JoinPGPKeyrings(readRing(t, old), nil, readRing(t, revoked))
	if len(joined.Entities()) != 1 || !joined.Entities()[0].Revoked(now) {
		t.Error("joined keyrings: the revocation was lost")
	}
	if same := keys.JoinPGPKeyrings(joined, joined); len(same.Entities()) != 1 || len(same.Entities()[0].Revocations) != 1 {
		t.Error("a keyring joined with itself is another one")
	}
}

func TestUserIDIsForPeople(t *testing.T) {
	entity := newKey(t, "Zoe")
	if got := keys.UserID(readRing(t, exported(t, entity)).Entities()[0]); got != "Zoe <zoe@chartsign.test>" {
		t.Errorf("got %q", got)
	}
	hostile := newKey(t, "X")
	for _, identity := range hostile.Identities {
		identity.UserId.Id = "Evil\x1b[2J\u202e\r\nRelease"
	}
	if got := keys.UserID(readRing(t, exported(t, hostile)).Entities()[0]); strings.ContainsAny(got, "\x1b\r\n\u202e") {
		t.Errorf("got %q, which a terminal acts on", got)
	}
	several := newKey(t, "B")
	for _, name := range []string{"C", "A", "D"} {
		if err := several.AddUserId(name, "", "", configAt(keyTime)); err != nil {
			t.Fatal(err)
		}
	}
	ring := readRing(t, exported(t, several))
	first := keys.UserID(ring.Entities()[0])
	for range 50 {
		if got := keys.UserID(ring.Entities()[0]); got != first {
			t.Fatalf("got %q and %q of one key", first, got)
		}
	}
	if got := keys.UserID(&openpgp.Entity{}); got != "" {
		t.Errorf("no user IDs: got %q", got)
	}
}

func TestNilKeyring(t *testing.T) {
	var ring *keys.PGPKeyring
	called := false
	ring.Locked(func() { called = true })
	if !called || ring.Entities() != nil || ring.Fingerprints() != nil || ring.Has("A") {
		t.Error("a nil keyring holds nothing and can be used")
	}
}
