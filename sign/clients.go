// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/digitorus/timestamp"
	httptransport "github.com/go-openapi/runtime/client"
	"github.com/go-openapi/strfmt"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	rekorclient "github.com/sigstore/rekor/pkg/generated/client"
	"github.com/sigstore/sigstore-go/pkg/root"
	sigsign "github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/chartsign/chartsign/internal/limits"
)

// noTimeout leaves time to the wire.
const noTimeout = -1

// certifier asks Fulcio, and says so when that fails.
type certifier struct {
	*sigsign.Fulcio
	url string
}

func (s *Sigstore) certifier(w *wire) certifier {
	w.service = ServiceFulcio
	base := strings.TrimSuffix(s.services.fulcio, "/")
	return certifier{sigsign.NewFulcio(&sigsign.FulcioOptions{BaseURL: base, Timeout: noTimeout, Transport: w}), base}
}

// GetCertificate returns the signing certificate in DER.
func (c certifier) GetCertificate(ctx context.Context, key sigsign.Keypair, opts *sigsign.CertificateProviderOptions) ([]byte, error) {
	var der []byte
	err := guarded(ServiceFulcio, c.url, func() (err error) {
		if der, err = c.Fulcio.GetCertificate(ctx, key, opts); err == nil {
			_, err = x509.ParseCertificate(der)
		}
		return err
	})
	return der, err
}

// guarded runs use and turns what fails, a panic too, into a failure of the service: the
// client of Rekor v1 stumbles over answers that lack a field.
func guarded(service, address string, use func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the answer made its reader stumble: %v", cause)
		}
		err = asServiceError(service, address, err)
	}()
	return use()
}

// asServiceError returns the service error within err, or makes one of it: an answer that
// the client could not use.
func asServiceError(service, address string, err error) error {
	var known *ServiceError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	default:
		return &ServiceError{Service: service, URL: address, Message: quotable(err.Error()), cause: err}
	}
}

// timestamper asks one timestamp authority. Its client cannot be wrapped, so the wire looks
// at the answer.
func (s *Sigstore) timestamper(w *wire, address string) *sigsign.TimestampAuthority {
	w.service = ServiceTimestamp
	w.check = func(answer []byte) error {
		_, err := timestamp.ParseResponse(answer)
		return err
	}
	return sigsign.NewTimestampAuthority(&sigsign.TimestampAuthorityOptions{URL: address, Timeout: noTimeout, Transport: w})
}

// logger enters a bundle in one log.
type logger struct {
	*sigsign.Rekor
	url string
}

func (s *Sigstore) logger(w *wire, log root.Service) (logger, error) {
	w.service = ServiceRekor
	base, err := url.Parse(strings.TrimSuffix(log.URL, "/"))
	if err != nil {
		return logger{}, err
	}
	opts := &sigsign.RekorOptions{BaseURL: log.URL, Version: log.MajorAPIVersion, Timeout: (retries + 1) * (w.timeout + longestWait)}
	if log.MajorAPIVersion == 2 {
		opts.ClientV2 = logWriter{base: base, client: w.client()}
	} else {
		w.passes = []int{http.StatusConflict} // the client fetches the entry that is there already
		transport := httptransport.NewWithClient(base.Host, base.Path+rekorclient.DefaultBasePath, []string{base.Scheme}, w.client())
		transport.Debug = false // it would be on by an environment variable; SetDebug writes a global
		opts.Client = rekorclient.New(transport, strfmt.Default).Entries
	}
	return logger{sigsign.NewRekor(opts), log.URL}, nil
}

// GetTransparencyLogEntry adds the log's entry to the bundle.
func (l logger) GetTransparencyLogEntry(ctx context.Context, verifierPEM []byte, bundle *protobundle.Bundle) error {
	return guarded(ServiceRekor, l.url, func() error {
		if err := l.Rekor.GetTransparencyLogEntry(ctx, verifierPEM, bundle); err != nil {
			return err
		}
		entries := bundle.GetVerificationMaterial().GetTlogEntries()
		_, err := tlog.ParseTransparencyLogEntry(entries[len(entries)-1])
		return err
	})
}

// logWriter writes to Rekor v2: the client that comes with it allows no transport.
type logWriter struct {
	base   *url.URL
	client *http.Client
}

// Add returns the log's entry for a hashedrekord request.
func (l logWriter) Add(ctx context.Context, entry any) (*protorekor.TransparencyLogEntry, error) {
	record, ok := entry.(*rekortiles.HashedRekordRequestV002)
	if !ok {
		return nil, fmt.Errorf("got a log entry %T, want a hashedrekord", entry)
	}
	body, err := protojson.Marshal(&rekortiles.CreateEntryRequest{
		Spec: &rekortiles.CreateEntryRequest_HashedRekordRequestV002{HashedRekordRequestV002: record},
	})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.base.JoinPath("api/v2/log/entries").String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := limits.Read(resp.Body, maxAnswer, "log entry")
	if err != nil {
		return nil, err
	}
	logged := new(protorekor.TransparencyLogEntry)
	if err := protojson.Unmarshal(answer, logged); err != nil {
		return nil, err
	}
	return logged, nil
}

// transportFor returns what the caller gave, or a transport of our own.
func transportFor(opts SigstoreOptions) http.RoundTripper {
	if opts.Transport != nil {
		return opts.Transport
	}
	return &http.Transport{
		Proxy:                  opts.Proxy,
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		ForceAttemptHTTP2:      true,
	}
}
