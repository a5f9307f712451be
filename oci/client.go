// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// Options say how registries are reached. The zero value reaches them over https with the
// system's certificate authorities, anonymously and without a proxy.
type Options struct {
	// PlainHTTP speaks http instead of https to every registry.
	PlainHTTP bool
	// InsecureSkipTLSVerify accepts any certificate.
	InsecureSkipTLSVerify bool
	// CAFile holds the PEM certificate authorities to trust instead of the system's.
	CAFile string
	// CertFile and KeyFile hold the PEM client certificate and key; both or neither.
	CertFile, KeyFile string
	// Username and Password are sent to CredentialHost only, in place of every file. An
	// empty Username makes Password a bearer token.
	Username, Password string
	// CredentialHost is the registry that Username and Password are meant for, as
	// Reference.Registry has it. It is required with them: references may come from files
	// that other people write.
	CredentialHost string
	// RegistryConfig is Helm's file of credentials; empty means $HELM_REGISTRY_CONFIG, then
	// registry/config.json in Helm's configuration folder. Docker's file comes after it.
	RegistryConfig string
	// Getenv looks up the environment variables that the default files depend on. With nil
	// there are none, so only RegistryConfig is read.
	Getenv func(string) string
	// Now is the clock, for the annotation 'created'; with nil there is none.
	Now func() time.Time
	// Proxy chooses the proxy of a request, as http.ProxyFromEnvironment does; nil is none.
	Proxy func(*http.Request) (*url.URL, error)
	// UserAgent names the program to the registry.
	UserAgent string
	// Read bounds charts when they are fetched.
	Read chartsign.ReadOptions
}

// Client makes requests to registries. It is safe for concurrent use and shares
// connections and tokens among all its charts.
type Client struct {
	scheme string
	auth   *auth.Client
	read   chartsign.ReadOptions
	now    func() time.Time
	settle time.Duration
	stall  time.Duration
}

const defaultUserAgent = "chartsign"

// NewClient returns a client. It reads the files that opts name, and makes no request.
func NewClient(opts Options) (*Client, error) {
	transport, err := newTransport(opts)
	if err != nil {
		return nil, err
	}
	credential, err := newCredential(opts)
	if err != nil {
		return nil, err
	}
	client := &Client{
		scheme: "https",
		read:   opts.Read,
		now:    opts.Now,
		settle: limits.OCISettle,
		stall:  limits.OCIStall,
		auth: &auth.Client{
			Client: &http.Client{
				Transport:     &guard{next: &retrier{next: transport, pause: sleep}},
				CheckRedirect: checkRedirect,
			},
			Credential: credential,
			Cache:      auth.NewCache(),
			ClientID:   defaultUserAgent,
		},
	}
	if opts.PlainHTTP {
		client.scheme = "http"
	}
	agent := opts.UserAgent
	if agent == "" {
		agent = defaultUserAgent
	}
	client.auth.SetUserAgent(agent)
	return client, nil
}

// Chart returns the remote chart that ref names. The registry is asked when a method is
// called; a reference that names no tag or digest of a registry fails there.
func (c *Client) Chart(ref chartsign.Reference) *Chart {
	return &Chart{
		repository: c.repository(ref),
		ref:        ref,
		contents:   newMemo[*contents](),
		subject:    newMemo[chartsign.Subject](),
		provenance: newMemo[[]byte](),
	}
}

// sleep waits for d or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
