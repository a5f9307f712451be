// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sigstore/sigstore/pkg/oauthflow"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// token is an OIDC identity token whose claims were read but not verified: that is Fulcio's
// business. Its text form shows nothing.
type token struct {
	raw    string
	expiry time.Time
	claims claims
}

// claims are those that decide what Fulcio writes into a certificate (fulcio,
// config/identity/config.yaml and pkg/identity).
type claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Email     string   `json:"email"`
	Expiry    *float64 `json:"exp"`
	Federated struct {
		Connector string `json:"connector_id"`
	} `json:"federated_claims"`
	GitHubWorkflow string `json:"job_workflow_ref"`
	GitLabConfig   string `json:"ci_config_ref_uri"`
	Organization   string `json:"organization_slug"`
	Pipeline       string `json:"pipeline_slug"`
	CircleProject  string `json:"oidc.circleci.com/project-id"`
	CirclePipeline string `json:"oidc.circleci.com/pipeline-definition-id"`
	Kubernetes     struct {
		Namespace      string `json:"namespace"`
		ServiceAccount struct {
			Name string `json:"name"`
		} `json:"serviceaccount"`
	} `json:"kubernetes.io"`
	CodefreshURL        string `json:"platform_url"`
	CodefreshAccount    string `json:"account_name"`
	CodefreshAccountID  string `json:"account_id"`
	CodefreshPipeline   string `json:"pipeline_name"`
	CodefreshPipelineID string `json:"pipeline_id"`
}

// parseToken reads a JWT in compact form (RFC 7519). Errors show nothing of it.
func parseToken(raw string) (*token, error) {
	raw = strings.TrimSpace(raw)
	if int64(len(raw)) > limits.IdentityToken {
		return nil, fmt.Errorf("%w: %w: got %d bytes, want at most %d", ErrToken, limits.ErrTooLarge, len(raw), limits.IdentityToken)
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%w: got %d parts, want the 3 of a JWT", ErrToken, len(parts))
	}
	for i, part := range parts {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil || part == "" {
			return nil, fmt.Errorf("%w: part %d is no base64url", ErrToken, i+1)
		}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, fmt.Errorf("%w: the claims are no base64url", ErrToken)
	}
	t := &token{raw: raw}
	if err := json.Unmarshal(payload, &t.claims); err != nil {
		return nil, fmt.Errorf("%w: the claims are not the JSON of an identity", ErrToken)
	}
	// What Fulcio wants as proof that the key is ours; it refuses unverified addresses.
	if _, err := oauthflow.SubjectFromUnverifiedToken(payload); err != nil {
		return nil, fmt.Errorf("%w: subject: %w", ErrToken, err)
	}
	if t.claims.Issuer == "" {
		return nil, fmt.Errorf("%w: it names no issuer", ErrToken)
	}
	if t.expiry, err = expiryOf(t.claims.Expiry); err != nil {
		return nil, err
	}
	return t, nil
}

func expiryOf(seconds *float64) (time.Time, error) {
	const farthest = 1 << 40 // some 35,000 years: what time can still format
	if seconds == nil || *seconds <= 0 || *seconds > farthest || math.IsNaN(*seconds) {
		return time.Time{}, fmt.Errorf("%w: it says no time of expiry", ErrToken)
	}
	return time.Unix(int64(*seconds), 0).UTC(), nil
}

// requireFresh refuses a token that has expired at now.
func (t *token) requireFresh(now time.Time) error {
	if now.Before(t.expiry) {
		return nil
	}
	return fmt.Errorf("%w: it expired at %s, %s ago", ErrToken, t.expiry.Format(time.RFC3339), now.Sub(t.expiry).Round(time.Second))
}

// String shows nothing of the token.
func (t *token) String() string { return "identity token" }

// GoString shows nothing of the token.
func (t *token) GoString() string { return t.String() }

// identity returns whom Fulcio will most likely certify.
func (t *token) identity() chartsign.Identity {
	return chartsign.Identity{Kind: chartsign.IdentityKeyless, Issuer: t.claims.issuers()[0], Subject: t.claims.subjects()[0]}
}

// mayBecome reports whether identity is what Fulcio makes of the token under any of its
// documented configurations.
func (t *token) mayBecome(identity chartsign.Identity) bool {
	return slices.Contains(t.claims.issuers(), identity.Issuer) && slices.Contains(t.claims.subjects(), identity.Subject)
}

// issuers begins with the login behind a federated one: of Dex tokens Fulcio certifies the
// connector, where it is so configured.
func (c claims) issuers() []string {
	if strings.HasPrefix(c.Federated.Connector, "https://") {
		return []string{c.Federated.Connector, c.Issuer}
	}
	return []string{c.Issuer}
}

// subjects lists the subject alternative names that Fulcio's kinds of issuer make of the
// claims, the most telling first. There is at least one.
func (c claims) subjects() []string {
	var list []string
	add := func(prefix string, parts ...string) {
		if slices.Contains(parts, "") {
			return
		}
		// Certificates carry the URI as net/url writes it.
		if uri, err := url.Parse(prefix + strings.Join(parts, "/")); err == nil {
			list = append(list, uri.String())
		}
	}
	add("https://github.com/", c.GitHubWorkflow)
	if host, ok := strings.CutSuffix(c.Issuer, "/_services/token"); ok { // GitHub Enterprise Server
		add(host+"/", c.GitHubWorkflow)
	}
	add("https://", c.GitLabConfig)
	add("https://buildkite.com/", c.Organization, c.Pipeline)
	add("https://circleci.com/api/v2/projects/", c.CircleProject, "pipeline-definitions", c.CirclePipeline)
	if c.CodefreshAccountID != "" {
		add(cmp.Or(c.CodefreshURL, "https://g.codefresh.io")+"/", c.CodefreshAccount, c.CodefreshPipeline+":"+c.CodefreshAccountID, c.CodefreshPipelineID)
	}
	add("https://kubernetes.io/namespaces/", c.Kubernetes.Namespace, "serviceaccounts", c.Kubernetes.ServiceAccount.Name)
	if c.Email != "" {
		list = append(list, c.Email)
	}
	if c.Subject != "" {
		list = append(list, c.Subject)
		add(strings.TrimSuffix(c.Issuer, "/")+"/", c.Subject) // Chainguard
	}
	return list
}
