// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	sigsign "github.com/sigstore/sigstore-go/pkg/sign"

	"github.com/chartsign/chartsign/internal/limits"
)

// services are those that one signer asks.
type services struct {
	fulcio string // empty without a certificate
	logs   []root.Service
	stamps []string
}

// chooseServices selects from the signing configuration what is valid at now, as its
// selectors say, and lets the options override it.
func chooseServices(opts SigstoreOptions, now time.Time) (*services, error) {
	config, err := readSigningConfig(opts.SigningConfig)
	if err != nil {
		return nil, err
	}
	s := &services{}
	if opts.Key == nil {
		if s.fulcio, err = chooseFulcio(config, opts, now); err != nil {
			return nil, err
		}
	}
	if s.logs, err = chooseLogs(config, opts, now); err != nil {
		return nil, err
	}
	if s.stamps, err = chooseTimestamps(config, opts, now); err != nil {
		return nil, err
	}
	if err := s.check(opts); err != nil {
		return nil, err
	}
	return s, nil
}

// readSigningConfig refuses a configuration that names services but not how many to use:
// there is no safe guess. No configuration is an empty one.
func readSigningConfig(data []byte) (*root.SigningConfig, error) {
	message := &prototrustroot.SigningConfig{MediaType: root.SigningConfigMediaType02}
	if len(data) > 0 {
		if int64(len(data)) > limits.TrustedRoot {
			return nil, fmt.Errorf("%w: signing config: %w", ErrOptions, limits.ErrTooLarge)
		}
		var err error
		if message, err = root.NewSigningConfigProtobuf(data); err != nil {
			return nil, fmt.Errorf("%w: signing config: %w", ErrOptions, err)
		}
	}
	if len(message.GetRekorTlogUrls()) > 0 && message.GetRekorTlogConfig() == nil || len(message.GetTsaUrls()) > 0 && message.GetTsaConfig() == nil {
		return nil, fmt.Errorf("%w: signing config: it lists logs or timestamp authorities without a selector", ErrOptions)
	}
	config, err := root.NewSigningConfigFromProtobuf(message)
	if err != nil {
		return nil, fmt.Errorf("%w: signing config: %w", ErrOptions, err)
	}
	return config, nil
}

func chooseFulcio(config *root.SigningConfig, opts SigstoreOptions, now time.Time) (string, error) {
	if opts.FulcioURL != "" {
		return opts.FulcioURL, nil
	}
	service, err := root.SelectService(config.FulcioCertificateAuthorityURLs(), sigsign.FulcioAPIVersions, now)
	if err != nil {
		return "", fmt.Errorf("%w: certificate authority: %w", ErrOptions, err)
	}
	return service.URL, nil
}

func chooseLogs(config *root.SigningConfig, opts SigstoreOptions, now time.Time) ([]root.Service, error) {
	known := config.RekorLogURLs()
	if opts.RekorURL != "" {
		service := root.Service{URL: opts.RekorURL, MajorAPIVersion: opts.RekorVersion}
		for _, k := range known {
			if k.URL == opts.RekorURL {
				service.MajorAPIVersion = cmp.Or(service.MajorAPIVersion, k.MajorAPIVersion)
			}
		}
		service.MajorAPIVersion = cmp.Or(service.MajorAPIVersion, 1)
		if !slices.Contains(sigsign.RekorAPIVersions, service.MajorAPIVersion) {
			return nil, fmt.Errorf("%w: transparency log: got version %d of Rekor's interface, want one of %v", ErrOptions, service.MajorAPIVersion, sigsign.RekorAPIVersions)
		}
		return []root.Service{service}, nil
	}
	if len(known) == 0 {
		return nil, nil
	}
	chosen, err := root.SelectServices(known, config.RekorLogURLsConfig(), sigsign.RekorAPIVersions, now)
	if err != nil {
		return nil, fmt.Errorf("%w: transparency log: %w", ErrOptions, err)
	}
	return chosen, nil
}

func chooseTimestamps(config *root.SigningConfig, opts SigstoreOptions, now time.Time) ([]string, error) {
	if opts.TimestampURL != "" {
		return []string{opts.TimestampURL}, nil
	}
	known := config.TimestampAuthorityURLs()
	if len(known) == 0 {
		return nil, nil
	}
	chosen, err := root.SelectServices(known, config.TimestampAuthorityURLsConfig(), sigsign.TimestampAuthorityAPIVersions, now)
	if err != nil {
		return nil, fmt.Errorf("%w: timestamp authority: %w", ErrOptions, err)
	}
	urls := make([]string, 0, len(chosen))
	for _, service := range chosen {
		urls = append(urls, service.URL)
	}
	return urls, nil
}

// check finds what could only fail later: addresses that are none, a token that would
// travel in the clear, and a certificate whose time nobody vouches for.
func (s *services) check(opts SigstoreOptions) error {
	for _, address := range append(append([]string{}, s.stamps...), s.logURLs()...) {
		if _, err := parseURL(address); err != nil {
			return err
		}
	}
	if s.fulcio == "" {
		return nil
	}
	parsed, err := parseURL(s.fulcio)
	if err != nil {
		return err
	}
	if parsed.Scheme != "https" && !isLoopback(parsed.Hostname()) && !opts.PlainHTTPUnsafe {
		return fmt.Errorf("%w: the identity token would go to %s in the clear: want https", ErrOptions, parsed.Redacted())
	}
	// Rekor v1 signs the time of an entry, Rekor v2 does not.
	if len(s.stamps) == 0 && !s.hasLog(1) {
		return fmt.Errorf("%w: nobody would vouch for the time of the certificate: want a timestamp authority, or a log with version 1 of Rekor's interface", ErrOptions)
	}
	return nil
}

func (s *services) logURLs() []string {
	var urls []string
	for _, log := range s.logs {
		urls = append(urls, log.URL)
	}
	return urls
}

// hasLog reports whether a log with the major version of Rekor's interface is asked.
func (s *services) hasLog(version uint32) bool {
	return slices.ContainsFunc(s.logs, func(log root.Service) bool { return log.MajorAPIVersion == version })
}

func parseURL(address string) (*url.URL, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
		return nil, fmt.Errorf("%w: service address %.200q: want https://HOST…", ErrOptions, address)
	}
	return parsed, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
