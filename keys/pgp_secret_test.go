// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/keys"
)

const passphrase = "chartsign-test"

// secrets joins secret keys of testdata/keys.
func secrets(tb testing.TB, names ...string) *keys.PGPKeyring {
	tb.Helper()
	var all []byte
	for _, name := range names {
		all = append(all, readKeyFile(tb, name+".gpg")...)
	}
	return readRing(tb, all)
}

func fingerprintInFile(tb testing.TB, name, kind string) string {
	tb.Helper()
	for line := range strings.Lines(string(readKeyFile(tb, "fingerprints.txt"))) {
		if fields := strings.Fields(line); fields[0] == name && fields[1] == kind {
			return fields[3]
		}
	}
	tb.Fatalf("fingerprints.txt has no %s of %s", kind, name)
	return ""
}

func TestSigningKeyByName(t *testing.T) {
	ring := secrets(t, "release.sec", "maintainer.sec", "split.sec", "impostor.sec")
	release := fingerprintInFile(t, "release", "pub")
	for _, tc := range []struct {
		query, want string // the name of the key in testdata
		err         error
	}{
		{release, "release", nil},
		{strings.ToLower(release), "release", nil},
		{"0x" + release, "release", nil},
		{release[:4] + " " + release[4:8] + " " + release[8:], "release", nil},
		{release[24:], "release", nil},
		{"0x" + strings.ToLower(release[24:]), "release", nil},
		{fingerprintInFile(t, "split", "sub"), "split", nil},
		{fingerprintInFile(t, "release", "sub"), "release", nil},
		{"Chartsign Test Split <split@chartsign.test>", "split", nil},
		{"maintainer@chartsign.test", "maintainer", nil},
		{"Chartsign Test Release <release@chartsign.test>", "", keys.ErrKeyAmbiguous},
		{"Chartsign", "", keys.ErrKeyAmbiguous},
		{release[32:], "", keys.ErrKeyNotFound}, // 8 digits: short names can be forged
		{release[:39], "", keys.ErrKeyNotFound},
		{"nobody@chartsign.test", "", keys.ErrKeyNotFound},
		{"", "", keys.ErrKeyNotFound},
		{fingerprintInFile(t, "mallory", "pub"), "", keys.ErrKeyNotFound},
	} {
		t.Run(tc.query, func(t *testing.T) {
			key, err := ring.SigningKey(tc.query, now, nil)
			if !errors.Is(err, tc.err) {
				t.Fatalf("got %v, want %v", err, tc.err)
			}
			if tc.err != nil {
				return
			}
			if got, want := key.Fingerprint(), chartsign.Fingerprint(fingerprintInFile(t, tc.want, "pub")); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	// Whoever is asked to be more precise is told what there is.
	_, err := ring.SigningKey("release@chartsign.test", now, nil)
	for _, name := range []string{"release", "impostor"} {
		if !strings.Contains(err.Error(), fingerprintInFile(t, name, "pub")) {
			t.Errorf("got %v, want the candidate %s in it", err, name)
		}
	}
}

// TestSigningKeyChoosesThePacket: a subkey that can sign before the primary key.
func TestSigningKeyChoosesThePacket(t *testing.T) {
	withSubkeys := newKey(t, "Subkeys")
	for _, at := range []time.Time{keyTime, keyTime.Add(48 * time.Hour), keyTime.Add(24 * time.Hour)} {
		if err := withSubkeys.AddSigningSubkey(configAt(at)); err != nil {
			t.Fatal(err)
		}
	}
	newest := withSubkeys.Subkeys[len(withSubkeys.Subkeys)-2].PublicKey
	revokedSubkey := newKey(t, "Revoked")
	if err := revokedSubkey.AddSigningSubkey(configAt(keyTime)); err != nil {
		t.Fatal(err)
	}
	if err := revokedSubkey.Subkeys[len(revokedSubkey.Subkeys)-1].Revoke(packet.KeyCompromised, "", configAt(keyTime)); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		ring *keys.PGPKeyring
		want string
		err  error
	}{
		{"signing subkey", secrets(t, "maintainer.sec"), fingerprintInFile(t, "maintainer", "sub"), nil},
		{"primary key beside an encryption subkey", secrets(t, "release.sec"), fingerprintInFile(t, "release", "pub"), nil},
		{"primary key that only certifies", secrets(t, "split.sec"), fingerprintInFile(t, "split", "sub"), nil},
		{"stub of a primary key", secrets(t, "split.laptop.sec"), fingerprintInFile(t, "split", "sub"), nil},
		{"the newest of three", readRing(t, exportedSecret(t, withSubkeys)), string(chartsign.FingerprintOf(newest.Fingerprint)), nil},
		{"revoked subkey", readRing(t, exportedSecret(t, revokedSubkey)), string(chartsign.FingerprintOf(revokedSubkey.PrimaryKey.Fingerprint)), nil},
		{"public key only", secrets(t, "release.pub"), "", keys.ErrKeyUnusable},
		{"expired", secrets(t, "expired.sec", "expired.pub"), "", keys.ErrKeyUnusable},
		{"revoked as compromised", secrets(t, "revoked.sec", "revoked.pub"), "", keys.ErrKeyUnusable},
		{"revoked as superseded", secrets(t, "retired.pub", "retired.sec"), "", keys.ErrKeyUnusable},
		{"RSA 1024", secrets(t, "short.sec"), "", keys.ErrKeyUnusable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key, err := tc.ring.SigningKey(string(tc.ring.Fingerprints()[0]), now, nil)
			if !errors.Is(err, tc.err) {
				t.Fatalf("got %v, want %v", err, tc.err)
			}
			if tc.err != nil {
				return
			}
			if got := string(chartsign.FingerprintOf(key.Private().Fingerprint)); got != tc.want {
				t.Errorf("got the packet %s, want %s", got, tc.want)
			}
		})
	}
	if _, err := secrets(t, "expired.sec", "expired.pub").SigningKey(fingerprintInFile(t, "expired", "pub"), time.Time{}, nil); !errors.Is(err, keys.ErrKeyUnusable) {
		t.Errorf("at no time: got %v, want ErrKeyUnusable", err)
	}
}

// TestStubCannotSign: gpg's stub of a primary key that could sign is no secret key.
func TestStubCannotSign(t *testing.T) {
	entity := newKey(t, "Stub")
	public := exported(t, entity)
	// The first packet: new format, tag 6, one byte of length; as a secret key, tag 5, followed
	// by usage 255, no cipher, S2K 101, no hash, 'GNU' and 1 (doc/DETAILS of GnuPG).
	length := int(public[1])
	body := append(slices.Clone(public[2:2+length]), 255, 0, 101, 0, 'G', 'N', 'U', 1)
	ring := readRing(t, slices.Concat([]byte{0xc5, byte(len(body))}, body, public[2+length:]))
	if private := ring.Entities()[0].PrivateKey; private == nil || !private.Dummy() {
		t.Fatal("the key is no stub: the test tests nothing")
	}
	if key, err := ring.SigningKey("Stub", now, nil); !errors.Is(err, keys.ErrKeyUnusable) {
		t.Errorf("got %v, %v; want ErrKeyUnusable", key, err)
	}
}

// TestStubIsReplacedByTheSecret: the laptop's ring has a stub where the safe's has the key.
func TestStubIsReplacedByTheSecret(t *testing.T) {
	for name, ring := range map[string]*keys.PGPKeyring{
		"stub first": secrets(t, "split.laptop.sec", "split.sec"), "stub last": secrets(t, "split.sec", "split.laptop.sec"),
	} {
		if private := ring.Entities()[0].PrivateKey; private == nil || private.Dummy() {
			t.Errorf("%s: the stub was kept", name)
		}
	}
}

func TestPassphrase(t *testing.T) {
	ring := secrets(t, "protected.sec")
	name := fingerprintInFile(t, "protected", "pub")
	asked := errors.New("the terminal is gone")
	for _, tc := range []struct {
		name       string
		passphrase keys.PassphraseFunc
		err        error
	}{
		{"wrong", func(string) ([]byte, error) { return []byte("wrong-and-secret"), nil }, keys.ErrPassphrase},
		{"empty", func(string) ([]byte, error) { return nil, nil }, keys.ErrPassphrase},
		{"nobody to ask", nil, keys.ErrPassphrase},
		{"asking fails", func(string) ([]byte, error) { return nil, asked }, asked},
		{"right", func(string) ([]byte, error) { return []byte(passphrase), nil }, nil},
		{"wrong after right", func(string) ([]byte, error) { return []byte("wrong-and-secret"), nil }, keys.ErrPassphrase},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key, err := ring.SigningKey(name, now, tc.passphrase)
			if !errors.Is(err, tc.err) {
				t.Fatalf("got %v, want %v", err, tc.err)
			}
			if err != nil {
				for _, secret := range []string{"wrong-and-secret", passphrase} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("the error has the passphrase in it: %v", err)
					}
				}
				return
			}
			if key.Private().Encrypted {
				t.Error("the key is still locked")
			}
		})
	}
	var userID string
	given := []byte(passphrase)
	if _, err := ring.SigningKey(name, now, func(id string) ([]byte, error) { userID = id; return given, nil }); err != nil {
		t.Fatal(err)
	}
	if userID != "Chartsign Test Protected <protected@chartsign.test>" {
		t.Errorf("asked for %q", userID)
	}
	if !bytes.Equal(given, make([]byte, len(given))) {
		t.Error("the passphrase was left in memory")
	}
	called := false
	if _, err := secrets(t, "release.sec").SigningKey("release", now, func(string) ([]byte, error) { called = true; return nil, asked }); err != nil || called {
		t.Errorf("an unlocked key: asked %v, %v", called, err)
	}
}

