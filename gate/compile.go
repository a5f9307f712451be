// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/policy"
	"github.com/chartsign/chartsign/verify"
)

// compiler turns rules as written into rules that judge.
type compiler struct {
	folder   folder // files outside it are refused
	opts     Options
	sigstore *keys.SigstoreRoot
}

func newCompiler(path string, opts Options) (*compiler, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	resolved, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustPolicy, err)
	}
	return &compiler{folder: folder{real: resolved, named: absolute}, opts: opts}, nil
}

// inside returns the real path of name, which must stay below the trust policy's folder.
func (c *compiler) inside(name string) (string, error) {
	if name == "" || filepath.IsAbs(name) || strings.Contains(name, "://") {
		return "", fmt.Errorf("%w: got the path %.200q, want one relative to the trust policy file", ErrTrustPolicy, name)
	}
	resolved, err := filepath.EvalSymlinks(filepath.Join(c.folder.real, name))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrTrustPolicy, err)
	}
	relative, err := filepath.Rel(c.folder.real, resolved)
	if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return "", fmt.Errorf("%w: the path %.200q leads out of the trust policy's folder", ErrTrustPolicy, name)
	}
	return resolved, nil
}

func (c *compiler) trustedRoot(name string) (*keys.SigstoreRoot, error) {
	path, err := c.inside(name)
	if err != nil {
		return nil, err
	}
	return keys.LoadTrustedRoot(path)
}

func (c *compiler) rule(ctx context.Context, spec *Rule) (*rule, error) {
	if err := checkRule(spec); err != nil {
		return nil, err
	}
	compiled := &rule{
		name: spec.Name, signers: len(spec.Signers), warn: spec.Mode == modeWarn,
		warnUnsigned: spec.WarnUnsigned, anyTag: spec.AnyTag, anyName: spec.AnyName,
	}
	for _, text := range spec.Match {
		p, err := parsePattern(text, c.folder)
		if err != nil {
			return nil, err
		}
		compiled.patterns = append(compiled.patterns, p)
	}
	var err error
	if compiled.need, err = parseRequirement(string(spec.Require), len(spec.Signers)); err != nil {
		return nil, err
	}
	if compiled.waivers, err = compileWaivers(spec.Waivers); err != nil {
		return nil, err
	}
	if err := c.signers(spec, compiled); err != nil {
		return nil, err
	}
	compiled.policy, err = c.policies(ctx, spec)
	return compiled, err
}

const (
	modeEnforce = "enforce"
	modeWarn    = "warn"
)

func checkRule(spec *Rule) error {
	switch {
	case spec.Name == "":
		return fmt.Errorf("%w: the rule has no name", ErrTrustPolicy)
	case len(spec.Match) == 0:
		return fmt.Errorf("%w: the rule matches nothing: want at least one pattern", ErrTrustPolicy)
	case len(spec.Signers) == 0:
		return fmt.Errorf("%w: the rule names no signer: want at least one", ErrTrustPolicy)
	case len(spec.Attesters) > 0:
		return fmt.Errorf("%w: the rule names attesters: this version judges no attestations", ErrTrustPolicy)
	case len(spec.AcceptDecisions) > 0:
		return fmt.Errorf("%w: the rule accepts decisions of others: this version does not judge them", ErrTrustPolicy)
	case spec.Mode != "" && spec.Mode != modeEnforce && spec.Mode != modeWarn:
		return fmt.Errorf("%w: got mode %.40q, want enforce or warn", ErrTrustPolicy, spec.Mode)
	case spec.WarnUnsigned && spec.Mode != modeWarn:
		return fmt.Errorf("%w: warnUnsigned needs mode: warn", ErrTrustPolicy)
	default:
		return nil
	}
}

func (c *compiler) policies(ctx context.Context, spec *Rule) (*policy.Policy, error) {
	opts := policy.Options{Sources: c.opts.Policies, Data: c.opts.PolicyData}
	for _, name := range spec.Policies {
		path, err := c.inside(name)
		if err != nil {
			return nil, err
		}
		opts.Sources = append(slices.Clip(opts.Sources), path)
	}
	for _, name := range spec.PolicyData {
		path, err := c.inside(name)
		if err != nil {
			return nil, err
		}
		opts.Data = append(slices.Clip(opts.Data), path)
	}
	return compilePolicy(ctx, opts)
}

