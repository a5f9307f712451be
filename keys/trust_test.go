// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
)

func newPublicKey(tb testing.TB) keys.PublicKey {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	key, err := keys.NewPublicKey(private.Public())
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func fingerprint(tb testing.TB, material keys.TrustMaterial) chartsign.Digest {
	tb.Helper()
	trusted, err := keys.NewTrustRoot(material)
	if err != nil {
		tb.Fatal(err)
	}
	return trusted.Fingerprint()
}

// TestFingerprintIsThatOfTheMaterial: caches are keyed by it. If it were equal for different
// material, a result under one trust would be given out under another; if it were
// different for the same, there would be no cache.
func TestFingerprintIsThatOfTheMaterial(t *testing.T) {
	virtual, other := testkit.NewVirtualSigstore(t), testkit.NewVirtualSigstore(t)
	sigstore := virtual.Root(t)
	first, second := newPublicKey(t), newPublicKey(t)
	ring := func(names ...string) *keys.PGPKeyring {
		var all []byte
		for _, name := range names {
			all = append(all, readKeyFile(t, name)...)
		}
		return readRing(t, all)
	}
	base := fingerprint(t, keys.TrustMaterial{PGP: ring("release.pub.gpg", "maintainer.pub.gpg"), Sigstore: sigstore, Keys: []keys.PublicKey{first, second}})
	for name, material := range map[string]keys.TrustMaterial{
		"read again":               {PGP: ring("release.pub.gpg", "maintainer.pub.gpg"), Sigstore: sigstore, Keys: []keys.PublicKey{first, second}},
		"other order":              {PGP: ring("maintainer.pub.gpg", "release.pub.gpg"), Sigstore: sigstore, Keys: []keys.PublicKey{second, first}},
		"armored":                  {PGP: ring("release.pub.asc", "maintainer.pub.asc"), Sigstore: sigstore, Keys: []keys.PublicKey{first, second}},
		"copies":                   {PGP: ring("release.pub.gpg", "maintainer.pub.gpg", "release.pub.gpg"), Sigstore: sigstore, Keys: []keys.PublicKey{first, second, first}},
		"secret keys in the file":  {PGP: ring("release.pub.gpg", "maintainer.pub.gpg", "release.sec.gpg"), Sigstore: sigstore, Keys: []keys.PublicKey{first, second}},
		"joined rings, both parts": {PGP: keys.JoinPGPKeyrings(ring("maintainer.pub.gpg"), ring("release.pub.gpg")), Sigstore: sigstore, Keys: []keys.PublicKey{first, second}},
	} {
		if got := fingerprint(t, material); got != base {
			t.Errorf("%s: got another fingerprint", name)
		}
	}
	seen := map[chartsign.Digest]string{base: "base"}
	for name, material := range map[string]keys.TrustMaterial{
		"nothing":               {},
		"one key less":          {PGP: ring("release.pub.gpg"), Sigstore: sigstore, Keys: []keys.PublicKey{first, second}},
		"another key":           {PGP: ring("release.pub.gpg", "mallory.pub.gpg"), Sigstore: sigstore, Keys: []keys.PublicKey{first, second}},
		"no PGP":                {Sigstore: sigstore, Keys: []keys.PublicKey{first, second}},
		"no Sigstore":           {PGP: ring("release.pub.gpg", "maintainer.pub.gpg"), Keys: []keys.PublicKey{first, second}},
		"another Sigstore":      {PGP: ring("release.pub.gpg", "maintainer.pub.gpg"), Sigstore: other.Root(t), Keys: []keys.PublicKey{first, second}},
		"one public key":        {PGP: ring("release.pub.gpg", "maintainer.pub.gpg"), Sigstore: sigstore, Keys: []keys.PublicKey{first}},
		"the other public key":  {PGP: ring("release.pub.gpg", "maintainer.pub.gpg"), Sigstore: sigstore, Keys: []keys.PublicKey{second}},
		"a key before expiry":   {PGP: ring("expired.sec.gpg")},
		"a key with its expiry": {PGP: ring("expired.pub.gpg")},
		"a key not revoked":     {PGP: ring("revoked.sec.gpg")},
		"a key revoked":         {PGP: ring("revoked.pub.gpg")},
		"a key revoked, copies": {PGP: ring("revoked.pub.gpg", "retired.pub.gpg")},
	} {
		got := fingerprint(t, material)
		if before, ok := seen[got]; ok {
			t.Errorf("%s: got the fingerprint of %s", name, before)
		}
		seen[got] = name
	}
}

// TestFingerprintDoesNotDependOnLuck: a key with many user IDs keeps them in a map.
func TestFingerprintDoesNotDependOnLuck(t *testing.T) {
	entity := newKey(t, "A")
	for _, name := range []string{"B", "C", "D", "E"} {
		if err := entity.AddUserId(name, "", "", configAt(keyTime)); err != nil {
			t.Fatal(err)
		}
	}
	ring := readRing(t, exported(t, entity))
	want := fingerprint(t, keys.TrustMaterial{PGP: ring})
	for range 20 {
		if got := fingerprint(t, keys.TrustMaterial{PGP: readRing(t, exported(t, entity))}); got != want {
			t.Fatal("got another fingerprint of the same key")
		}
	}
	if err := entity.Subkeys[0].Revoke(packet.KeyRetired, "", configAt(keyTime)); err != nil {
		t.Fatal(err)
	}
	if got := fingerprint(t, keys.TrustMaterial{PGP: readRing(t, exported(t, entity))}); got == want {
		t.Error("a revoked subkey: got the same fingerprint")
	}
}

// TestTrustRootRefusesWhatItCannotTellApart.
func TestTrustRootRefusesWhatItCannotTellApart(t *testing.T) {
	first, second := newPublicKey(t), newPublicKey(t)
	for name, tc := range map[string]struct {
		material keys.TrustMaterial
		err      error
	}{
		"a key under another's fingerprint": {keys.TrustMaterial{Keys: []keys.PublicKey{{Key: first.Key, Fingerprint: second.Fingerprint}}}, keys.ErrPublicKey},
		"a key without a fingerprint":       {keys.TrustMaterial{Keys: []keys.PublicKey{{Key: first.Key}}}, keys.ErrPublicKey},
		"a fingerprint without a key":       {keys.TrustMaterial{Keys: []keys.PublicKey{{Fingerprint: first.Fingerprint}}}, keys.ErrPublicKey},
		"Sigstore material without digest":  {keys.TrustMaterial{Sigstore: keys.NewSigstoreRoot(&root.BaseTrustedMaterial{}, chartsign.Digest{})}, keys.ErrTrustedRoot},
	} {
		if _, err := keys.NewTrustRoot(tc.material); !errors.Is(err, tc.err) {
			t.Errorf("%s: got %v, want %v", name, err, tc.err)
		}
	}
}

// TestTrustRootDoesNotChange with the lists that it was made of or gave out.
func TestTrustRootDoesNotChange(t *testing.T) {
	first, second := newPublicKey(t), newPublicKey(t)
	list := []keys.PublicKey{first}
	trusted, err := keys.NewTrustRoot(keys.TrustMaterial{Keys: list})
	if err != nil {
		t.Fatal(err)
	}
	list[0] = second
	trusted.Keys()[0] = second
	if got := trusted.Keys(); len(got) != 1 || got[0].Fingerprint != first.Fingerprint {
		t.Errorf("got %v, want the first key", got)
	}
	if trusted.Sigstore() != nil || trusted.PGP() != nil {
		t.Error("got material that nobody put there")
	}
}

func TestPublicKeys(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip(err)
	}
	good := newPublicKey(t)
	pem, err := cryptoutils.MarshalPublicKeyToPEM(good.Key)
	if err != nil {
		t.Fatal(err)
	}
	weakPEM, err := cryptoutils.MarshalPublicKeyToPEM(weak.Public())
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := cryptoutils.MarshalPrivateKeyToPEM(edwards)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		data []byte
		ok   bool
	}{
		"cosign.pub":        {pem, true},
		"empty lines after": {append(slices.Clone(pem), "\n\n"...), true},
		"two keys":          {slices.Concat(pem, pem), false},
		"text after":        {append(slices.Clone(pem), "trusted\n"...), false},
		"text before":       {append([]byte("trusted\n"), pem...), false},
		"weak RSA":          {weakPEM, false},
		"private key":       {private, false},
		"PGP key":           {readKeyFile(t, "release.pub.asc"), false},
		"garbage":           {[]byte("garbage"), false},
		"empty":             {nil, false},
		"garbage in PEM":    {[]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), false},
		"cut off":           {pem[:len(pem)-20], false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key.pub")
			if err := os.WriteFile(path, tc.data, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := keys.LoadPublicKey(path)
			if tc.ok && (err != nil || got.Fingerprint != good.Fingerprint) {
				t.Errorf("got %v, %v", got.Fingerprint, err)
			}
			if !tc.ok && !errors.Is(err, keys.ErrPublicKey) {
				t.Errorf("got %v, %v; want ErrPublicKey", got.Fingerprint, err)
			}
		})
	}
	if !strings.HasPrefix(good.Fingerprint, "sha256:") || len(good.Fingerprint) != len("sha256:")+64 {
		t.Errorf("got the fingerprint %s", good.Fingerprint)
	}
	for name, key := range map[string]any{"nil": nil, "string": "key", "private": edwards} {
		if _, err := keys.NewPublicKey(key); !errors.Is(err, keys.ErrPublicKey) {
			t.Errorf("%s: got %v, want ErrPublicKey", name, err)
		}
	}
}

func TestTrustedRoots(t *testing.T) {
	good := testkit.NewVirtualSigstore(t).RootJSON(t)
	for name, tc := range map[string]struct {
		data []byte
		ok   bool
	}{
		"genuine":       {good, true},
		"empty":         {nil, false},
		"empty object":  {[]byte("{}"), false},
		"HTML":          {[]byte("<html></html>"), false},
		"cut off":       {good[:len(good)-1], false},
		"another type":  {[]byte(`{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}`), false},
		"text after":    {append(slices.Clone(good), "x"...), false},
		"two documents": {slices.Concat(good, good), false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "trusted_root.json")
			if err := os.WriteFile(path, tc.data, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := keys.LoadTrustedRoot(path)
			if tc.ok && err != nil || !tc.ok && (!errors.Is(err, keys.ErrTrustedRoot) || got != nil) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}
