// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package oidc is an OpenID Connect issuer for tests: it mints whatever identity it is
// asked for and asks nobody who they are. It MUST listen on loopback only.
//
// The first path element names a realm, and every realm is an issuer of its own; see
// realm.go for the ones with claims of their own. Below an issuer URL:
//
//	GET .well-known/openid-configuration   discovery
//	GET keys                               public keys (JWKS)
//	GET token?CLAIM=VALUE…                 an identity token
//
// Parameters of token are claims, except ttl (a duration such as 10m), audience (the name
// that CI systems give to aud) and raw (with raw=1 the answer is the bare token and no JSON).
package oidc

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	keyID = "sandbox"
	// keyBits is the size that public issuers use.
	keyBits = 2048
)

// Issuer mints identity tokens for all realms under one URL, with one key.
type Issuer struct {
	base   string
	keys   jose.JSONWebKeySet
	signer jose.Signer
	now    func() time.Time
}

// New makes an issuer with a fresh key. The base URL has no trailing slash.
func New(base string, now func() time.Time) (*Issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("oidc: make key: %w", err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: keyID}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("oidc: make signer: %w", err)
	}
	public := jose.JSONWebKey{Key: key.Public(), KeyID: keyID, Algorithm: string(jose.RS256), Use: "sig"}
	return &Issuer{base: base, keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}}, signer: signer, now: now}, nil
}

// Handler serves every realm.
func (i *Issuer) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, prefix := range []string{"", "/{realm}"} {
		mux.HandleFunc("GET "+prefix+"/.well-known/openid-configuration", i.discovery)
		mux.HandleFunc("GET "+prefix+"/keys", i.publicKeys)
		mux.HandleFunc("GET "+prefix+"/token", i.token)
		mux.HandleFunc("POST "+prefix+"/token", i.token)
	}
	return mux
}

func (i *Issuer) discovery(w http.ResponseWriter, r *http.Request) {
	issuer := i.url(r)
	writeJSON(w, map[string]any{
		"issuer":                                issuer,
		"jwks_uri":                              issuer + "/keys",
		"token_endpoint":                        issuer + "/token",
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{string(jose.RS256)},
	})
}

func (i *Issuer) publicKeys(w http.ResponseWriter, _ *http.Request) { writeJSON(w, i.keys) }

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	claims, err := i.claims(i.url(r), r.PathValue("realm"), r.Form)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	token, err := jwt.Signed(i.signer).Claims(claims).Serialize()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if r.Form.Get("raw") == "1" {
		_, _ = w.Write([]byte(token))
		return
	}
	// GitHub Actions answers with "value", OAuth servers with the other names.
	writeJSON(w, map[string]any{"value": token, "id_token": token, "access_token": token, "token_type": "Bearer"})
}

// url is the issuer URL of the realm that a request names.
func (i *Issuer) url(r *http.Request) string {
	if realm := r.PathValue("realm"); realm != "" {
		return i.base + "/" + realm
	}
	return i.base
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client went away
}
