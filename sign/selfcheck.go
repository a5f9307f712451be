// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

// requireVerified returns nil if there are exactly count results and all are verified.
func requireVerified(results []verify.Result, count int) error {
	for _, result := range results {
		if result.Outcome() == verify.Verified {
			continue
		}
		if reason := result.Reason(); reason != nil {
			return fmt.Errorf("%w: %w", ErrSelfCheck, reason)
		}
		return fmt.Errorf("%w: got %s", ErrSelfCheck, result.Outcome())
	}
	if len(results) != count {
		return fmt.Errorf("%w: got %d signatures, want %d", ErrSelfCheck, len(results), count)
	}
	return nil
}

// selfCheck returns the bundle as evidence if package verify finds it genuine, about
// subject, and made by whom the caller wanted to sign.
func (s *Sigstore) selfCheck(subject chartsign.Subject, name string, made *protobundle.Bundle) (chartsign.Evidence, error) {
	checked, err := bundle.NewBundle(made)
	if err != nil {
		return chartsign.Evidence{}, fmt.Errorf("%w: %w", ErrSelfCheck, err)
	}
	data, err := checked.MarshalJSON()
	if err != nil {
		return chartsign.Evidence{}, fmt.Errorf("%w: %w", ErrSelfCheck, err)
	}
	verifier, err := s.verifier(checked)
	if err != nil {
		return chartsign.Evidence{}, err
	}
	evidence := chartsign.NewEvidence(chartsign.KindBundle, chartsign.SourceFile, name, data)
	if err := requireVerified(verifier.Verify(subject, evidence, s.options.Now()), 1); err != nil {
		return chartsign.Evidence{}, err
	}
	return evidence, nil
}

// verifier trusts the one who has just signed and nobody else.
func (s *Sigstore) verifier(made *bundle.Bundle) (*verify.Verifier, error) {
	signer := verify.Signer{Name: "self", LogOptional: len(s.services.logs) == 0}
	material := keys.TrustMaterial{Sigstore: s.options.TrustedRoot}
	if s.token == nil {
		public := s.options.Key.Public()
		signer.Keys, material.Keys = []string{public.Fingerprint}, []keys.PublicKey{public}
	} else {
		certified, err := identityIn(made)
		if err != nil {
			return nil, err
		}
		if !s.wants(certified) {
			return nil, fmt.Errorf("%w: the certificate names %s: the token is of %s", ErrSelfCheck, certified, s.Identity())
		}
		signer.Keyless = []verify.KeylessIdentity{{Issuer: certified.Issuer, Subject: certified.Subject}}
	}
	trust, err := keys.NewTrustRoot(material)
	if err != nil {
		return nil, err
	}
	return verify.New(trust, []verify.Signer{signer}, verify.Options{})
}

// wants reports whether the certificate names whom the caller expects, or who holds the token.
func (s *Sigstore) wants(certified chartsign.Identity) bool {
	if expected := s.options.ExpectedIdentity; expected.Issuer != "" {
		return certified.Issuer == expected.Issuer && certified.Subject == expected.Subject
	}
	return s.token.mayBecome(certified)
}

// identityIn reads whom the certificate names; whether it is genuine is checked afterwards.
func identityIn(made *bundle.Bundle) (chartsign.Identity, error) {
	content, err := made.VerificationContent()
	if err != nil {
		return chartsign.Identity{}, fmt.Errorf("%w: %w", ErrSelfCheck, err)
	}
	var leaf *x509.Certificate
	if leaf = content.Certificate(); leaf == nil {
		return chartsign.Identity{}, fmt.Errorf("%w: the bundle has no certificate", ErrSelfCheck)
	}
	summary, err := certificate.SummarizeCertificate(leaf)
	if err != nil {
		return chartsign.Identity{}, fmt.Errorf("%w: %w", ErrSelfCheck, err)
	}
	return chartsign.Identity{Kind: chartsign.IdentityKeyless, Issuer: summary.Issuer, Subject: summary.SubjectAlternativeName}, nil
}

// unknownChart stands for the chart behind a manifest: the statement is about the
// manifest's digest and nothing else.
func unknownChart() (*chartsign.Chart, error) {
	return chartsign.ChartFromConfig([]byte(`{"apiVersion":"v2","name":"unknown","version":"0.0.0"}`), chartsign.DigestOf(nil), 0)
}

// material returns what sigstore-go verifies under: the trusted root and the signing key.
func (s *Sigstore) material() (root.TrustedMaterial, error) {
	trust, err := keys.NewTrustRoot(keys.TrustMaterial{Sigstore: s.options.TrustedRoot})
	if err != nil {
		return nil, err
	}
	own := ownMaterial{TrustedMaterial: trust.Sigstore()}
	if own.TrustedMaterial == nil {
		own.TrustedMaterial = &root.BaseTrustedMaterial{}
	}
	if s.options.Key != nil {
		if own.key, err = signature.LoadDefaultVerifier(s.options.Key.signer.Public()); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPrivateKey, err)
		}
	}
	return own, nil
}

// ownMaterial is a trusted root with the signer's own key, if there is one.
type ownMaterial struct {
	root.TrustedMaterial
	key signature.Verifier
}

// PublicKeyVerifier returns the key, whatever the hint.
func (m ownMaterial) PublicKeyVerifier(string) (root.TimeConstrainedVerifier, error) {
	if m.key == nil {
		return nil, errors.New("no key signs here")
	}
	return root.NewExpiringKey(m.key, time.Time{}, time.Time{}), nil
}
