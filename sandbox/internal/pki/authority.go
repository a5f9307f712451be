// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

const (
	organization = "chartsign sandbox"
	// lifetime is ample for a run and for tests that set a clock ahead.
	lifetime = 5 * 365 * 24 * time.Hour
	// Backdate lets clocks differ a little: nothing is valid only from now on.
	Backdate = time.Hour
)

// Authority is a key together with the certificates that vouch for it: the key's own
// certificate first, the root last.
type Authority struct {
	Key   *ecdsa.PrivateKey
	Chain []*x509.Certificate
}

// Root is the certificate at the end of the chain.
func (a *Authority) Root() *x509.Certificate { return a.Chain[len(a.Chain)-1] }

// Intermediates are the certificate authorities between the first certificate and the root.
func (a *Authority) Intermediates() []*x509.Certificate { return a.Chain[1 : len(a.Chain)-1] }

// NewCodeSigning makes the authority of a certificate issuer: an intermediate under a root.
// Fulcio wants the code signing usage on the intermediate.
func NewCodeSigning(now time.Time) (*Authority, error) {
	return build(
		authority(now, "fulcio root", 1),
		authority(now, "fulcio intermediate", 0, x509.ExtKeyUsageCodeSigning),
	)
}

// NewTimestamping makes the authority of a timestamp server: a leaf under an intermediate
// under a root.
func NewTimestamping(now time.Time) (*Authority, error) {
	leaf, err := timestampLeaf(now)
	if err != nil {
		return nil, err
	}
	return build(
		authority(now, "timestamp root", 1),
		authority(now, "timestamp intermediate", 0, x509.ExtKeyUsageTimeStamping),
		leaf,
	)
}

// build signs each template with the key of the one before; the first signs itself.
func build(templates ...*x509.Certificate) (*Authority, error) {
	var above *Authority
	for i, template := range templates {
		key, err := NewECDSA()
		if err != nil {
			return nil, err
		}
		parent, signer := template, key
		var chain []*x509.Certificate
		if above != nil {
			parent, signer, chain = above.Chain[0], above.Key, above.Chain
		}
		template.SerialNumber = big.NewInt(int64(i) + 1)
		cert, err := issue(template, parent, key, signer)
		if err != nil {
			return nil, err
		}
		above = &Authority{Key: key, Chain: append([]*x509.Certificate{cert}, chain...)}
	}
	return above, nil
}

func issue(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("issue certificate %q: %w", template.Subject.CommonName, err)
	}
	return x509.ParseCertificate(der)
}

func authority(now time.Time, name string, pathLen int, usage ...x509.ExtKeyUsage) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{organization}, CommonName: name},
		NotBefore:             now.Add(-Backdate),
		NotAfter:              now.Add(lifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           usage,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            pathLen,
		MaxPathLenZero:        pathLen == 0,
	}
}

// timestampLeaf: RFC 3161, section 2.3: the extended key usage holds time stamping alone
// and is critical. The standard library marks no such extension critical, hence by hand.
func timestampLeaf(now time.Time) (*x509.Certificate, error) {
	extKeyUsage := asn1.ObjectIdentifier{2, 5, 29, 37}
	timeStamping := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	value, err := asn1.Marshal([]asn1.ObjectIdentifier{timeStamping})
	if err != nil {
		return nil, fmt.Errorf("encode key usage: %w", err)
	}
	return &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{organization}, CommonName: "timestamp signer"},
		NotBefore:             now.Add(-Backdate),
		NotAfter:              now.Add(lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		ExtraExtensions:       []pkix.Extension{{Id: extKeyUsage, Critical: true, Value: value}},
	}, nil
}
