// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package registry serves an OCI registry that keeps everything in memory, with or without
// the Referrers API.
//
// It is the registry of go-containerregistry, traits included: a referrers listing gives
// the media type of the config as artifactType, answers 404 for a repository that does not
// exist, and ignores the artifactType filter. Registries in the wild do such things too,
// and clients must not depend on better.
package registry

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
)

// maxManifest is the least that a registry must accept (OCI distribution specification,
// "Pushing Manifests").
const maxManifest = 4 << 20

// Handler makes a registry. Without referrers, the Referrers API answers 404.
func Handler(referrers bool) http.Handler {
	handler := registry.New(
		registry.Logger(log.New(io.Discard, "", 0)),
		registry.WithReferrersSupport(referrers))
	if referrers {
		return withSubject(handler)
	}
	return handler
}

// withSubject adds what go-containerregistry leaves out. OCI distribution specification,
// "Pushing Manifests with Subject": a registry that processes the subject MUST answer with
// the header OCI-Subject. A client that misses it writes a fallback tag on top.
func withSubject(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxManifest))
			if err != nil {
				http.Error(w, "manifest: "+err.Error(), http.StatusRequestEntityTooLarge)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			if digest := subject(body); digest != "" {
				w.Header().Set("OCI-Subject", digest)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// subject is the digest of what a manifest refers to, if it refers to anything.
func subject(manifest []byte) string {
	var fields struct {
		Subject struct {
			Digest string `json:"digest"`
		} `json:"subject"`
	}
	if json.Unmarshal(manifest, &fields) != nil {
		return "" // the registry answers that
	}
	return fields.Subject.Digest
}
