// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	sigsign "github.com/sigstore/sigstore-go/pkg/sign"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/keys"
)

// SigstoreOptions say with what and with whom to sign. IdentityToken or Key, one of them,
// is needed, and the services that go with it.
type SigstoreOptions struct {
	// SigningConfig is the JSON of a dev.sigstore.trustroot.v1.SigningConfig of version 0.2.
	SigningConfig []byte
	// TrustedRoot is what the bundle is verified under. It may be missing only where a key
	// signs and no service is asked.
	TrustedRoot *keys.SigstoreRoot
	// IdentityToken is the OIDC token to get a certificate with (keyless).
	IdentityToken string
	// Key signs instead of a certificate's key.
	Key *PrivateKey
	// FulcioURL, RekorURL and TimestampURL take the place of what the configuration names.
	FulcioURL, RekorURL, TimestampURL string
	// RekorVersion is the major version of RekorURL's interface. Zero means what the
	// configuration says of that address, or else 1.
	RekorVersion uint32
	// ExpectedIdentity is whom the certificate must name, issuer and subject, for authorities
	// whose naming cannot be told from the token. Zero means what Fulcio's documented kinds of
	// issuers make of the token.
	ExpectedIdentity chartsign.Identity
	// Now is the clock; required.
	Now func() time.Time
	// Timeout bounds each request; zero means 60 s. The context bounds everything.
	Timeout time.Duration
	// Proxy chooses a proxy as http.Transport does; nil means none.
	Proxy func(*http.Request) (*url.URL, error)
	// Transport takes the place of our own and of Proxy, for authorities and tests.
	Transport http.RoundTripper
	// PlainHTTPUnsafe permits to send the token over plain HTTP to another machine.
	PlainHTTPUnsafe bool
}

// Sigstore makes Sigstore bundles. It is safe for concurrent use.
type Sigstore struct {
	options   SigstoreOptions
	token     *token
	services  *services
	transport http.RoundTripper
}

// NewSigstore returns a signer. It contacts nobody; a token that is malformed or expired is
// refused here (ErrToken), services that cannot do are, too (ErrOptions).
func NewSigstore(opts SigstoreOptions) (*Sigstore, error) {
	if opts.Now == nil || (opts.IdentityToken == "") == (opts.Key == nil) {
		return nil, fmt.Errorf("%w: want a clock, and an identity token or a key, not both", ErrOptions)
	}
	if expected := opts.ExpectedIdentity; (expected.Issuer == "") != (expected.Subject == "") {
		return nil, fmt.Errorf("%w: the expected identity wants both issuer and subject", ErrOptions)
	}
	s := &Sigstore{options: opts, transport: transportFor(opts)}
	now := opts.Now()
	if opts.Key == nil {
		var err error
		if s.token, err = parseToken(opts.IdentityToken); err != nil {
			return nil, err
		}
		if err := s.token.requireFresh(now); err != nil {
			return nil, err
		}
		s.options.IdentityToken = "" // one place is enough for a secret
	}
	var err error
	if s.services, err = chooseServices(opts, now); err != nil {
		return nil, err
	}
	if opts.TrustedRoot == nil && (opts.Key == nil || len(s.services.logs)+len(s.services.stamps) > 0) {
		return nil, fmt.Errorf("%w: want a trusted root, to verify what the services say", ErrOptions)
	}
	if err := s.checkKey(); err != nil {
		return nil, err
	}
	return s, nil
}

// checkKey finds keys that the logs would refuse after everything else was done.
func (s *Sigstore) checkKey() error {
	key := s.options.Key
	switch {
	case key == nil:
		return nil
	case !key.prehashes() && s.services.hasLog(2):
		return fmt.Errorf("%w: version 2 of Rekor's interface takes no Ed25519 keys: want ECDSA or RSA", ErrPrivateKey)
	case key.prehashes() && !key.usesSHA256() && s.services.hasLog(1):
		return fmt.Errorf("%w: version 1 of Rekor's interface checks envelopes by SHA-256 only: want an ECDSA key on P-256, RSA or Ed25519", ErrPrivateKey)
	default:
		return nil
	}
}

// Identity returns as whom the signer will sign: the key, or what the token claims and
// Fulcio will most likely certify.
func (s *Sigstore) Identity() chartsign.Identity {
	if s.token == nil {
		return chartsign.Identity{Kind: chartsign.IdentityKey, Key: s.options.Key.Public().Fingerprint}
	}
	if expected := s.options.ExpectedIdentity; expected.Issuer != "" {
		return chartsign.Identity{Kind: chartsign.IdentityKeyless, Issuer: expected.Issuer, Subject: expected.Subject}
	}
	return s.token.identity()
}

// String names the signer; it shows no token and no key.
func (s *Sigstore) String() string { return "sigstore signer " + s.Identity().String() }

// GoString is String, so that no way of printing shows more.
func (s *Sigstore) GoString() string { return s.String() }

