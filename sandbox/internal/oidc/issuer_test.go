// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

func TestToken(t *testing.T) {
	moment := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	issuer, err := New("http://issuer.test", func() time.Time { return moment })
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, target string
		want         map[string]any
	}{
		{"email", "/token?email=a@b.test", map[string]any{
			"iss": "http://issuer.test", "sub": "a@b.test", "email_verified": true,
			"exp": float64(moment.Add(10 * time.Minute).Unix()),
		}},
		{"own claims", "/token?email=a@b.test&sub=other&email_verified=false&ttl=1m&nbf=7", map[string]any{
			"sub": "other", "email_verified": false, "nbf": float64(7), "exp": float64(moment.Add(time.Minute).Unix()),
		}},
		{"workflow follows its repository", "/gh/token?repository=acme/charts&ref=refs/tags/v1", map[string]any{
			"iss": "http://issuer.test/gh", "repository_owner": "acme", "sub": "repo:acme/charts:ref:refs/tags/v1",
			"job_workflow_ref": "acme/charts/.github/workflows/release.yml@refs/tags/v1",
		}},
		{"audience as CI systems name it", "/gh/token?audience=other", map[string]any{"aud": "other"}},
		{"spiffe", "/spiffe/token", map[string]any{"sub": "spiffe://sandbox.test/ns/release/sa/signer"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := claimsOf(t, issuer, tc.target)
			for name, want := range tc.want {
				if got[name] != want {
					t.Errorf("claim %s: got %v, want %v", name, got[name], want)
				}
			}
		})
	}
}

func TestTokenRefuses(t *testing.T) {
	issuer, err := New("http://issuer.test", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/token?ttl=soon", "/token?exp=later", "/token?email_verified=perhaps"} {
		if answer := ask(t, issuer, target); answer.Code != http.StatusBadRequest {
			t.Errorf("%s: got %d, want 400", target, answer.Code)
		}
	}
}

// claimsOf asks for a token and verifies it with the published keys.
func claimsOf(t *testing.T, issuer *Issuer, target string) map[string]any {
	t.Helper()
	var answer struct{ Value string }
	if err := json.Unmarshal(ask(t, issuer, target).Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(ask(t, issuer, "/keys").Body.Bytes(), &keys); err != nil {
		t.Fatal(err)
	}
	token, err := jwt.ParseSigned(answer.Value, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := token.Claims(keys, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func ask(t *testing.T, issuer *Issuer, target string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	issuer.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody))
	return answer
}
