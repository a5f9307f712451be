// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Realms that the sandbox's Fulcio knows. A token of any other realm is well formed, and
// Fulcio refuses it as one of an unknown issuer.
const (
	RealmGitHub = "gh"     // shaped like GitHub Actions; complete without any parameter
	RealmSPIFFE = "spiffe" // the subject is a SPIFFE ID of TrustDomain
	RealmURI    = "uri"    // the subject is a URL on the issuer's host
)

// TrustDomain is the only SPIFFE trust domain that Fulcio accepts here.
const TrustDomain = "sandbox.test"

const defaultTTL = 10 * time.Minute

// claims puts a token together: what every token has, what the realm adds, and on top
// what was asked for.
func (i *Issuer) claims(issuer, realm string, asked url.Values) (map[string]any, error) {
	ttl := defaultTTL
	if text := asked.Get("ttl"); text != "" {
		var err error
		if ttl, err = time.ParseDuration(text); err != nil {
			return nil, fmt.Errorf("parameter ttl: %w", err)
		}
	}
	now := i.now()
	claims := map[string]any{
		"iss": issuer, "aud": "sigstore", "sub": i.subject(realm),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(ttl).Unix(),
	}
	if realm == RealmGitHub {
		maps.Copy(claims, githubClaims(asked))
	}
	if email := asked.Get("email"); email != "" {
		claims["sub"], claims["email_verified"] = email, true
	}
	for name, values := range asked {
		if err := override(claims, name, values[0]); err != nil {
			return nil, err
		}
	}
	return claims, nil
}

func (i *Issuer) subject(realm string) string {
	switch realm {
	case RealmSPIFFE:
		return "spiffe://" + TrustDomain + "/ns/release/sa/signer"
	case RealmURI:
		return i.base + "/users/signer"
	default:
		return "sandbox-user"
	}
}

// override sets one claim from a request parameter, in the type that the claim has.
func override(claims map[string]any, name, value string) (err error) {
	switch name {
	case "ttl", "raw":
	case "audience":
		claims["aud"] = value
	case "email_verified":
		claims[name], err = strconv.ParseBool(value)
	case "iat", "nbf", "exp":
		claims[name], err = strconv.ParseInt(value, 10, 64)
	default:
		claims[name] = value
	}
	if err != nil {
		return fmt.Errorf("parameter %s: %w", name, err)
	}
	return nil
}

// githubClaims are those of a workflow run. What depends on the repository, the ref or the
// workflow file follows the one that was asked for, so that a test names only what it means.
func githubClaims(asked url.Values) map[string]any {
	get := func(name, fallback string) string {
		if value := asked.Get(name); value != "" {
			return value
		}
		return fallback
	}
	repository := get("repository", "octo-org/charts")
	owner, _, _ := strings.Cut(repository, "/")
	ref := get("ref", "refs/heads/main")
	workflow := get("workflow_ref", repository+"/.github/workflows/release.yml@"+ref)
	commit := get("sha", strings.Repeat("c0ffee00", 5))
	return map[string]any{
		"sub":                   "repo:" + repository + ":ref:" + ref,
		"repository":            repository,
		"repository_id":         "1001",
		"repository_owner":      owner,
		"repository_owner_id":   "1000",
		"repository_visibility": "public",
		"ref":                   ref,
		"sha":                   commit,
		"workflow":              "release",
		"workflow_ref":          workflow,
		"workflow_sha":          commit,
		"job_workflow_ref":      workflow,
		"job_workflow_sha":      commit,
		"event_name":            "push",
		"run_id":                "1",
		"run_attempt":           "1",
		"runner_environment":    "github-hosted",
	}
}