// SignArchive returns a bundle with a message signature over the archive, the one that the
// chart was read from (ErrArchive). It binds the archive, not a manifest.
func (s *Sigstore) SignArchive(ctx context.Context, chart *chartsign.Chart, archive []byte) (chartsign.Evidence, error) {
	if chart == nil || !chart.FromArchive() || chartsign.DigestOf(archive) != chart.Digest() {
		return chartsign.Evidence{}, fmt.Errorf("%w: want the bytes that the chart was read from", ErrArchive)
	}
	// Archives are verified by their SHA-256 alone; Ed25519 signs content and larger curves
	// sign longer digests.
	if key := s.options.Key; key != nil && !key.usesSHA256() {
		return chartsign.Evidence{}, fmt.Errorf("%w: an archive is signed by its SHA-256: want an ECDSA key on P-256 or an RSA key", ErrPrivateKey)
	}
	subject := chartsign.Subject{Chart: chart}
	return s.sign(ctx, subject, chart.FileName()+".sigstore.json", &sigsign.PlainData{Data: archive})
}

// SignManifest returns a bundle with the statement by which cosign v3 signs a manifest.
func (s *Sigstore) SignManifest(ctx context.Context, manifest chartsign.Digest) (chartsign.Evidence, error) {
	if manifest.IsZero() {
		return chartsign.Evidence{}, fmt.Errorf("%w: want the digest of a manifest", ErrOptions)
	}
	statement, err := signatureStatement(manifest)
	if err != nil {
		return chartsign.Evidence{}, err
	}
	chart, err := unknownChart()
	if err != nil {
		return chartsign.Evidence{}, err
	}
	subject := chartsign.Subject{Chart: chart, Manifest: manifest}
	return s.sign(ctx, subject, manifest.String()+".sigstore.json", &sigsign.DSSEData{Data: statement, PayloadType: "application/vnd.in-toto+json"})
}

// signatureStatement is what cosign v3 signs (in-toto statement v1): a subject without a
// name, and an empty object as predicate, which must be there.
func signatureStatement(manifest chartsign.Digest) ([]byte, error) {
	type subject struct {
		Digest map[string]string `json:"digest"`
	}
	return json.Marshal(struct {
		Type          string    `json:"_type"`
		Subject       []subject `json:"subject"`
		PredicateType string    `json:"predicateType"`
		Predicate     struct{}  `json:"predicate"`
	}{
		Type:          "https://in-toto.io/Statement/v1",
		Subject:       []subject{{Digest: map[string]string{"sha256": manifest.Hex()}}},
		PredicateType: "https://sigstore.dev/cosign/sign/v1",
	})
}

// sign makes the bundle and verifies it.
func (s *Sigstore) sign(ctx context.Context, subject chartsign.Subject, name string, content sigsign.Content) (chartsign.Evidence, error) {
	if s.token != nil {
		if err := s.token.requireFresh(s.options.Now()); err != nil {
			return chartsign.Evidence{}, err
		}
	}
	bundle, err := s.bundle(ctx, content)
	if refused := new(ServiceError); errors.As(err, &refused) && refused.Service == ServiceRekor && refused.Status == http.StatusConflict {
		bundle, err = s.bundle(ctx, content) // Rekor v2 has this very signature: a retry of ours came late; sign anew
	}
	if err != nil {
		return chartsign.Evidence{}, err
	}
	return s.selfCheck(subject, name, bundle)
}

// bundle signs content and gathers what vouches for the signature.
func (s *Sigstore) bundle(ctx context.Context, content sigsign.Content) (*protobundle.Bundle, error) {
	key, err := s.keypair()
	if err != nil {
		return nil, err
	}
	material, err := s.material()
	if err != nil {
		return nil, err
	}
	opts := sigsign.BundleOptions{Context: ctx, TrustedRoot: material}
	if s.token != nil {
		opts.CertificateProvider = s.certifier(s.wire(ctx))
		opts.CertificateProviderOptions = &sigsign.CertificateProviderOptions{IDToken: s.token.raw}
	}
	for _, address := range s.services.stamps {
		opts.TimestampAuthorities = append(opts.TimestampAuthorities, s.timestamper(s.wire(ctx), address))
	}
	for _, log := range s.services.logs {
		log, err := s.logger(s.wire(ctx), log)
		if err != nil {
			return nil, err
		}
		opts.TransparencyLogs = append(opts.TransparencyLogs, log)
	}
	bundle, err := sigsign.Bundle(content, key, opts)
	return bundle, classify(err)
}

// classify tells what failed within sigstore-go: a service, the key, or else its own look
// at what it had made.
func classify(err error) error {
	var service *ServiceError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &service):
		return service
	case errors.Is(err, ErrPrivateKey):
		return err
	default:
		return fmt.Errorf("%w: %w", ErrSelfCheck, err)
	}
}

func (s *Sigstore) keypair() (sigsign.Keypair, error) {
	if s.options.Key != nil {
		return keypair{s.options.Key}, nil
	}
	key, err := sigsign.NewEphemeralKeypair(nil) // ECDSA on P-256
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrivateKey, err)
	}
	return key, nil
}

func (s *Sigstore) wire(ctx context.Context) *wire {
	timeout := s.options.Timeout
	if timeout <= 0 {
		timeout = requestTimeout
	}
	return &wire{base: s.transport, timeout: timeout, done: ctx}
}
