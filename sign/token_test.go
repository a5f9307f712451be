// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/sign"
)

func jwt(claims string) string {
	return "eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "." + strings.Repeat("c2ln", 20)
}

func TestTokensThatAreNone(t *testing.T) {
	w := newWorld(t)
	exp := testkit.Epoch().Add(time.Hour).Unix()
	good := jwt(fmt.Sprintf(`{"iss":"https://i.test","sub":"s","exp":%d}`, exp))
	for name, tc := range map[string]struct {
		token string
		says  string // "" for a token that is good
	}{
		"good":               {good, ""},
		"surrounding blanks": {" " + good + "\r\n", ""},
		"fractional expiry":  {jwt(fmt.Sprintf(`{"iss":"https://i.test","sub":"s","exp":%d.5}`, exp)), ""},
		"words":              {"not a token", "1 parts"},
		"two parts":          {good[:strings.LastIndex(good, ".")], "2 parts"},
		"four parts":         {good + ".x", "4 parts"},
		"no signature":       {good[:strings.LastIndex(good, ".")+1], "part 3"},
		"padding":            {good + "=", "part 3"},
		"header injection":   {"eyJ9\r\nX-Evil: 1." + good[strings.Index(good, ".")+1:], "part 1"},
		"claims are no JSON": {jwt("{"), "claims"},
		"claims are a list":  {jwt("[]"), "claims"},
		"no issuer":          {jwt(fmt.Sprintf(`{"sub":"s","exp":%d}`, exp)), "issuer"},
		"no subject":         {jwt(fmt.Sprintf(`{"iss":"https://i.test","exp":%d}`, exp)), "subject"},
		"unverified e-mail":  {jwt(fmt.Sprintf(`{"iss":"https://i.test","sub":"s","email":"a@b.test","email_verified":false,"exp":%d}`, exp)), "not verified"},
		"no expiry":          {jwt(`{"iss":"https://i.test","sub":"s"}`), "no time of expiry"},
		"expiry is a word":   {jwt(`{"iss":"https://i.test","sub":"s","exp":"tomorrow"}`), "claims"},
		"absurd expiry":      {jwt(`{"iss":"https://i.test","sub":"s","exp":1e300}`), "no time of expiry"},
		"negative expiry":    {jwt(`{"iss":"https://i.test","sub":"s","exp":-1}`), "no time of expiry"},
		"expired":            {jwt(fmt.Sprintf(`{"iss":"https://i.test","sub":"s","exp":%d}`, testkit.Epoch().Add(-90*time.Second).Unix())), "it expired at 2026-06-01T11:58:30Z, 1m30s ago"},
		"expires now":        {jwt(fmt.Sprintf(`{"iss":"https://i.test","sub":"s","exp":%d}`, testkit.Epoch().Unix())), "expired"},
		"too large":          {jwt(`{"iss":"` + strings.Repeat("a", int(limits.IdentityToken)) + `"}`), "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			opts := w.options(t, 1)
			opts.IdentityToken = tc.token
			_, err := sign.NewSigstore(opts)
			if tc.says == "" {
				if err != nil {
					t.Errorf("got %v, want a signer", err)
				}
				return
			}
			if !errors.Is(err, sign.ErrToken) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want %v with %q", err, sign.ErrToken, tc.says)
			}
			requireSecret(t, err, tc.token)
		})
	}
	if got := w.services.Requests(); len(got) != 0 {
		t.Errorf("got requests to %v, want none", got)
	}
}

// TestTokenExpiresMeanwhile: between two charts, say.
func TestTokenExpiresMeanwhile(t *testing.T) {
	w := newWorld(t)
	signer := newSigstore(t, w.options(t, 1))
	w.Clock.Advance(11 * time.Minute)
	if _, err := signer.SignManifest(t.Context(), manifest); !errors.Is(err, sign.ErrToken) {
		t.Errorf("got %v, want %v", err, sign.ErrToken)
	}
	if got := w.services.Requests(); len(got) != 0 {
		t.Errorf("got requests to %v, want none", got)
	}
}

