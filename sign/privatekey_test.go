// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"

	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/sign"
)

const passphrase = "correct horse"

func block(kind string, content []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
}

func pkcs8(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func seal(t *testing.T, content []byte) []byte {
	t.Helper()
	sealed, err := encrypted.Encrypt(content, []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func load(t *testing.T, content []byte, ask func() ([]byte, error)) (*sign.PrivateKey, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cosign.key")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return sign.LoadPrivateKey(path, ask)
}

func rightPassphrase() ([]byte, error) { return []byte(passphrase), nil }

func TestLoadPrivateKey(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	refused := func() ([]byte, error) { t.Error("asked for a passphrase that is not needed"); return nil, nil }
	for name, tc := range map[string]struct {
		content []byte
		ask     func() ([]byte, error)
		public  crypto.PublicKey
	}{
		"PKCS #8, ECDSA":            {block("PRIVATE KEY", pkcs8(t, ec)), refused, ec.Public()},
		"PKCS #8, Ed25519":          {block("PRIVATE KEY", pkcs8(t, ed)), refused, ed.Public()},
		"SEC 1":                     {block("EC PRIVATE KEY", sec1), refused, ec.Public()},
		"SEC 1 with parameters":     {append(block("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}), block("EC PRIVATE KEY", sec1)...), refused, ec.Public()},
		"cosign, ECDSA":             {block("ENCRYPTED SIGSTORE PRIVATE KEY", seal(t, pkcs8(t, ec))), rightPassphrase, ec.Public()},
		"cosign, Ed25519":           {block("ENCRYPTED SIGSTORE PRIVATE KEY", seal(t, pkcs8(t, ed))), rightPassphrase, ed.Public()},
		"cosign before version 2":   {block("ENCRYPTED COSIGN PRIVATE KEY", seal(t, pkcs8(t, ec))), rightPassphrase, ec.Public()},
		"blanks behind the block":   {append(block("PRIVATE KEY", pkcs8(t, ec)), "\n \n"...), refused, ec.Public()},
		"passphrase that is empty?": {block("PRIVATE KEY", pkcs8(t, ec)), nil, ec.Public()},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := load(t, tc.content, tc.ask)
			if err != nil {
				t.Fatal(err)
			}
			want, err := keys.NewPublicKey(tc.public)
			if err != nil {
				t.Fatal(err)
			}
			if got := key.Public(); got.Fingerprint != want.Fingerprint {
				t.Errorf("got the public key %s, want %s", got.Fingerprint, want.Fingerprint)
			}
		})
	}
}

func TestPrivateKeysThatAreNone(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(ec.Public())
	if err != nil {
		t.Fatal(err)
	}
	sealed := seal(t, pkcs8(t, ec))
	failing := errors.New("terminal is gone")
	good := block("PRIVATE KEY", pkcs8(t, ec))
	for name, tc := range map[string]struct {
		content []byte
		ask     func() ([]byte, error)
		want    error
	}{
		"wrong passphrase":     {block("ENCRYPTED SIGSTORE PRIVATE KEY", sealed), func() ([]byte, error) { return []byte("guess"), nil }, keys.ErrPassphrase},
		"nobody to ask":        {block("ENCRYPTED SIGSTORE PRIVATE KEY", sealed), nil, keys.ErrPassphrase},
		"asking fails":         {block("ENCRYPTED SIGSTORE PRIVATE KEY", sealed), func() ([]byte, error) { return nil, failing }, failing},
		"damaged":              {block("ENCRYPTED SIGSTORE PRIVATE KEY", sealed[:len(sealed)-9]), rightPassphrase, keys.ErrPassphrase},
		"sealed rubbish":       {block("ENCRYPTED SIGSTORE PRIVATE KEY", seal(t, []byte("rubbish"))), rightPassphrase, sign.ErrPrivateKey},
		"sealed public key":    {block("ENCRYPTED SIGSTORE PRIVATE KEY", seal(t, public)), rightPassphrase, sign.ErrPrivateKey},
		"public key":           {block("PUBLIC KEY", public), nil, sign.ErrPrivateKey},
		"public as private":    {block("PRIVATE KEY", public), nil, sign.ErrPrivateKey},
		"no PEM":               {[]byte("hello"), nil, sign.ErrPrivateKey},
		"empty":                {nil, nil, sign.ErrPrivateKey},
		"two keys":             {slices.Concat(good, good), nil, sign.ErrPrivateKey},
		"text behind the key":  {append(slices.Clone(good), "x"...), nil, sign.ErrPrivateKey},
		"RSA of 1024 bits":     {block("PRIVATE KEY", pkcs8(t, weak)), nil, sign.ErrPrivateKey},
		"larger than any key":  {[]byte(strings.Repeat("\n", int(limits.PublicKey)+1)), nil, limits.ErrTooLarge},
		"OpenSSH's own format": {block("OPENSSH PRIVATE KEY", pkcs8(t, ec)), nil, sign.ErrPrivateKey},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := load(t, tc.content, tc.ask)
			if !errors.Is(err, tc.want) || key != nil {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
	if _, err := sign.LoadPrivateKey(filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
	if _, err := sign.NewPrivateKey(nil); !errors.Is(err, sign.ErrPrivateKey) {
		t.Errorf("no signer: got %v", err)
	}
}

func TestPrivateKeyShowsNothing(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := newPrivateKey(t, ec, nil)
	secret, err := ec.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		shown := fmt.Sprintf(verb, key)
		if strings.Contains(shown, hex.EncodeToString(secret)) || strings.Contains(shown, ec.D.String()) { //nolint:staticcheck // D is what must not show
			t.Errorf("%s: got the secret in %s", verb, shown)
		}
	}
}

// brokenSigner is a key service that is down.
type brokenSigner struct{ crypto.Signer }

func (brokenSigner) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("key service is down")
}

// lyingSigner signs something else.
type lyingSigner struct{ crypto.Signer }

func (s lyingSigner) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.Signer.Sign(r, slices.Concat(digest[1:], digest[:1]), opts)
}

func TestForeignSigners(t *testing.T) {
	w := newWorld(t)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		signer crypto.Signer
		want   error
	}{
		"down":  {brokenSigner{ec}, sign.ErrPrivateKey},
		"lies":  {lyingSigner{ec}, sign.ErrSelfCheck},
		"works": {ec, nil},
	} {
		t.Run(name, func(t *testing.T) {
			signer := newSigstore(t, sign.SigstoreOptions{Key: newPrivateKey(t, tc.signer, nil), Now: w.Clock.Now})
			if _, err := signer.SignManifest(t.Context(), manifest); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}
