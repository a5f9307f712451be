// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"crypto"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/chartsign/chartsign/keys"
)

// The times of keys made here, and of what they sign.
var (
	keyTime  = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	signTime = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)
	pgpNow   = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
)

func configAt(at time.Time) *packet.Config {
	return &packet.Config{Time: func() time.Time { return at }, Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA512}
}

// newKey makes an Ed25519 key that signs and certifies, with an encryption subkey.
func newKey(tb testing.TB, name string) *openpgp.Entity {
	tb.Helper()
	entity, err := openpgp.NewEntity(name, "", strings.ToLower(name)+"@chartsign.test", configAt(keyTime))
	if err != nil {
		tb.Fatal(err)
	}
	return entity
}

// ringOf returns what the exported public keys read as.
func ringOf(tb testing.TB, entities ...*openpgp.Entity) *keys.PGPKeyring {
	tb.Helper()
	var exported bytes.Buffer
	for _, entity := range entities {
		if err := entity.Serialize(&exported); err != nil {
			tb.Fatal(err)
		}
	}
	ring, err := keys.ReadPGPKeyring(exported.Bytes())
	if err != nil {
		tb.Fatal(err)
	}
	return ring
}

// secretKey returns the secret key of testdata/keys that signs: the last with the flag.
func secretKey(tb testing.TB, name string) *packet.PrivateKey {
	tb.Helper()
	ring, err := keys.ReadPGPKeyring(readFile(tb, "keys", name+".sec.gpg"))
	if err != nil {
		tb.Fatal(err)
	}
	key, err := ring.SigningKey(string(ring.Fingerprints()[0]), signTime, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return key.Private()
}

// signing is how one signature is made. The zero value of all but key is an honest one.
type signing struct {
	key  *packet.PrivateKey
	hash crypto.Hash
	kind packet.SignatureType
	at   time.Time
	edit func(*packet.Signature) // before it is signed
	// issuer and fingerprint are what the signature says of its key, unless they are zero;
	// an empty fingerprint is left out.
	issuer      *uint64
	fingerprint []byte
}

func (s signing) packet(tb testing.TB, text string) []byte {
	tb.Helper()
	if s.hash == 0 {
		s.hash = crypto.SHA512
	}
	if s.at.IsZero() {
		s.at = signTime
	}
	if s.kind == 0 {
		s.kind = packet.SigTypeText
	}
	signature := &packet.Signature{
		Version: s.key.Version, SigType: s.kind, PubKeyAlgo: s.key.PubKeyAlgo, Hash: s.hash, CreationTime: s.at,
		IssuerKeyId: &s.key.KeyId, IssuerFingerprint: s.key.Fingerprint,
	}
	if s.edit != nil {
		s.edit(signature)
	}
	key := *s.key // the library writes the fingerprint of this one
	if s.fingerprint != nil {
		key.Fingerprint = s.fingerprint
	}
	if len(key.Fingerprint) == 0 {
		key.Fingerprint = nil // an empty one would be written as such
	}
	if s.issuer != nil {
		signature.IssuerKeyId = s.issuer
	}
	config := configAt(s.at)
	h, err := signature.PrepareSign(config)
	if err != nil {
		tb.Fatal(err)
	}
	h.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if err := signature.Sign(h, &key, config); err != nil {
		tb.Fatal(err)
	}
	var encoded bytes.Buffer
	if err := signature.Serialize(&encoded); err != nil {
		tb.Fatal(err)
	}
	return encoded.Bytes()
}

// clearsigned returns text as a clear-signed message with the signatures.
func clearsigned(tb testing.TB, text string, signings ...signing) string {
	tb.Helper()
	var packets []byte
	for _, s := range signings {
		packets = append(packets, s.packet(tb, text)...)
	}
	return framed(tb, text, "SHA512", packets)
}

func framed(tb testing.TB, text, hash string, packets []byte) string {
	tb.Helper()
	var out strings.Builder
	out.WriteString("-----BEGIN PGP SIGNED MESSAGE-----\nHash: " + hash + "\n\n")
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "-") {
			out.WriteString("- ")
		}
		out.WriteString(line + "\n")
	}
	encoder, err := armor.EncodeWithChecksumOption(&out, "PGP SIGNATURE", nil, false)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := encoder.Write(packets); err != nil {
		tb.Fatal(err)
	}
	if err := encoder.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.String() + "\n"
}

// honestText is what the honest vectors sign about guestbook-1.4.2.tgz.
func honestText(tb testing.TB) string {
	tb.Helper()
	block, _ := clearsign.Decode(readFile(tb, "provenance/honest/gpg.prov"))
	if block == nil {
		tb.Fatal("honest/gpg.prov is not clear-signed")
	}
	return string(block.Plaintext)
}

// judgeProv judges a .prov about the guestbook at pgpNow under ring, all of it trusted.
func judgeProv(tb testing.TB, ring *keys.PGPKeyring, prov string) judgement {
	tb.Helper()
	return judgeProvAt(tb, ring, prov, pgpNow)
}

func judgeProvAt(tb testing.TB, ring *keys.PGPKeyring, prov string, now time.Time) judgement {
	tb.Helper()
	return best(tb, pgpVerifier(tb, ring, noOptions).Verify(guestbook(tb), provenance([]byte(prov)), now))
}