// TestIdentityAsFulcioPutsIt follows Fulcio's public configuration.
func TestIdentityAsFulcioPutsIt(t *testing.T) {
	w := newWorld(t)
	for name, tc := range map[string]struct {
		claims          map[string]any
		issuer, subject string
	}{
		"e-mail":  {map[string]any{"email": "a@b.test"}, testkit.Issuer, "a@b.test"},
		"subject": {map[string]any{"sub": "spiffe://a.test/b"}, testkit.Issuer, "spiffe://a.test/b"},
		"Dex": {map[string]any{
			"iss": "https://oauth2.sigstore.dev/auth", "email": "a@b.test", "federated_claims": map[string]any{"connector_id": "https://accounts.google.com"},
		}, "https://accounts.google.com", "a@b.test"},
		"GitHub Actions": {map[string]any{
			"iss": "https://token.actions.githubusercontent.com", "sub": "repo:acme/charts:ref:refs/heads/main",
			"job_workflow_ref": "acme/charts/.github/workflows/release.yml@refs/heads/main",
		}, "https://token.actions.githubusercontent.com", "https://github.com/acme/charts/.github/workflows/release.yml@refs/heads/main"},
		"GitLab": {map[string]any{
			"iss": "https://gitlab.com", "sub": "project_path:acme/charts:ref_type:branch:ref:main", "ci_config_ref_uri": "gitlab.com/acme/charts//.gitlab-ci.yml@refs/heads/main",
		}, "https://gitlab.com", "https://gitlab.com/acme/charts//.gitlab-ci.yml@refs/heads/main"},
		"Buildkite": {map[string]any{
			"iss": "https://agent.buildkite.com", "organization_slug": "acme", "pipeline_slug": "charts",
		}, "https://agent.buildkite.com", "https://buildkite.com/acme/charts"},
		"CircleCI": {map[string]any{
			"iss": "https://oidc.circleci.com/org/1", "oidc.circleci.com/project-id": "p", "oidc.circleci.com/pipeline-definition-id": "d",
		}, "https://oidc.circleci.com/org/1", "https://circleci.com/api/v2/projects/p/pipeline-definitions/d"},
		"Codefresh": {map[string]any{
			"iss": "https://oidc.codefresh.io", "account_name": "acme", "account_id": "1", "pipeline_name": "x/y", "pipeline_id": "2",
		}, "https://oidc.codefresh.io", "https://g.codefresh.io/acme/x/y:1/2"},
		"Kubernetes": {map[string]any{
			"sub": "system:serviceaccount:a:b", "kubernetes.io": map[string]any{"namespace": "a", "serviceaccount": map[string]any{"name": "b"}},
		}, testkit.Issuer, "https://kubernetes.io/namespaces/a/serviceaccounts/b"},
	} {
		t.Run(name, func(t *testing.T) {
			opts := w.options(t, 1)
			opts.IdentityToken = w.Token(t, tc.claims)
			got := newSigstore(t, opts).Identity()
			if got.Issuer != tc.issuer || got.Subject != tc.subject {
				t.Errorf("got %s, want %s (%s)", got, tc.subject, tc.issuer)
			}
		})
	}
}

// TestWorkflowSigns: the subject of the certificate is not the subject of the token.
func TestWorkflowSigns(t *testing.T) {
	w := newWorld(t)
	opts := w.options(t, 1)
	opts.IdentityToken = w.Token(t, map[string]any{
		"sub": "repo:acme/charts:ref:refs/heads/main", "job_workflow_ref": "acme/charts/.github/workflows/release.yml@refs/heads/main",
	})
	if _, err := newSigstore(t, opts).SignManifest(t.Context(), manifest); err != nil {
		t.Errorf("got %v, want evidence", err)
	}
}

func TestSignerShowsNoToken(t *testing.T) {
	w := newWorld(t)
	opts := w.options(t, 1)
	signer := newSigstore(t, opts)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		requireSecret(t, fmt.Errorf(verb, signer), opts.IdentityToken)
	}
}
