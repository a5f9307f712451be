// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
)

// testSign gets certificates for several identities and signs with each; the bundle is
// verified under the sandbox's trusted root as part of that.
func testSign(t *testing.T, env environ) {
	t.Helper()
	issuer := env["SANDBOX_OIDC_ISSUER"]
	for _, tc := range []struct {
		name    string
		args    []string
		subject string
	}{
		{"email", []string{"--issuer", issuer, "--email", "dev@example.test"}, "dev@example.test"},
		{
			"workflow",
			[]string{"--issuer", env["SANDBOX_OIDC_ISSUER_GITHUB"], "--claim", "repository=acme/charts", "--claim", "ref=refs/tags/v1"},
			"https://github.com/acme/charts/.github/workflows/release.yml@refs/tags/v1",
		},
		{"spiffe", []string{"--issuer", issuer + "/spiffe"}, "spiffe://sandbox.test/ns/release/sa/signer"},
		{"uri", []string{"--issuer", issuer + "/uri", "--claim", "sub=http://127.0.0.1/me"}, "http://127.0.0.1/me"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			signed, err := signWith(t, env, mint(t, tc.args...))
			if err != nil {
				t.Fatal(err)
			}
			if signed.SubjectAlternativeName != tc.subject || signed.Issuer != tc.args[1] {
				t.Errorf("got %q of %q, want %q of %q", signed.SubjectAlternativeName, signed.Issuer, tc.subject, tc.args[1])
			}
		})
	}
	for name, args := range map[string][]string{
		"expired token":    {"--issuer", issuer, "--email", "dev@example.test", "--ttl", "-1m"},
		"unknown issuer":   {"--issuer", issuer + "/elsewhere", "--email", "dev@example.test"},
		"unverified email": {"--issuer", issuer, "--email", "dev@example.test", "--claim", "email_verified=false"},
		"wrong audience":   {"--issuer", issuer, "--email", "dev@example.test", "--claim", "aud=other"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := signWith(t, env, mint(t, args...)); err == nil {
				t.Error("got a certificate, want a refusal")
			}
		})
	}
}

// signWith signs a text with the services of the signing configuration and returns what
// the certificate says.
func signWith(t *testing.T, env environ, token string) (certificate.Summary, error) {
	t.Helper()
	trusted, err := root.NewTrustedRootFromPath(env["SANDBOX_TRUSTED_ROOT"])
	if err != nil {
		t.Fatal(err)
	}
	config, err := root.NewSigningConfigFromPath(env["SANDBOX_SIGNING_CONFIG"])
	if err != nil {
		t.Fatal(err)
	}
	pick := func(services []root.Service, versions []uint32) root.Service {
		service, err := root.SelectService(services, versions, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return service
	}
	ca := pick(config.FulcioCertificateAuthorityURLs(), sign.FulcioAPIVersions)
	log := pick(config.RekorLogURLs(), sign.RekorAPIVersions)
	tsa := pick(config.TimestampAuthorityURLs(), sign.TimestampAuthorityAPIVersions)
	key, err := sign.NewEphemeralKeypair(nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := sign.Bundle(&sign.PlainData{Data: []byte(t.Name())}, key, sign.BundleOptions{
		Context:                    t.Context(),
		CertificateProvider:        sign.NewFulcio(&sign.FulcioOptions{BaseURL: ca.URL, Timeout: patience}),
		CertificateProviderOptions: &sign.CertificateProviderOptions{IDToken: token},
		TimestampAuthorities:       []*sign.TimestampAuthority{sign.NewTimestampAuthority(&sign.TimestampAuthorityOptions{URL: tsa.URL, Timeout: patience})},
		TransparencyLogs:           []sign.Transparency{sign.NewRekor(&sign.RekorOptions{BaseURL: log.URL, Timeout: patience, Version: log.MajorAPIVersion})},
		TrustedRoot:                trusted,
	})
	if err != nil {
		return certificate.Summary{}, err
	}
	verified, err := bundle.NewBundle(signed)
	if err != nil {
		return certificate.Summary{}, err
	}
	content, err := verified.VerificationContent()
	if err != nil {
		return certificate.Summary{}, err
	}
	return certificate.SummarizeCertificate(content.Certificate())
}

// mint runs the token command.
func mint(t *testing.T, args ...string) string {
	t.Helper()
	out, err := program(t, append([]string{"token"}, args...)...).Output()
	if err != nil {
		t.Fatalf("token: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func TestTokenShape(t *testing.T) {
	env, _ := startSandbox(t)
	parts := strings.Split(mint(t, "--issuer", env["SANDBOX_OIDC_ISSUER"], "--email", "a@b.test", "--claim", "groups=x=y"), ".")
	if len(parts) != 3 {
		t.Fatalf("got %d parts, want a JWT", len(parts))
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"iss": env["SANDBOX_OIDC_ISSUER"], "aud": "sigstore", "sub": "a@b.test",
		"email": "a@b.test", "email_verified": true, "groups": "x=y",
	} {
		if claims[name] != want {
			t.Errorf("claim %s: got %v, want %v", name, claims[name], want)
		}
	}
	if _, ok := claims["raw"]; ok {
		t.Error("the parameter raw became a claim")
	}
}
