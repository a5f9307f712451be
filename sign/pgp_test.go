// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"bytes"
	"crypto"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/sign"
	"github.com/chartsign/chartsign/verify"
)

const testdata = "../testdata"

func readChart(t *testing.T, name string) (*chartsign.Chart, []byte) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	chart, err := chartsign.ReadChart(bytes.NewReader(data), chartsign.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return chart, data
}

// loadKey returns a secret key of testdata/keys.
func loadKey(t *testing.T, name, passphrase string) (*keys.SigningKey, error) {
	t.Helper()
	ring, err := keys.LoadPGPKeyring(filepath.Join(testdata, "keys", name+".sec.asc"))
	if err != nil {
		t.Fatal(err)
	}
	return ring.SigningKey(string(ring.Fingerprints()[0]), testkit.Epoch(), func(string) ([]byte, error) { return []byte(passphrase), nil })
}

// newKey makes a key that signs with a subkey if one is asked for.
func newKey(t *testing.T, config *packet.Config, subkey bool) *keys.SigningKey {
	t.Helper()
	if config.Time == nil {
		config.Time = func() time.Time { return testkit.Epoch().Add(-time.Hour) }
	}
	entity, err := openpgp.NewEntity("Somebody", "", t.Name()+"@example.test", config)
	if err != nil {
		t.Fatal(err)
	}
	if subkey {
		if err := entity.AddSigningSubkey(config); err != nil {
			t.Fatal(err)
		}
	}
	var secret bytes.Buffer
	if err := entity.SerializePrivate(&secret, config); err != nil {
		t.Fatal(err)
	}
	ring, err := keys.ReadPGPKeyring(secret.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	key, err := ring.SigningKey(string(ring.Fingerprints()[0]), testkit.Epoch(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signPGP(t *testing.T, chart *chartsign.Chart, signingKeys ...*keys.SigningKey) chartsign.Evidence {
	t.Helper()
	signer, err := sign.NewPGP(signingKeys, testkit.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	evidence, err := signer.Sign(chart)
	if err != nil {
		t.Fatal(err)
	}
	return evidence
}

// verified returns how many signatures of the keys verify, judged from the outside.
func verified(t *testing.T, chart *chartsign.Chart, evidence chartsign.Evidence, signingKeys ...*keys.SigningKey) int {
	t.Helper()
	var rings []*keys.PGPKeyring
	var fingerprints []chartsign.Fingerprint
	for _, key := range signingKeys {
		rings, fingerprints = append(rings, key.Public()), append(fingerprints, key.Fingerprint())
	}
	root, err := keys.NewTrustRoot(keys.TrustMaterial{PGP: keys.JoinPGPKeyrings(rings...)})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := verify.New(root, []verify.Signer{{Name: "all", PGP: fingerprints}}, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, result := range verifier.Verify(chartsign.Subject{Chart: chart}, evidence, testkit.Epoch()) {
		if result.Outcome() == verify.Verified {
			count++
		} else {
			t.Log(result.Reason())
		}
	}
	return count
}

func plaintext(t *testing.T, prov []byte) string {
	t.Helper()
	block, _ := clearsign.Decode(prov)
	if block == nil {
		t.Fatalf("got no clear-signed message: %q", prov)
	}
	return string(block.Plaintext)
}

// TestPGPBodyIsHelms compares what we sign, byte by byte, with what real helm signed.
func TestPGPBodyIsHelms(t *testing.T) {
	key, err := loadKey(t, "release", "")
	if err != nil {
		t.Fatal(err)
	}
	for prov, archive := range map[string]string{
		"helm4.prov":    "charts/guestbook-1.4.2.tgz",
		"helm4-rc.prov": "charts/guestbook-1.5.0-rc.1+build.7.tgz",
		"helm3.prov":    "provenance/honest/helm3/guestbook-1.4.2.tgz",
	} {
		t.Run(prov, func(t *testing.T) {
			helms, err := os.ReadFile(filepath.Join(testdata, "provenance", "honest", prov))
			if err != nil {
				t.Fatal(err)
			}
			chart, _ := readChart(t, archive)
			ours := signPGP(t, chart, key).Bytes()
			if diff := cmp.Diff(plaintext(t, helms), plaintext(t, ours)); diff != "" {
				t.Errorf("signed text differs from Helm's (-want +got):\n%s", diff)
			}
			head := "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
			if !strings.HasPrefix(string(ours), head) || !strings.HasSuffix(string(ours), "-----END PGP SIGNATURE-----") {
				t.Errorf("got the frame %.60q … %q, want Helm's", ours, ours[len(ours)-40:])
			}
		})
	}
}

func TestPGPEveryKindOfKey(t *testing.T) {
	chart, _ := readChart(t, "charts/guestbook-1.4.2.tgz")
	fromFile := func(name string) func(*testing.T) *keys.SigningKey {
		return func(t *testing.T) *keys.SigningKey {
			t.Helper()
			key, err := loadKey(t, name, "chartsign-test")
			if err != nil {
				t.Fatal(err)
			}
			return key
		}
	}
	generated := func(config *packet.Config, subkey bool) func(*testing.T) *keys.SigningKey {
		return func(t *testing.T) *keys.SigningKey {
			t.Helper()
			return newKey(t, config, subkey)
		}
	}
	var all []*keys.SigningKey
	for name, make := range map[string]func(*testing.T) *keys.SigningKey{
		"RSA 3072":                       fromFile("release"),
		"ed25519 with a signing subkey":  fromFile("maintainer"),
		"primary that only certifies":    fromFile("split"),
		"no secret of the primary":       fromFile("split.laptop"),
		"passphrase":                     fromFile("protected"),
		"new RSA 2048":                   generated(&packet.Config{RSABits: 2048}, false),
		"new ed25519, signing subkey":    generated(&packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}, true),
		"new P-256":                      generated(&packet.Config{Algorithm: packet.PubKeyAlgoECDSA, Curve: packet.CurveNistP256}, false),
		"new P-384, wants a larger hash": generated(&packet.Config{Algorithm: packet.PubKeyAlgoECDSA, Curve: packet.CurveNistP384}, false),
	} {
		t.Run(name, func(t *testing.T) {
			key := make(t)
			evidence := signPGP(t, chart, key)
			if got := verified(t, chart, evidence, key); got != 1 {
				t.Errorf("got %d verified signatures, want 1", got)
			}
			if evidence.Kind() != chartsign.KindProvenance || evidence.Source() != chartsign.SourceFile || evidence.Location() != "guestbook-1.4.2.tgz.prov" {
				t.Errorf("got evidence %q from %q at %q", evidence.Kind(), evidence.Source(), evidence.Location())
			}
			if name != "no secret of the primary" { // the same primary key as another
				all = append(all, key)
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		if got := verified(t, chart, signPGP(t, chart, all...), all...); got != len(all) {
			t.Errorf("got %d verified signatures, want %d", got, len(all))
		}
	})
	t.Run("one of several", func(t *testing.T) {
		if got := verified(t, chart, signPGP(t, chart, all...), all[0]); got != 1 {
			t.Errorf("got %d verified signatures, want 1", got)
		}
	})
}

// TestPGPKeysThatCannotSign is about package keys, as a signer meets it.
func TestPGPKeysThatCannotSign(t *testing.T) {
	for name, tc := range map[string]struct {
		key, passphrase string
		want            error
	}{
		"expired":          {"expired.pub", "", keys.ErrKeyUnusable},
		"revoked":          {"revoked.pub", "", keys.ErrKeyUnusable},
		"no secret part":   {"release.pub", "", keys.ErrKeyUnusable},
		"wrong passphrase": {"protected.sec", "guess", keys.ErrPassphrase},
		"empty passphrase": {"protected.sec", "", keys.ErrPassphrase},
	} {
		t.Run(name, func(t *testing.T) {
			ring, err := keys.LoadPGPKeyring(filepath.Join(testdata, "keys", tc.key+".asc"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = ring.SigningKey(string(ring.Fingerprints()[0]), testkit.Epoch(), func(string) ([]byte, error) { return []byte(tc.passphrase), nil })
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// TestPGPSelfCheck lets time pass between choosing the key and signing: what is made then
// would be refused by everybody.
func TestPGPSelfCheck(t *testing.T) {
	chart, _ := readChart(t, "charts/guestbook-1.4.2.tgz")
	key := newKey(t, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: 7200}, false)
	for name, tc := range map[string]struct {
		after time.Duration
		code  chartsign.ReasonCode
	}{
		"in time": {0, ""},
		"late":    {2 * time.Hour, verify.ReasonKeyExpired},
	} {
		t.Run(name, func(t *testing.T) {
			clock := new(testkit.Clock)
			clock.Advance(tc.after)
			signer, err := sign.NewPGP([]*keys.SigningKey{key}, clock.Now)
			if err != nil {
				t.Fatal(err)
			}
			evidence, err := signer.Sign(chart)
			var reason *chartsign.Reason
			if tc.code == "" {
				if err != nil {
					t.Errorf("got %v, want evidence", err)
				}
				return
			}
			if !errors.Is(err, sign.ErrSelfCheck) || !errors.As(err, &reason) || reason.Code != tc.code {
				t.Errorf("got %v, want %v for %s", err, sign.ErrSelfCheck, tc.code)
			}
			if len(evidence.Bytes()) != 0 {
				t.Error("got evidence beside an error")
			}
		})
	}
}

func TestPGPRefusals(t *testing.T) {
	key, err := loadKey(t, "release", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"no key":          second(sign.NewPGP(nil, testkit.Epoch)),
		"no clock":        second(sign.NewPGP([]*keys.SigningKey{key}, nil)),
		"same key, twice": second(sign.NewPGP([]*keys.SigningKey{key, key}, testkit.Epoch)),
	} {
		if !errors.Is(err, sign.ErrOptions) {
			t.Errorf("%s: got %v, want %v", name, err, sign.ErrOptions)
		}
	}
	signer, err := sign.NewPGP([]*keys.SigningKey{key}, testkit.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	config, err := chartsign.ChartFromConfig([]byte(`{"name":"a","version":"1.0.0","apiVersion":"v2"}`), chartsign.DigestOf(nil), 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, chart := range map[string]*chartsign.Chart{"no chart": nil, "config blob only": config} {
		if _, err := signer.Sign(chart); !errors.Is(err, sign.ErrArchive) {
			t.Errorf("%s: got %v, want %v", name, err, sign.ErrArchive)
		}
	}
}

// second returns the error of a call that fails.
func second[T any](_ T, err error) error { return err }

func TestPGPAwkwardMetadata(t *testing.T) {
	key := newKey(t, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}, false)
	for name, chartYAML := range map[string]string{
		"lists and dashes":   "apiVersion: v2\nname: a\nversion: 1.0.0\nkeywords: ['-----BEGIN PGP SIGNED MESSAGE-----', '- -', '...', '---']\nsources: [--, -]\n",
		"literal with dots":  "apiVersion: v2\nname: a\nversion: 1.0.0\nannotations:\n  x: |\n    a\n\n    ...\n    b\n",
		"umlauts and emojis": "apiVersion: v2\nname: a\nversion: 1.0.0\ndescription: Grüße 🎉\n",
		// RFC 9580, 7.2: clear-signing drops blanks at the ends of lines.
		"blanks at line ends": "apiVersion: v2\nname: a\nversion: 1.0.0\nannotations:\n  x: |\n    first \n    second\t\n    third\n",
	} {
		t.Run(name, func(t *testing.T) {
			chart := packChart(t, chartYAML)
			if got := verified(t, chart, signPGP(t, chart, key), key); got != 1 {
				t.Errorf("got %d verified signatures, want 1", got)
			}
		})
	}
}

// TestPGPUsesSHA512 reads the packets, for the header could say anything.
func TestPGPUsesSHA512(t *testing.T) {
	chart, _ := readChart(t, "charts/guestbook-1.4.2.tgz")
	block, _ := clearsign.Decode(signPGP(t, chart, newKey(t, &packet.Config{RSABits: 2048}, false)).Bytes())
	next, err := packet.NewReader(block.ArmoredSignature.Body).Next()
	if err != nil {
		t.Fatal(err)
	}
	signature, ok := next.(*packet.Signature)
	if !ok || signature.Hash != crypto.SHA512 || signature.SigType != packet.SigTypeText || !signature.CreationTime.Equal(testkit.Epoch()) {
		t.Errorf("got %+v, want a text signature with SHA-512 of the clock's time", next)
	}
}

// TestGPGVerifies asks GnuPG, which misreads short signatures without a checksum before 2.4.
func TestGPGVerifies(t *testing.T) {
	gpg, err := exec.LookPath("gpg")
	if err != nil {
		t.Skip("no gpg here")
	}
	chart, _ := readChart(t, "charts/guestbook-1.4.2.tgz")
	for _, name := range []string{"release", "maintainer", "split"} {
		t.Run(name, func(t *testing.T) {
			key, err := loadKey(t, name, "")
			if err != nil {
				t.Fatal(err)
			}
			home := t.TempDir()
			prov := filepath.Join(home, "chart.prov")
			if err := os.WriteFile(prov, signPGP(t, chart, key).Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{
				{"--import", filepath.Join(testdata, "keys", name+".pub.asc")},
				{"--faked-system-time", "20260701T000000", "--verify", prov},
			} {
				out, err := exec.Command(gpg, append([]string{"--batch", "--no-autostart", "--homedir", home}, args...)...).CombinedOutput()
				if err != nil {
					t.Fatalf("gpg %v: %v\n%s", args, err, out)
				}
			}
		})
	}
}

// TestSignersAreConcurrent is for the race detector.
func TestSignersAreConcurrent(t *testing.T) {
	w := newWorld(t)
	chart, archive := readChart(t, "charts/guestbook-1.4.2.tgz")
	key, err := loadKey(t, "maintainer", "")
	if err != nil {
		t.Fatal(err)
	}
	pgp, err := sign.NewPGP([]*keys.SigningKey{key}, testkit.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	keyless := newSigstore(t, w.options(t, 1))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := pgp.Sign(chart); err != nil {
				t.Error(err)
			}
			if _, err := keyless.SignArchive(t.Context(), chart, archive); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}
