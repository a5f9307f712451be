// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/verify"
)

// trustFlags say who is trusted; the certificate flags have cosign's names.
func trustFlags() []cli.Flag {
	return []cli.Flag{
		file(groupTrust, "trust", "judge by the trust policy in `FILE`"),
		list(groupTrust, "keyring", "trust the OpenPGP keys in `FILE` (repeatable)"),
		list(groupTrust, "signer", "trust only the key with this `FINGERPRINT` of the keyrings (repeatable)"),
		list(groupTrust, "key", "trust the public key in `FILE` (PEM; repeatable)"),
		text(groupTrust, "certificate-identity", "trust certificates for this `SUBJECT`"),
		text(groupTrust, "certificate-identity-regexp", "trust certificates whose whole subject matches `REGEXP`"),
		text(groupTrust, "certificate-oidc-issuer", "… that were issued for this OIDC issuer `URL`"),
		text(groupTrust, "certificate-oidc-issuer-regexp", "… whose whole OIDC issuer matches `REGEXP`"),
		file(groupTrust, "trusted-root", "check certificates, logs and times under the Sigstore trusted root in `FILE`"),
		text(groupTrust, "require", "how many of the signers must have signed: any, all or `N`"),
		toggle(groupTrust, "helm-compat", "accept honest oddities of .prov files; the report names them"),
		list(groupPolicy, "policy", "let the Rego in this `PATH` decide too (repeatable)"),
		list(groupPolicy, "policy-data", "give the policy the data in `FILE` (YAML or JSON; repeatable)"),
		file(groupPolicy, "input-out", "write what the policy saw to `FILE`"),
		text(groupPolicy, "effective-time", "the policy's clock: `TIME` in RFC 3339 instead of now"),
		text(groupPolicy, "context-namespace", "tell the policy that the chart is for `NAMESPACE`"),
		text(groupPolicy, "context-user", "tell the policy that `USER` asks"),
	}
}

// shortFlags are those that stand in for a trust policy file.
var shortFlags = []string{
	"keyring", "signer", "key", "certificate-identity", "certificate-identity-regexp",
	"certificate-oidc-issuer", "certificate-oidc-issuer-regexp", "trusted-root", "require",
}

// compileTrust turns the flags into a trust policy.
func compileTrust(ctx context.Context, c *cli.Context) (*gate.Trust, error) {
	opts := gate.Options{HelmCompat: c.Bool("helm-compat"), Policies: values(c, "policy"), PolicyData: values(c, "policy-data")}
	if len(opts.PolicyData) > 0 && len(opts.Policies) == 0 && c.String("trust") == "" {
		return nil, usagef("--policy-data needs --policy")
	}
	path := c.String("trust")
	if path == "" {
		return compileShort(ctx, c, opts)
	}
	for _, name := range shortFlags {
		if given(c, name) {
			return nil, usagef("--trust and --%s exclude each other", name).hint("put the signer into the trust policy")
		}
	}
	trust, err := gate.LoadTrust(ctx, path, opts)
	if err != nil {
		return nil, asUsage(err)
	}
	return trust, nil
}

func compileShort(ctx context.Context, c *cli.Context, opts gate.Options) (*gate.Trust, error) {
	short := gate.ShortTrust{
		Keyrings: values(c, "keyring"), Fingerprints: values(c, "signer"), Keys: values(c, "key"),
		TrustedRoot: c.String("trusted-root"), Require: c.String("require"),
	}
	id := verify.KeylessIdentity{
		Subject: c.String("certificate-identity"), SubjectRegexp: c.String("certificate-identity-regexp"),
		Issuer: c.String("certificate-oidc-issuer"), IssuerRegexp: c.String("certificate-oidc-issuer-regexp"),
	}
	if id.Subject+id.SubjectRegexp+id.Issuer+id.IssuerRegexp != "" {
		if (id.Subject+id.SubjectRegexp == "") || (id.Issuer+id.IssuerRegexp == "") {
			return nil, usagef("a certificate is trusted for a subject and an issuer: got only one of them").
				hint("give --certificate-identity and --certificate-oidc-issuer together")
		}
		short.Identity = &id
	}
	trust, err := gate.CompileShort(ctx, short, opts)
	if err != nil {
		return nil, asUsage(err)
	}
	return trust, nil
}

// asUsage marks mistakes in the caller's own files as such, and keeps their hints.
func asUsage(err error) error {
	_, next := classify(err)
	return usageError(err).hint(next)
}

func effectiveTime(c *cli.Context) (time.Time, error) {
	value := c.String("effective-time")
	if value == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return at, usagef("--effective-time: got %q, want a time such as 2026-01-31T12:00:00Z", value)
	}
	return at, nil
}
