// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-openapi/runtime"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/sigstore-go/pkg/root"
	"google.golang.org/protobuf/encoding/protojson"
)

// Services are a deployment's servers on loopback: enough of their HTTP interfaces to sign.
type Services struct {
	// URLs of the services, as a signing configuration names them.
	FulcioURL, Rekor1URL, Rekor2URL, TimestampURL string
	// NoSCT makes Fulcio leave certificates out of the transparency log. It is set before the
	// first request.
	NoSCT bool

	mu       sync.Mutex
	requests []string
	faults   map[string]http.HandlerFunc
}

// The names of the services, for Fail and Requests.
const (
	ServiceFulcio    = "fulcio"
	ServiceRekor     = "rekor"
	ServiceTimestamp = "tsa"
)

// Serve starts the services; they end with the test.
func (v *VirtualSigstore) Serve(tb testing.TB) *Services {
	tb.Helper()
	s := &Services{faults: map[string]http.HandlerFunc{}}
	mux := http.NewServeMux()
	mux.Handle("POST /api/v2/signingCert", s.around(ServiceFulcio, func(_ context.Context, r *http.Request, body []byte) (answer, error) {
		return v.serveFulcio(r, body, s.NoSCT)
	}))
	mux.Handle("POST /api/v1/log/entries", s.around(ServiceRekor, v.serveRekor1))
	mux.Handle("POST /api/v2/log/entries", s.around(ServiceRekor, v.serveRekor2))
	mux.Handle("POST /api/v1/timestamp", s.around(ServiceTimestamp, v.serveTimestamp))
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	s.FulcioURL, s.Rekor1URL, s.Rekor2URL, s.TimestampURL = server.URL, server.URL, server.URL, server.URL+"/api/v1/timestamp"
	return s
}

// Fail makes the service answer with handler until it is nil again.
func (s *Services) Fail(service string, handler http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[service] = handler
}

// Requests returns the names of the services in the order in which they were asked.
func (s *Services) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