// TestSecretsAreNotPrinted, in whatever way somebody prints the key.
func TestSecretsAreNotPrinted(t *testing.T) {
	ring := secrets(t, "protected.sec")
	key, err := ring.SigningKey("protected", now, func(string) ([]byte, error) { return []byte(passphrase), nil })
	if err != nil {
		t.Fatal(err)
	}
	var serialized bytes.Buffer
	if err := key.Private().Serialize(&serialized); err != nil {
		t.Fatal(err)
	}
	secret := serialized.Bytes()[serialized.Len()-64:]
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed := fmt.Sprintf(format, key)
		if strings.Contains(printed, hex.EncodeToString(secret[:16])) || strings.Contains(printed, string(secret[:16])) || len(printed) > 400 {
			t.Errorf("%s prints %.200s…", format, printed)
		}
	}
	if got, want := key.String(), fingerprintInFile(t, "protected", "pub")+` ("Chartsign Test Protected <protected@chartsign.test>")`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPublicPartOfASigningKey verifies what the key signs and holds no secret.
func TestPublicPartOfASigningKey(t *testing.T) {
	for _, name := range []string{"release.sec", "split.sec", "split.laptop.sec", "maintainer.sec"} {
		ring := secrets(t, name)
		key, err := ring.SigningKey(string(ring.Fingerprints()[0]), now, nil)
		if err != nil {
			t.Fatal(err)
		}
		public := key.Public()
		if got := public.Fingerprints(); len(got) != 1 || got[0] != key.Fingerprint() {
			t.Errorf("%s: got %v", name, got)
		}
		entity := public.Entities()[0]
		if entity.PrivateKey != nil || slices.ContainsFunc(entity.Subkeys, func(s openpgp.Subkey) bool { return s.PrivateKey != nil }) {
			t.Errorf("%s: the public part has a secret", name)
		}
	}
}

// TestConcurrentSigningKeys: one ring, many goroutines, under the race detector.
func TestConcurrentSigningKeys(t *testing.T) {
	ring := secrets(t, "release.sec", "maintainer.sec", "protected.sec")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			name := []string{"release", "maintainer", "protected"}[i%3]
			key, err := ring.SigningKey(name, now, func(string) ([]byte, error) { return []byte(passphrase), nil })
			if err != nil {
				t.Error(err)
				return
			}
			key.Public().Locked(func() {
				if err := key.Public().Entities()[0].Serialize(io.Discard); err != nil {
					t.Error(err)
				}
			})
			if _, err := keys.NewTrustRoot(keys.TrustMaterial{PGP: ring}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}
