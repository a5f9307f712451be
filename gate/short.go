// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"fmt"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/policy"
	"github.com/chartsign/chartsign/verify"
)

// ErrNobodyTrusted says that no signer was named: roots are not signers, and nothing is
// trusted by default.
var ErrNobodyTrusted = errors.New("nobody is trusted")

// ShortTrust is trust by flags instead of a file: one rule, for every reference, in which
// each primary key, each public key and the identity is a signer of its own.
type ShortTrust struct {
	// Keyrings are files of OpenPGP keys. All of their primary keys are signers, unless
	// Fingerprints names some of them.
	Keyrings     []string
	Fingerprints []string
	// Keys are PEM files of public keys.
	Keys []string
	// Identity is a certificate's issuer and subject; it needs TrustedRoot.
	Identity    *verify.KeylessIdentity
	TrustedRoot string
	// Require is any (the default), all, or a number of distinct signers.
	Require string
}

// shortRule is the name of the rule that ShortTrust makes, as reports show it.
const shortRule = "command line"

// CompileShort compiles trust by flags. Paths are used as they are.
func CompileShort(ctx context.Context, short ShortTrust, opts Options) (*Trust, error) {
	material, parties, err := short.material()
	if err != nil {
		return nil, err
	}
	if len(parties) == 0 {
		return nil, ErrNobodyTrusted
	}
	root, err := keys.NewTrustRoot(material)
	if err != nil {
		return nil, err
	}
	compiled := &rule{name: shortRule, signers: len(parties), patterns: []pattern{{segments: []string{anyDepth}}, {file: true, segments: []string{anyDepth}}}}
	if compiled.need, err = parseRequirement(short.Require, len(parties)); err != nil {
		return nil, err
	}
	if compiled.verifier, err = verify.New(root, parties, verify.Options{HelmCompat: opts.HelmCompat}); err != nil {
		return nil, err
	}
	if compiled.policy, err = compilePolicy(ctx, policy.Options{Sources: opts.Policies, Data: opts.PolicyData}); err != nil {
		return nil, err
	}
	if compiled.digest, err = trustDigest(&Rule{Name: shortRule, Require: Require(short.Require)}, parties, root, opts); err != nil {
		return nil, err
	}
	return &Trust{rules: []*rule{compiled}}, nil
}

func (s ShortTrust) material() (material keys.TrustMaterial, parties []verify.Signer, err error) {
	if s.TrustedRoot != "" {
		if material.Sigstore, err = keys.LoadTrustedRoot(s.TrustedRoot); err != nil {
			return material, nil, err
		}
	}
	fingerprints, err := s.pgp(&material)
	if err != nil {
		return material, nil, err
	}
	for _, fingerprint := range fingerprints {
		parties = append(parties, verify.Signer{Name: "pgp:" + string(fingerprint), PGP: []chartsign.Fingerprint{fingerprint}})
	}
	for _, path := range s.Keys {
		key, err := keys.LoadPublicKey(path)
		if err != nil {
			return material, nil, err
		}
		material.Keys = append(material.Keys, key)
		parties = append(parties, verify.Signer{Name: "key:" + key.Fingerprint, Keys: []string{key.Fingerprint}})
	}
	if s.Identity != nil {
		if material.Sigstore == nil {
			return material, nil, fmt.Errorf("%w: an identity needs a trusted root", ErrNobodyTrusted)
		}
		parties = append(parties, verify.Signer{Name: "keyless", Keyless: []verify.KeylessIdentity{*s.Identity}})
	}
	return material, parties, nil
}

func (s ShortTrust) pgp(material *keys.TrustMaterial) ([]chartsign.Fingerprint, error) {
	var rings []*keys.PGPKeyring
	for _, path := range s.Keyrings {
		ring, err := keys.LoadPGPKeyring(path)
		if err != nil {
			return nil, err
		}
		rings = append(rings, ring)
	}
	if len(s.Fingerprints) > 0 && len(rings) == 0 {
		return nil, fmt.Errorf("%w: a fingerprint needs a keyring that holds the key", ErrNobodyTrusted)
	}
	material.PGP = keys.JoinPGPKeyrings(rings...)
	if len(s.Fingerprints) > 0 {
		return namedIn(material.PGP, s.Fingerprints)
	}
	return material.PGP.Fingerprints(), nil
}
