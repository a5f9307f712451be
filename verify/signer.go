// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/chartsign/chartsign"
)

// ErrSigner is wrapped by every error about a signer that cannot be matched safely.
var ErrSigner = errors.New("invalid signer")

// Signer is somebody who may speak for charts, by a name of the caller's choosing. One
// Signer counts once, however many keys and identities it lists.
type Signer struct {
	Name string
	// PGP lists full fingerprints of primary keys.
	PGP []chartsign.Fingerprint
	// Keyless lists certificate identities.
	Keyless []KeylessIdentity
	// Keys lists fingerprints of public keys (keys.PublicKey).
	Keys []string
	// LogOptional accepts keyless and key signatures without a transparency log entry. It
	// never drops the observer time nor the certificate's own transparency.
	LogOptional bool
	// LogRequired refuses OpenPGP signatures without a transparency log entry.
	LogRequired bool
}

// KeylessIdentity matches a Fulcio certificate. Issuer and subject are each given either
// exactly or as a regular expression (RE2) that must match the whole value.
type KeylessIdentity struct {
	Issuer, IssuerRegexp   string
	Subject, SubjectRegexp string
	// Extensions must equal the certificate's, by the names of Identity.Extensions.
	Extensions map[string]string
}

// matcher is a compiled KeylessIdentity.
type matcher struct {
	issuer, subject func(string) bool
	extensions      map[string]string
}

func compileIdentity(identity KeylessIdentity) (matcher, error) {
	issuer, err := compileValue("issuer", identity.Issuer, identity.IssuerRegexp)
	if err != nil {
		return matcher{}, err
	}
	subject, err := compileValue("subject", identity.Subject, identity.SubjectRegexp)
	if err != nil {
		return matcher{}, err
	}
	for name := range identity.Extensions {
		if !slices.Contains(ExtensionNames(), name) {
			return matcher{}, fmt.Errorf("%w: unknown certificate extension %.80q, want one of %v", ErrSigner, name, ExtensionNames())
		}
	}
	return matcher{issuer: issuer, subject: subject, extensions: maps.Clone(identity.Extensions)}, nil
}

// compileValue anchors the expression: an unanchored one would also match an attacker's
// 'https://example.com.evil.test/…'.
func compileValue(what, exact, expression string) (func(string) bool, error) {
	switch {
	case (exact == "") == (expression == ""):
		return nil, fmt.Errorf("%w: want exactly one of %s and %sRegexp", ErrSigner, what, what)
	case exact != "":
		return func(value string) bool { return value == exact }, nil
	}
	// Alone first: 'a)|(?:b' is well formed only within the anchors, and escapes them.
	if _, err := regexp.Compile(expression); err != nil {
		return nil, fmt.Errorf("%w: %sRegexp: %w", ErrSigner, what, err)
	}
	compiled, err := regexp.Compile(`\A(?:` + expression + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("%w: %sRegexp: %w", ErrSigner, what, err)
	}
	if compiled.MatchString("") {
		return nil, fmt.Errorf("%w: %sRegexp %.80q matches the empty string", ErrSigner, what, expression)
	}
	return compiled.MatchString, nil
}

func (m matcher) fits(identity chartsign.Identity) bool {
	if identity.Kind != chartsign.IdentityKeyless || !m.issuer(identity.Issuer) || !m.subject(identity.Subject) {
		return false
	}
	for name, want := range m.extensions {
		if got, ok := identity.Extensions[name]; !ok || got != want {
			return false
		}
	}
	return true
}

// party is a compiled Signer.
type party struct {
	Signer
	matchers []matcher
}

func compileSigners(signers []Signer) ([]party, error) {
	var parties []party
	for i, signer := range signers {
		if signer.Name == "" || slices.ContainsFunc(parties, func(p party) bool { return p.Name == signer.Name }) {
			return nil, fmt.Errorf("%w: signer %d: got name %.80q, want one that no other signer has", ErrSigner, i+1, signer.Name)
		}
		if len(signer.PGP)+len(signer.Keyless)+len(signer.Keys) == 0 {
			return nil, fmt.Errorf("%w: signer %.80q names no key and no identity", ErrSigner, signer.Name)
		}
		for _, fingerprint := range signer.PGP {
			if full, err := chartsign.ParseFingerprint(string(fingerprint)); err != nil || full != fingerprint {
				return nil, fmt.Errorf("%w: signer %.80q: got the fingerprint %.80q, want all its digits in upper case", ErrSigner, signer.Name, fingerprint)
			}
		}
		signer.PGP, signer.Keys = slices.Clone(signer.PGP), slices.Clone(signer.Keys)
		compiled := party{Signer: signer}
		for _, identity := range signer.Keyless {
			m, err := compileIdentity(identity)
			if err != nil {
				return nil, fmt.Errorf("signer %.80q: %w", signer.Name, err)
			}
			compiled.matchers = append(compiled.matchers, m)
		}
		parties = append(parties, compiled)
	}
	return parties, nil
}

// fits reports whether identity is this signer, logged or not as the signer wants it.
func (p party) fits(identity chartsign.Identity, logged bool) bool {
	switch identity.Kind {
	case chartsign.IdentityPGP:
		return slices.Contains(p.PGP, identity.Fingerprint) && (logged || !p.LogRequired)
	case chartsign.IdentityKey:
		return slices.Contains(p.Keys, identity.Key) && (logged || p.LogOptional)
	case chartsign.IdentityKeyless:
		return slices.ContainsFunc(p.matchers, func(m matcher) bool { return m.fits(identity) }) && (logged || p.LogOptional)
	default:
		return false
	}
}
