// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/chartsign/chartsign/internal/limits"
)

func newTransport(opts Options) (*http.Transport, error) {
	config, err := tlsConfig(opts)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  opts.Proxy,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  limits.OCIHeaderWait,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxIdleConnsPerHost:    limits.OCIConcurrency,
		MaxResponseHeaderBytes: limits.OCIHeaders,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // sizes and digests are those of the bytes on the wire
	}, nil
}

func tlsConfig(opts Options) (*tls.Config, error) {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: opts.InsecureSkipTLSVerify, //nolint:gosec // G402: the flag says insecure, and the report echoes it
	}
	if opts.CAFile != "" {
		pem, err := limits.ReadFile(opts.CAFile, limits.TLSFile)
		if err != nil {
			return nil, fmt.Errorf("certificate authorities: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certificate authorities: %s has no PEM certificate", opts.CAFile)
		}
	}
	if opts.CertFile == "" && opts.KeyFile == "" {
		return config, nil
	}
	if opts.CertFile == "" || opts.KeyFile == "" {
		return nil, errors.New("client certificate: want both a certificate and a key file, got one")
	}
	pair, err := clientCertificate(opts.CertFile, opts.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("client certificate: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

func clientCertificate(certFile, keyFile string) (tls.Certificate, error) {
	cert, err := limits.ReadFile(certFile, limits.TLSFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := limits.ReadFile(keyFile, limits.TLSFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}
