// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/policy"
	"github.com/chartsign/chartsign/verify"
)

// Trust is a compiled trust policy: keys read, identities and Rego compiled. It is
// immutable and safe for concurrent use.
type Trust struct {
	rules []*rule
}

// rule is a compiled Rule.
type rule struct {
	name            string
	patterns        []pattern
	verifier        *verify.Verifier
	need            int
	signers         int
	policy          *policy.Policy
	waivers         []waiver
	warn            bool
	warnUnsigned    bool
	anyTag, anyName bool
	digest          chartsign.Digest
}

// Options adjust how a Trust judges. The zero value is strict.
type Options struct {
	// HelmCompat is verify.Options.HelmCompat.
	HelmCompat bool
	// Policies and PolicyData are added to those of every rule.
	Policies, PolicyData []string
}

// LoadTrust reads and compiles the trust policy file at path, with all keys and policies
// that it names.
func LoadTrust(ctx context.Context, path string, opts Options) (*Trust, error) {
	data, err := limits.ReadFile(path, limits.TrustPolicy)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustPolicy, err)
	}
	file, err := ParseTrustPolicy(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	trust, err := Compile(ctx, file, filepath.Dir(path), opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return trust, nil
}

// Compile compiles a trust policy whose paths are relative to folder.
func Compile(ctx context.Context, file *TrustPolicy, folder string, opts Options) (*Trust, error) {
	c, err := newCompiler(folder, opts)
	if err != nil {
		return nil, err
	}
	if file.TrustedRoot != "" {
		if c.sigstore, err = c.trustedRoot(file.TrustedRoot); err != nil {
			return nil, err
		}
	}
	trust := &Trust{}
	for i := range file.Rules {
		spec := &file.Rules[i]
		compiled, err := c.rule(ctx, spec)
		if err != nil {
			return nil, fmt.Errorf("rule %d (%q): %w", i+1, spec.Name, err)
		}
		if err := trust.add(compiled); err != nil {
			return nil, err
		}
	}
	return trust, nil
}

// add appends a rule unless earlier ones leave nothing to it.
func (t *Trust) add(r *rule) error {
	if slices.ContainsFunc(t.rules, func(other *rule) bool { return other.name == r.name }) {
		return fmt.Errorf("%w: two rules are named %q", ErrTrustPolicy, r.name)
	}
	for _, mine := range r.patterns {
		if covering := t.coveredBy(mine); covering != "" {
			return fmt.Errorf("%w: rule %q: %q can never match, rule %q comes first", ErrTrustPolicy, r.name, mine.text, covering)
		}
	}
	t.rules = append(t.rules, r)
	return nil
}

func (t *Trust) coveredBy(p pattern) string {
	for _, earlier := range t.rules {
		if slices.ContainsFunc(earlier.patterns, func(e pattern) bool { return e.covers(p) }) {
			return earlier.name
		}
	}
	return ""
}

// match returns the first rule about ref, or nil.
func (t *Trust) match(ref chartsign.Reference) *rule {
	for _, r := range t.rules {
		if slices.ContainsFunc(r.patterns, func(p pattern) bool { return p.matches(ref) }) {
			return r
		}
	}
	return nil
}

// trustDigest names a rule, who its signers are by their keys, and all that is known of
// those keys.
func trustDigest(spec *Rule, parties []verify.Signer, root *keys.TrustRoot, opts Options) (chartsign.Digest, error) {
	data, err := json.Marshal(struct {
		Rule       *Rule
		Signers    []verify.Signer
		Root       chartsign.Digest
		HelmCompat bool
	}{spec, parties, root.Fingerprint(), opts.HelmCompat})
	if err != nil {
		return chartsign.Digest{}, err
	}
	return sha256.Sum256(data), nil
}
