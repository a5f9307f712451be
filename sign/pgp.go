// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"sigs.k8s.io/yaml"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

// PGP signs .prov files with one or several OpenPGP keys. It is safe for concurrent use.
type PGP struct {
	private  []*packet.PrivateKey
	verifier *verify.Verifier
	now      func() time.Time
}

// NewPGP returns a signer whose files carry one signature of each key. The keys must be of
// different primary keys; they are the signer's from now on.
func NewPGP(signingKeys []*keys.SigningKey, now func() time.Time) (*PGP, error) {
	if len(signingKeys) == 0 || now == nil {
		return nil, fmt.Errorf("%w: want a key and a clock", ErrOptions)
	}
	p := &PGP{now: now}
	var rings []*keys.PGPKeyring
	var signers []verify.Signer
	named := map[chartsign.Fingerprint]bool{}
	for _, key := range signingKeys {
		fingerprint := key.Fingerprint()
		if named[fingerprint] {
			return nil, fmt.Errorf("%w: the key %s is named twice", ErrOptions, key)
		}
		named[fingerprint] = true
		p.private = append(p.private, key.Private())
		rings = append(rings, key.Public())
		signers = append(signers, verify.Signer{Name: string(fingerprint), PGP: []chartsign.Fingerprint{fingerprint}})
	}
	root, err := keys.NewTrustRoot(keys.TrustMaterial{PGP: keys.JoinPGPKeyrings(rings...)})
	if err != nil {
		return nil, err
	}
	if p.verifier, err = verify.New(root, signers, verify.Options{}); err != nil {
		return nil, err
	}
	return p, nil
}

// Sign returns the .prov file of the chart, which must have been read from its archive
// (ErrArchive): a config blob alone does not tell what the archive says.
func (p *PGP) Sign(chart *chartsign.Chart) (chartsign.Evidence, error) {
	if chart == nil || !chart.FromArchive() {
		return chartsign.Evidence{}, fmt.Errorf("%w: want a chart that was read from one", ErrArchive)
	}
	body, err := provenanceBody(chart)
	if err != nil {
		return chartsign.Evidence{}, fmt.Errorf("sign %s: %w", chart.FileName(), err)
	}
	now := p.now()
	data, err := p.clearsign(body, now)
	if err != nil {
		return chartsign.Evidence{}, fmt.Errorf("sign %s: %w", chart.FileName(), err)
	}
	evidence := chartsign.NewEvidence(chartsign.KindProvenance, chartsign.SourceFile, chart.FileName()+".prov", data)
	if err := requireVerified(p.verifier.Verify(chartsign.Subject{Chart: chart}, evidence, now), len(p.private)); err != nil {
		return chartsign.Evidence{}, fmt.Errorf("sign %s: %w", chart.FileName(), err)
	}
	return evidence, nil
}

// provenanceBody returns what Helm signs: see its pkg/provenance, messageBlock.
func provenanceBody(chart *chartsign.Chart) ([]byte, error) {
	metadata, err := chart.Metadata().YAML()
	if err != nil {
		return nil, err
	}
	files, err := yaml.Marshal(map[string]any{"files": map[string]string{chart.FileName(): chart.Digest().String()}})
	if err != nil {
		return nil, err
	}
	// '---' would be dash-escaped, so Helm separates with the other document marker.
	return bytes.Join([][]byte{metadata, files}, []byte("\n...\n")), nil
}

// clearsign signs body as the time now with every key.
func (p *PGP) clearsign(body []byte, now time.Time) ([]byte, error) {
	config := &packet.Config{DefaultHash: crypto.SHA512, Time: func() time.Time { return now }}
	var out bytes.Buffer
	w, err := clearsign.EncodeMulti(&out, p.private, config)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrivateKey, err)
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrivateKey, err)
	}
	return withChecksum(out.Bytes())
}

var beginSignature = []byte("\n-----BEGIN PGP SIGNATURE-----\n")

// withChecksum writes the signature's armor anew with the checksum that RFC 9580, 6.1, makes
// optional: gpg before 2.4 misreads a short signature that has neither a checksum nor a
// final newline.
func withChecksum(signed []byte) ([]byte, error) {
	at := bytes.LastIndex(signed, beginSignature)
	if at < 0 {
		return nil, errors.New("the clear-signed message has no signature")
	}
	block, err := armor.Decode(bytes.NewReader(signed[at+1:]))
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(bytes.Clone(signed[:at+1]))
	w, err := armor.EncodeWithChecksumOption(out, block.Type, nil, true)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, block.Body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}
