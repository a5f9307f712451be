// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"github.com/sigstore/sigstore/pkg/signature"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/chartsign/chartsign"
)

// The identity that bundles have unless a test says otherwise.
const (
	Subject = "release@example.test"
	Issuer  = "https://issuer.example.test"
)

// PredicateSignature is the predicate type by which cosign v3 says 'signed'.
const PredicateSignature = "https://sigstore.dev/cosign/sign/v1"

// PayloadInToto is the payload type of in-toto statements.
const PayloadInToto = "application/vnd.in-toto+json"

// BundleOptions say how a bundle is made. The zero value is a genuine keyless one: by
// Subject and Issuer, with a signed certificate timestamp, an RFC 3161 timestamp, and a
// Rekor v1 entry with promise, proof and checkpoint, all of the clock's time.
type BundleOptions struct {
	// Subject and Issuer of the certificate. A subject with '://' becomes a URI, any other
	// an e-mail address.
	Subject, Issuer string
	// Extensions are further Fulcio extensions by their last arc below 1.3.6.1.4.1.57264.1
	// (5 githubWorkflowRepository, 9 buildSignerURI, 12 sourceRepositoryURI, 14 …Ref).
	Extensions map[int]string
	// Key signs instead of a certificate's key: the bundle then names no identity.
	Key crypto.Signer
	// At is the time of timestamp and log entry; zero means the clock's.
	At time.Time
	// NotBefore and NotAfter bound the certificate; zero means ten minutes from the clock's time.
	NotBefore, NotAfter time.Time
	// NoSCT, NoTimestamp and NoLogEntry leave these out.
	NoSCT, NoTimestamp, NoLogEntry bool
	// NoPromise leaves the signed entry timestamp out of a Rekor v1 entry, so that the log
	// vouches for no time.
	NoPromise bool
	// RekorV2 logs in the Rekor v2 log, which vouches for no time either.
	RekorV2 bool
	// Rogue is a deployment that takes the place of this one for the parts named below.
	Rogue *VirtualSigstore
	// RogueCA, RogueCT, RogueTSA and RogueLog choose those parts.
	RogueCA, RogueCT, RogueTSA, RogueLog bool
	// PayloadType of the envelope; empty means PayloadInToto.
	PayloadType string
}

func (o BundleOptions) withDefaults(now time.Time) BundleOptions {
	setDefault(&o.Subject, Subject)
	setDefault(&o.Issuer, Issuer)
	setDefault(&o.PayloadType, PayloadInToto)
	setDefault(&o.At, now)
	setDefault(&o.NotBefore, now)
	setDefault(&o.NotAfter, o.NotBefore.Add(10*time.Minute))
	return o
}

func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// SignArchive returns the JSON of a bundle v0.3 with a message signature over the archive.
func (v *VirtualSigstore) SignArchive(tb testing.TB, archive []byte, opts BundleOptions) []byte {
	tb.Helper()
	opts = opts.withDefaults(v.Clock.Now())
	sum := sha256.Sum256(archive)
	return v.bundle(tb, opts, archive, func(signature []byte) (*protobundle.Bundle, []byte) {
		return &protobundle.Bundle{Content: &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: sum[:]},
			Signature:     signature,
		}}}, nil
	})
}

// SignManifest returns the JSON of a bundle v0.3 as cosign v3 signs a manifest.
func (v *VirtualSigstore) SignManifest(tb testing.TB, manifest chartsign.Digest, opts BundleOptions) []byte {
	tb.Helper()
	return v.Attest(tb, Statement(tb, PredicateSignature, map[string]any{}, manifest), opts)
}

// Attest returns the JSON of a bundle v0.3 with an envelope around the payload, whatever it is.
func (v *VirtualSigstore) Attest(tb testing.TB, payload []byte, opts BundleOptions) []byte {
	tb.Helper()
	opts = opts.withDefaults(v.Clock.Now())
	return v.bundle(tb, opts, dsse.PAE(opts.PayloadType, payload), func(signature []byte) (*protobundle.Bundle, []byte) {
		envelope := &protodsse.Envelope{
			Payload: payload, PayloadType: opts.PayloadType,
			Signatures: []*protodsse.Signature{{Sig: signature}},
		}
		encoded, err := json.Marshal(envelope)
		if err != nil {
			tb.Fatal(err)
		}
		return &protobundle.Bundle{Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: envelope}}, encoded
	})
}

