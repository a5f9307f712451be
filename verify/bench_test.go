// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/verify"
)

// BenchmarkVerifyProvenance is a .prov of Helm 4 by an RSA key of 3072 bits.
func BenchmarkVerifyProvenance(b *testing.B) {
	verifier, subject := pgpVerifier(b, loadKeys(b, "release"), noOptions), guestbook(b)
	evidence := provenance(readFile(b, "provenance/honest/helm4.prov"))
	for b.Loop() {
		if results := verifier.Verify(subject, evidence, lateNow); results[0].Outcome() != verify.Verified {
			b.Fatal(results[0].Reason())
		}
	}
}

// BenchmarkBareProvenanceSignature is the one public key operation in it.
func BenchmarkBareProvenanceSignature(b *testing.B) {
	block, _ := clearsign.Decode(readFile(b, "provenance/honest/helm4.prov"))
	read, err := packet.NewReader(block.ArmoredSignature.Body).Next()
	if err != nil {
		b.Fatal(err)
	}
	signature, ok := read.(*packet.Signature)
	if !ok {
		b.Fatalf("got a %T", read)
	}
	key := loadKeys(b, "release").Entities()[0].PrimaryKey
	for b.Loop() {
		h, err := signature.PrepareVerify()
		if err != nil {
			b.Fatal(err)
		}
		h.Write(block.Bytes)
		if err := key.VerifySignature(h, signature); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyBundle is a keyless bundle with SCT, timestamp, promise and proof.
func BenchmarkVerifyBundle(b *testing.B) {
	virtual := testkit.NewVirtualSigstore(b)
	verifier, subject := newVerifier(b, sigstoreRoot(b, virtual), []verify.Signer{releaseSigner()}, noOptions), inRegistry(b)
	evidence := bundle(virtual.SignManifest(b, manifest, testkit.BundleOptions{}))
	for b.Loop() {
		if results := verifier.Verify(subject, evidence, testkit.Epoch()); results[0].Outcome() != verify.Verified {
			b.Fatal(results[0].Reason())
		}
	}
}

// BenchmarkBareBundleSignatures are the public key operations in it: the content, leaf and
// intermediate, the SCT, the token with its leaf and intermediate, promise and checkpoint.
func BenchmarkBareBundleSignatures(b *testing.B) {
	const operations = 9
	key := newECDSA(b)
	sum := sha256.Sum256(archive)
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for range operations {
			if !ecdsa.VerifyASN1(&key.PublicKey, sum[:], signature) {
				b.Fatal("the signature is bad")
			}
		}
	}
}