// SigningConfig returns a signing configuration v0.2 that names the services, with the log
// of the given major version.
func (s *Services) SigningConfig(tb testing.TB, rekorVersion uint32) []byte {
	tb.Helper()
	service := func(url string, version uint32) []root.Service {
		return []root.Service{{URL: url, MajorAPIVersion: version, ValidityPeriodStart: earliest(), Operator: "testkit.test"}}
	}
	log := s.Rekor1URL
	if rekorVersion == 2 {
		log = s.Rekor2URL
	}
	anyOne := root.ServiceConfiguration{Selector: prototrustroot.ServiceSelector_ANY}
	config, err := root.NewSigningConfig(root.SigningConfigMediaType02, service(s.FulcioURL, 1), nil,
		service(log, rekorVersion), anyOne, service(s.TimestampURL, 1), anyOne)
	if err != nil {
		tb.Fatal(err)
	}
	data, err := config.MarshalJSON()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// Token returns an identity token with the claims: by Issuer, issued now and valid for ten
// minutes unless they say otherwise. A nil claim is left out. Nobody checks its signature.
func (v *VirtualSigstore) Token(tb testing.TB, claims map[string]any) string {
	tb.Helper()
	now := v.Clock.Now()
	all := map[string]any{
		"iss": Issuer, "aud": "sigstore", "sub": "1234", "email_verified": true,
		"iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	}
	for name, value := range claims {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	payload, err := json.Marshal(all)
	if err != nil {
		tb.Fatal(err)
	}
	signature := sha256.Sum256(payload)
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." +
		base64.RawURLEncoding.EncodeToString(payload) + "." + base64.RawURLEncoding.EncodeToString(signature[:])
}

type answer struct {
	status  int
	headers map[string]string
	body    []byte
}

type service func(ctx context.Context, request *http.Request, body []byte) (answer, error)

func (s *Services) around(name string, serve service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, name)
		fault := s.faults[name]
		s.mu.Unlock()
		if fault != nil {
			fault(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		var a answer
		if err == nil {
			a, err = serve(r.Context(), r, body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for header, value := range a.headers {
			w.Header().Set(header, value)
		}
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body)
	})
}

// serveFulcio certifies the e-mail address of the token, or else its subject.
func (v *VirtualSigstore) serveFulcio(r *http.Request, body []byte, noSCT bool) (answer, error) {
	var request struct {
		PublicKeyRequest struct {
			PublicKey struct{ Content string }
		}
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return answer{}, err
	}
	block, _ := pem.Decode([]byte(request.PublicKeyRequest.PublicKey.Content))
	if block == nil {
		return answer{}, errors.New("no public key")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return answer{}, err
	}
	leaf, err := v.leafForToken(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if err != nil {
		return answer{}, err
	}
	if noSCT {
		leaf.ctKey = nil
	}
	certificate, err := v.fulcio.leafFor(leaf, key)
	if err != nil {
		return answer{}, err
	}
	var chain []string
	for _, c := range []*x509.Certificate{certificate, v.fulcio.intermediate, v.fulcio.root} {
		chain = append(chain, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
	}
	encoded, err := json.Marshal(map[string]any{"signedCertificateEmbeddedSct": map[string]any{"chain": map[string]any{"certificates": chain}}})
	return answer{status: http.StatusOK, body: encoded}, err
}

func (v *VirtualSigstore) leafForToken(token string) (leafRequest, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return leafRequest{}, errors.New("no token")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return leafRequest{}, err
	}
	var claims struct {
		Issuer, Subject, Email, Workflow string
	}
	if err := json.Unmarshal(payload, &struct {
		Issuer   *string `json:"iss"`
		Subject  *string `json:"sub"`
		Email    *string `json:"email"`
		Workflow *string `json:"job_workflow_ref"`
	}{&claims.Issuer, &claims.Subject, &claims.Email, &claims.Workflow}); err != nil {
		return leafRequest{}, err
	}
	now := v.Clock.Now()
	leaf := leafRequest{subject: claims.Subject, issuer: claims.Issuer, notBefore: now, notAfter: now.Add(10 * time.Minute), ctKey: v.ctKey}
	switch {
	case claims.Workflow != "":
		leaf.subject = "https://github.com/" + claims.Workflow
	case claims.Email != "":
		leaf.subject = claims.Email
	}
	return leaf, nil
}

func (v *VirtualSigstore) serveTimestamp(_ context.Context, _ *http.Request, body []byte) (answer, error) {
	token, err := v.tsa.timestampFor(body, v.Clock.Now())
	return answer{status: http.StatusCreated, body: token}, err
}

func (v *VirtualSigstore) serveRekor1(ctx context.Context, _ *http.Request, body []byte) (answer, error) {
	proposed, err := models.UnmarshalProposedEntry(strings.NewReader(string(body)), runtime.JSONConsumer())
	if err != nil {
		return answer{}, err
	}
	canonical, err := canonicalEntry(ctx, proposed)
	if err != nil {
		return answer{}, err
	}
	entry, err := v.rekor1.includeV1(ctx, canonical, proposed.Kind(), v.Clock.Now())
	if err != nil {
		return answer{}, err
	}
	uuid := fmt.Sprintf("%016x%s", treeID, hex.EncodeToString(entry.GetInclusionProof().GetRootHash()))
	encoded, err := json.Marshal(map[string]any{uuid: rekor1JSON(entry)})
	return answer{
		status: http.StatusCreated, body: encoded,
		headers: map[string]string{"Content-Type": "application/json", "ETag": uuid, "Location": "/api/v1/log/entries/" + uuid},
	}, err
}

func rekor1JSON(entry *protorekor.TransparencyLogEntry) map[string]any {
	proof := entry.GetInclusionProof()
	return map[string]any{
		"body": entry.GetCanonicalizedBody(), "integratedTime": entry.GetIntegratedTime(),
		"logIndex": entry.GetLogIndex(), "logID": hex.EncodeToString(entry.GetLogId().GetKeyId()),
		"verification": map[string]any{
			"signedEntryTimestamp": entry.GetInclusionPromise().GetSignedEntryTimestamp(),
			"inclusionProof": map[string]any{
				"logIndex": proof.GetLogIndex(), "treeSize": proof.GetTreeSize(), "hashes": []string{},
				"rootHash": hex.EncodeToString(proof.GetRootHash()), "checkpoint": proof.GetCheckpoint().GetEnvelope(),
			},
		},
	}
}

func (v *VirtualSigstore) serveRekor2(ctx context.Context, _ *http.Request, body []byte) (answer, error) {
	request := new(rekortiles.CreateEntryRequest)
	if err := protojson.Unmarshal(body, request); err != nil {
		return answer{}, err
	}
	record := request.GetHashedRekordRequestV002()
	entry, err := v.rekor2.add(ctx, proposal{
		digest: record.GetDigest(), signature: record.GetSignature().GetContent(), verifier: record.GetSignature().GetVerifier(),
	}, time.Time{})
	if err != nil {
		return answer{}, err
	}
	encoded, err := protojson.Marshal(entry)
	return answer{status: http.StatusCreated, body: encoded}, err
}