// compilePolicy returns nil where no policy is named.
func compilePolicy(ctx context.Context, opts policy.Options) (*policy.Policy, error) {
	if len(opts.Sources) > 0 {
		return policy.Compile(ctx, opts)
	}
	if len(opts.Data) > 0 {
		return nil, fmt.Errorf("%w: policy data without a policy", ErrTrustPolicy)
	}
	return nil, nil
}

// signers reads the keys of the rule's signers and makes its verifier.
func (c *compiler) signers(spec *Rule, compiled *rule) error {
	material := keys.TrustMaterial{Sigstore: c.sigstore}
	var parties []verify.Signer
	var rings []*keys.PGPKeyring
	for i := range spec.Signers {
		party, ring, err := c.signer(&spec.Signers[i], &material)
		if err != nil {
			return fmt.Errorf("signer %d (%q): %w", i+1, spec.Signers[i].Name, err)
		}
		parties, rings = append(parties, party), append(rings, ring)
	}
	material.PGP = keys.JoinPGPKeyrings(rings...)
	root, err := keys.NewTrustRoot(material)
	if err != nil {
		return err
	}
	if compiled.verifier, err = verify.New(root, parties, verify.Options{HelmCompat: c.opts.HelmCompat}); err != nil {
		return err
	}
	compiled.digest, err = trustDigest(spec, parties, root, c.opts)
	return err
}

func (c *compiler) signer(spec *Signer, material *keys.TrustMaterial) (verify.Signer, *keys.PGPKeyring, error) {
	party := verify.Signer{Name: spec.Name}
	switch spec.Transparency {
	case "":
	case "optional":
		party.LogOptional = true
	case "required":
		party.LogRequired = true
	default:
		return party, nil, fmt.Errorf("%w: got transparency %.40q, want required or optional", ErrTrustPolicy, spec.Transparency)
	}
	if spec.Keyless != nil {
		if c.sigstore == nil {
			return party, nil, fmt.Errorf("%w: a keyless signer needs trustedRoot", ErrTrustPolicy)
		}
		if spec.Keyless.Extensions != nil && len(spec.Keyless.Extensions) == 0 {
			return party, nil, fmt.Errorf("%w: extensions is empty: name one, or leave the field out for any", ErrTrustPolicy)
		}
		party.Keyless = []verify.KeylessIdentity{{
			Issuer: spec.Keyless.Issuer, IssuerRegexp: spec.Keyless.IssuerRegexp,
			Subject: spec.Keyless.Subject, SubjectRegexp: spec.Keyless.SubjectRegexp, Extensions: spec.Keyless.Extensions,
		}}
	}
	if spec.Key != nil {
		path, err := c.inside(spec.Key.File)
		if err != nil {
			return party, nil, err
		}
		key, err := keys.LoadPublicKey(path)
		if err != nil {
			return party, nil, err
		}
		material.Keys = append(material.Keys, key)
		party.Keys = []string{key.Fingerprint}
	}
	if spec.PGP == nil {
		return party, nil, nil
	}
	ring, err := c.pgp(spec.PGP, &party)
	return party, ring, err
}

// pgp reads a signer's keyring; every fingerprint that is named must be in it.
func (c *compiler) pgp(spec *PGPKeys, party *verify.Signer) (*keys.PGPKeyring, error) {
	path, err := c.inside(spec.Keyring)
	if err != nil {
		return nil, err
	}
	ring, err := keys.LoadPGPKeyring(path)
	if err != nil {
		return nil, err
	}
	party.PGP = ring.Fingerprints()
	if spec.Fingerprints != nil {
		party.PGP, err = namedIn(ring, spec.Fingerprints)
	}
	return ring, err
}

func namedIn(ring *keys.PGPKeyring, names []string) ([]chartsign.Fingerprint, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: fingerprints is empty: name one, or leave the field out for every key of the keyring", ErrTrustPolicy)
	}
	var list []chartsign.Fingerprint
	for _, name := range names {
		fingerprint, err := chartsign.ParseFingerprint(name)
		if err != nil {
			return nil, err
		}
		if !ring.Has(fingerprint) {
			return nil, fmt.Errorf("%w: no primary key of the keyring has the fingerprint %s", ErrTrustPolicy, fingerprint)
		}
		list = append(list, fingerprint)
	}
	return list, nil
}
