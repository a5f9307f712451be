// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/oci"
)

// registryFlags are Helm's names for how registries are reached.
func registryFlags() []cli.Flag {
	return []cli.Flag{
		toggle(groupRegistry, "plain-http", "speak http instead of https"),
		file(groupRegistry, "ca-file", "trust the certificate authorities in `FILE` (PEM)"),
		file(groupRegistry, "cert-file", "identify with the client certificate in `FILE` (PEM)"),
		file(groupRegistry, "key-file", "the client certificate's key in `FILE` (PEM)"),
		insecure(groupRegistry, "insecure-skip-tls-verify", "accept any certificate of the registry"),
		text(groupRegistry, "username", "log in as `NAME`"),
		toggle(groupRegistry, "password-stdin", "read the password from standard input"),
		file(groupRegistry, "registry-config", "credentials in `FILE` (default: Helm's, then Docker's)"),
	}
}

// newClient returns the client for the registry named on the line; flags' credentials are
// meant for that one only.
func newClient(c *cli.Context, world *console, ref chartsign.Reference) (*oci.Client, error) {
	opts := oci.Options{
		PlainHTTP: c.Bool("plain-http"), InsecureSkipTLSVerify: c.Bool("insecure-skip-tls-verify"),
		CAFile: c.String("ca-file"), CertFile: c.String("cert-file"), KeyFile: c.String("key-file"),
		RegistryConfig: c.String("registry-config"), Getenv: world.getenv, Now: world.now,
		Proxy: http.ProxyFromEnvironment, UserAgent: "chartsign/" + version,
	}
	password, err := password(c, world)
	if err != nil {
		return nil, err
	}
	if c.String("username") != "" || password != "" {
		opts.Username, opts.Password, opts.CredentialHost = c.String("username"), password, ref.Registry
	}
	client, err := oci.NewClient(opts)
	if err != nil {
		return nil, usageError(err)
	}
	return client, nil
}

// resolveRemote finds the chart that ref names.
func resolveRemote(ctx context.Context, c *cli.Context, world *console, ref chartsign.Reference) (*oci.Chart, chartsign.Subject, error) {
	client, err := newClient(c, world, ref)
	if err != nil {
		return nil, chartsign.Subject{}, err
	}
	remote := client.Chart(ref)
	subject, err := remote.Resolve(ctx)
	return remote, subject, err
}

func password(c *cli.Context, world *console) (string, error) {
	if !c.Bool("password-stdin") {
		if c.String("username") != "" {
			return "", usagef("--username needs --password-stdin").hint("echo PASSWORD | chartsign … --username NAME --password-stdin")
		}
		return "", nil
	}
	data, err := limits.Read(world.stdin, limits.Passphrase, "the password")
	if err != nil {
		return "", usageError(err)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// parseRemote reads an argument that must be oci://….
func parseRemote(arg string) (chartsign.Reference, error) {
	ref, err := chartsign.ParseReference(arg)
	if err != nil {
		return ref, usageError(err)
	}
	if !ref.IsOCI() {
		return ref, usagef("got %q, want oci://REGISTRY/REPOSITORY[:TAG][@DIGEST]", arg)
	}
	return ref, nil
}