// Statement returns an in-toto statement v1 about subjects, without names as cosign does.
func Statement(tb testing.TB, predicateType string, predicate any, subjects ...chartsign.Digest) []byte {
	tb.Helper()
	list := []any{}
	for _, subject := range subjects {
		list = append(list, map[string]any{"digest": map[string]string{"sha256": subject.Hex()}})
	}
	data, err := json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v1", "subject": list, "predicateType": predicateType, "predicate": predicate,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// EditBundle decodes the bundle, lets edit change it, and returns its JSON.
func EditBundle(tb testing.TB, data []byte, edit func(*protobundle.Bundle)) []byte {
	tb.Helper()
	message := new(protobundle.Bundle)
	if err := protojson.Unmarshal(data, message); err != nil {
		tb.Fatal(err)
	}
	edit(message)
	return encode(tb, message)
}

func encode(tb testing.TB, message *protobundle.Bundle) []byte {
	tb.Helper()
	data, err := protojson.Marshal(message)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// bundle signs content and adds what vouches for the signature. Wrap puts it into a bundle
// and returns the envelope's JSON if there is one.
func (v *VirtualSigstore) bundle(tb testing.TB, opts BundleOptions, content []byte, wrap func([]byte) (*protobundle.Bundle, []byte)) []byte {
	tb.Helper()
	key := opts.Key
	if key == nil {
		key = newKey(tb)
	}
	signed, err := sign(key, content)
	if err != nil {
		tb.Fatal(err)
	}
	message, envelope := wrap(signed)
	message.MediaType = chartsign.MediaTypeBundle
	message.VerificationMaterial = new(protobundle.VerificationMaterial)
	sum := sha256.Sum256(content)
	p := proposal{envelope: envelope, digest: sum[:], signature: signed}
	p.verifier, p.verifierPEM = v.verifier(tb, opts, key, message.VerificationMaterial)
	v.vouch(tb, opts, p, message.VerificationMaterial)
	return encode(tb, message)
}

// verifier adds certificate or key hint and returns both forms that logs want.
func (v *VirtualSigstore) verifier(tb testing.TB, opts BundleOptions, key crypto.Signer, material *protobundle.VerificationMaterial) (*rekortiles.Verifier, []byte) {
	tb.Helper()
	details, err := signature.GetDefaultAlgorithmDetails(key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	if opts.Key != nil {
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			tb.Fatal(err)
		}
		material.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: "testkit"}}
		return &rekortiles.Verifier{
			KeyDetails: details.GetSignatureAlgorithm(),
			Verifier:   &rekortiles.Verifier_PublicKey{PublicKey: &rekortiles.PublicKey{RawBytes: der}},
		}, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	}
	request := leafRequest{subject: opts.Subject, issuer: opts.Issuer, extensions: opts.Extensions, notBefore: opts.NotBefore, notAfter: opts.NotAfter}
	if !opts.NoSCT {
		request.ctKey = v.or(opts.Rogue, opts.RogueCT).ctKey
	}
	leaf := must(tb)(v.or(opts.Rogue, opts.RogueCA).fulcio.leafFor(request, key.Public()))
	certificate := &protocommon.X509Certificate{RawBytes: leaf.Raw}
	material.Content = &protobundle.VerificationMaterial_Certificate{Certificate: certificate}
	return &rekortiles.Verifier{
		KeyDetails: details.GetSignatureAlgorithm(),
		Verifier:   &rekortiles.Verifier_X509Certificate{X509Certificate: certificate},
	}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})
}

func (v *VirtualSigstore) or(rogue *VirtualSigstore, chosen bool) *VirtualSigstore {
	if rogue != nil && chosen {
		return rogue
	}
	return v
}

// vouch adds timestamp and log entry.
func (v *VirtualSigstore) vouch(tb testing.TB, opts BundleOptions, p proposal, material *protobundle.VerificationMaterial) {
	tb.Helper()
	if !opts.NoTimestamp {
		token := v.or(opts.Rogue, opts.RogueTSA).Timestamp(tb, p.signature, opts.At)
		material.TimestampVerificationData = &protobundle.TimestampVerificationData{
			Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: token}},
		}
	}
	if opts.NoLogEntry {
		return
	}
	log := v.or(opts.Rogue, opts.RogueLog).rekor1
	if opts.RekorV2 {
		log = v.or(opts.Rogue, opts.RogueLog).rekor2
	}
	entry, err := log.add(tb.Context(), p, opts.At)
	if err != nil {
		tb.Fatal(err)
	}
	if opts.NoPromise {
		entry.InclusionPromise = nil
	}
	material.TlogEntries = []*protorekor.TransparencyLogEntry{entry}
}

// Timestamp returns an RFC 3161 response over content of the time at.
func (v *VirtualSigstore) Timestamp(tb testing.TB, content []byte, at time.Time) []byte {
	tb.Helper()
	request, err := timestamp.CreateRequest(bytes.NewReader(content), &timestamp.RequestOptions{Hash: crypto.SHA256})
	if err != nil {
		tb.Fatal(err)
	}
	token, err := v.tsa.timestampFor(request, at)
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// sign signs as the default algorithm of the key says; of the hashes only SHA-256 is served.
func sign(key crypto.Signer, content []byte) ([]byte, error) {
	if _, ok := key.(ed25519.PrivateKey); ok {
		return key.Sign(rand.Reader, content, crypto.Hash(0))
	}
	sum := sha256.Sum256(content)
	return key.Sign(rand.Reader, sum[:], crypto.SHA256)
}
