// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	ct "github.com/google/certificate-transparency-go"
	cttls "github.com/google/certificate-transparency-go/tls"
	ctx509 "github.com/google/certificate-transparency-go/x509"
	"github.com/google/certificate-transparency-go/x509util"
)

// authority is a root certificate, an intermediate, and for timestamps a leaf.
type authority struct {
	root, intermediate, leaf *x509.Certificate
	key                      *ecdsa.PrivateKey // of the intermediate, or of the leaf if there is one
}

func newAuthority(tb testing.TB, usage x509.ExtKeyUsage) *authority {
	tb.Helper()
	rootKey, key := newKey(tb), newKey(tb)
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: serial(), Subject: pkix.Name{CommonName: name, Organization: []string{"testkit.test"}},
			NotBefore: earliest(), NotAfter: latest(), IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
	}
	a := &authority{key: key}
	rootTemplate := template("testkit root")
	a.root = must(tb)(certify(rootTemplate, rootTemplate, rootKey.Public(), rootKey))
	intermediate := template("testkit intermediate")
	intermediate.ExtKeyUsage = []x509.ExtKeyUsage{usage}
	a.intermediate = must(tb)(certify(intermediate, a.root, key.Public(), rootKey))
	return a
}

func newTimestampAuthority(tb testing.TB) *authority {
	tb.Helper()
	a := newAuthority(tb, x509.ExtKeyUsageTimeStamping)
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		tb.Fatal(err)
	}
	key := newKey(tb)
	a.leaf = must(tb)(certify(&x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "testkit timestamps"},
		NotBefore: earliest(), NotAfter: latest(), KeyUsage: x509.KeyUsageDigitalSignature,
		// RFC 3161, 2.3: the extension is critical and names this one usage.
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	}, a.intermediate, key.Public(), a.key))
	a.key = key
	return a
}

// leafRequest is what a signing certificate shall say.
type leafRequest struct {
	subject, issuer     string
	extensions          map[int]string
	notBefore, notAfter time.Time
	ctKey               *ecdsa.PrivateKey // nil for no signed certificate timestamp
}

var oidFulcio = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1}

// leafFor issues a certificate as Fulcio does.
func (a *authority) leafFor(request leafRequest, key crypto.PublicKey) (*x509.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: serial(), NotBefore: request.notBefore, NotAfter: request.notAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	if strings.Contains(request.subject, "://") {
		uri, err := url.Parse(request.subject)
		if err != nil {
			return nil, err
		}
		template.URIs = []*url.URL{uri}
	} else {
		template.EmailAddresses = []string{request.subject}
	}
	extensions := map[int]string{1: request.issuer, 8: request.issuer}
	maps.Copy(extensions, request.extensions)
	for arc := range 100 {
		value, ok := extensions[arc]
		if !ok {
			continue
		}
		encoded := []byte(value) // Fulcio's first six are bare text, the later ones DER
		if arc > 6 {
			var err error
			if encoded, err = asn1.MarshalWithParams(value, "utf8"); err != nil {
				return nil, err
			}
		}
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: append(oidFulcio[:8:8], arc), Value: encoded})
	}
	if request.ctKey == nil {
		return certify(template, a.intermediate, key, a.key)
	}
	return a.leafWithSCT(template, key, request.ctKey)
}

var oidSCTList = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}

// leafWithSCT signs the certificate twice: first with a placeholder, to get what the log
// has to sign (RFC 6962, 3.3).
func (a *authority) leafWithSCT(template *x509.Certificate, key crypto.PublicKey, ctKey *ecdsa.PrivateKey) (*x509.Certificate, error) {
	extensions := template.ExtraExtensions
	template.ExtraExtensions = slices.Concat(extensions, []pkix.Extension{{Id: oidSCTList, Value: []byte{4, 0}}})
	draft, err := certify(template, a.intermediate, key, a.key)
	if err != nil {
		return nil, err
	}
	list, err := a.sctFor(draft, ctKey)
	if err != nil {
		return nil, fmt.Errorf("signed certificate timestamp: %w", err)
	}
	template.ExtraExtensions = slices.Concat(extensions, []pkix.Extension{{Id: oidSCTList, Value: list}})
	return certify(template, a.intermediate, key, a.key)
}

func (a *authority) sctFor(draft *x509.Certificate, ctKey *ecdsa.PrivateKey) ([]byte, error) {
	chain := []*ctx509.Certificate{ // of which no other field is looked at
		{RawTBSCertificate: draft.RawTBSCertificate},
		{RawSubjectPublicKeyInfo: a.intermediate.RawSubjectPublicKeyInfo},
	}
	at := uint64(draft.NotBefore.UnixMilli())
	leaf, err := ct.MerkleTreeLeafForEmbeddedSCT(chain, at)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(ctKey.Public())
	if err != nil {
		return nil, err
	}
	sct := ct.SignedCertificateTimestamp{SCTVersion: ct.V1, LogID: ct.LogID{KeyID: sha256.Sum256(der)}, Timestamp: at}
	input, err := ct.SerializeSCTSignatureInput(sct, ct.LogEntry{Leaf: *leaf})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(input)
	signature, err := ecdsa.SignASN1(rand.Reader, ctKey, sum[:])
	if err != nil {
		return nil, err
	}
	sct.Signature = ct.DigitallySigned{
		Algorithm: cttls.SignatureAndHashAlgorithm{Hash: cttls.SHA256, Signature: cttls.ECDSA},
		Signature: signature,
	}
	list, err := x509util.MarshalSCTsIntoSCTList([]*ct.SignedCertificateTimestamp{&sct})
	if err != nil {
		return nil, err
	}
	encoded, err := cttls.Marshal(*list)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(encoded)
}

// timestampFor answers an RFC 3161 request.
func (a *authority) timestampFor(request []byte, at time.Time) ([]byte, error) {
	parsed, err := timestamp.ParseRequest(request)
	if err != nil {
		return nil, err
	}
	token := timestamp.Timestamp{
		HashAlgorithm: parsed.HashAlgorithm, HashedMessage: parsed.HashedMessage, Time: at, Nonce: parsed.Nonce,
		Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2}, ExtraExtensions: parsed.Extensions,
	}
	return token.CreateResponseWithOpts(a.leaf, a.key, crypto.SHA256)
}

func certify(template, parent *x509.Certificate, key crypto.PublicKey, by crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return n
}

// must ends the test on an error of certify.
func must(tb testing.TB) func(*x509.Certificate, error) *x509.Certificate {
	tb.Helper()
	return func(cert *x509.Certificate, err error) *x509.Certificate {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return cert
	}
}
