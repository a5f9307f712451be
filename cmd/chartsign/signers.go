// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/sign"
)

func signingFlags() []cli.Flag {
	return []cli.Flag{
		list(groupSigning, "pgp-key", "sign with the OpenPGP `KEY`: fingerprint, key ID or user ID (repeatable)"),
		list(groupSigning, "keyring", "find OpenPGP keys in `FILE` (repeatable)"),
		file(groupSigning, "passphrase-file", "read the key's passphrase from `FILE`, or '-' for standard input"),
		toggle(groupSigning, "keyless", "sign with a short-lived certificate for an identity token"),
		text(groupSigning, "identity-token", "the OIDC token: itself, `@FILE`, or '-' for standard input"),
		file(groupSigning, "key", "sign with the Sigstore key in `FILE` (PEM, or encrypted as cosign's)"),
		file(groupSigning, "signing-config", "the Sigstore services to use, as `FILE` (signing_config.json)"),
		file(groupSigning, "trusted-root", "verify what was made under the Sigstore trusted root in `FILE`"),
		text(groupSigning, "fulcio-url", "get certificates from `URL` instead of the signing config's"),
		text(groupSigning, "rekor-url", "log to `URL` instead of the signing config's"),
		text(groupSigning, "timestamp-url", "get time stamps from `URL` instead of the signing config's"),
	}
}

// signers are the ways to sign that the flags ask for; nil where they do not.
type signers struct {
	pgp      *sign.PGP
	sigstore *sign.Sigstore
}

// signing reports whether any way to sign is asked for.
func signing(c *cli.Context) bool {
	return len(values(c, "pgp-key")) > 0 || c.Bool("keyless") || c.String("key") != ""
}

func newSigners(c *cli.Context, world *console) (signers, error) {
	var made signers
	if !signing(c) {
		return made, usagef("nothing to sign with").hint("give --pgp-key with --keyring, --keyless with --identity-token, or --key")
	}
	if c.Bool("keyless") && c.String("key") != "" {
		return made, usagef("--keyless and --key exclude each other").hint("sign twice to have both")
	}
	var err error
	if len(values(c, "pgp-key")) > 0 {
		if made.pgp, err = newPGP(c, world); err != nil {
			return made, err
		}
	}
	if c.Bool("keyless") || c.String("key") != "" {
		made.sigstore, err = newSigstore(c, world)
	}
	return made, err
}

func newPGP(c *cli.Context, world *console) (*sign.PGP, error) {
	paths := values(c, "keyring")
	if len(paths) == 0 {
		return nil, usagef("--pgp-key needs --keyring").hint("gpg --export-secret-keys --armor KEY > secret.asc makes one")
	}
	var rings []*keys.PGPKeyring
	for _, path := range paths {
		ring, err := keys.LoadPGPKeyring(path)
		if err != nil {
			return nil, err
		}
		rings = append(rings, ring)
	}
	ring := keys.JoinPGPKeyrings(rings...)
	var list []*keys.SigningKey
	for _, query := range values(c, "pgp-key") {
		key, err := ring.SigningKey(query, world.now(), passphraseFunc(c, world))
		if err != nil {
			return nil, err
		}
		list = append(list, key)
	}
	return sign.NewPGP(list, world.now)
}

// passphraseFunc asks in this order: --passphrase-file, CHARTSIGN_PASSPHRASE, the terminal.
func passphraseFunc(c *cli.Context, world *console) keys.PassphraseFunc {
	return func(userID string) ([]byte, error) {
		if path := c.String("passphrase-file"); path != "" {
			data, err := readSecret(world, path, limits.Passphrase, "the passphrase")
			return bytes.TrimRight(data, "\r\n"), err
		}
		if value := world.getenv("CHARTSIGN_PASSPHRASE"); value != "" {
			return []byte(value), nil
		}
		if !term.IsTerminal(int(world.stdin.Fd())) || !world.stderrIsTerminal {
			return nil, fmt.Errorf("%w: no passphrase was given", keys.ErrPassphrase)
		}
		if _, err := world.stderr.WriteString("Passphrase of " + userID + ": "); err != nil {
			return nil, err
		}
		defer func() { _, _ = world.stderr.WriteString("\n") }()
		return term.ReadPassword(int(world.stdin.Fd()))
	}
}

// readSecret reads a small file, or standard input for '-'.
func readSecret(world *console, path string, limit int64, what string) ([]byte, error) {
	if path == "-" {
		return limits.Read(world.stdin, limit, what)
	}
	return limits.ReadFile(path, limit)
}

func newSigstore(c *cli.Context, world *console) (*sign.Sigstore, error) {
	opts := sign.SigstoreOptions{
		FulcioURL: c.String("fulcio-url"), RekorURL: c.String("rekor-url"), TimestampURL: c.String("timestamp-url"),
		Now: world.now, Proxy: http.ProxyFromEnvironment,
	}
	if c.String("trusted-root") == "" {
		return nil, usagef("signing with Sigstore needs --trusted-root").hint("what is made is verified before it is written")
	}
	var err error
	if opts.TrustedRoot, err = keys.LoadTrustedRoot(c.String("trusted-root")); err != nil {
		return nil, err
	}
	if path := c.String("signing-config"); path != "" {
		if opts.SigningConfig, err = limits.ReadFile(path, limits.TrustedRoot); err != nil {
			return nil, usageError(err)
		}
	}
	if path := c.String("key"); path != "" {
		ask := passphraseFunc(c, world)
		if opts.Key, err = sign.LoadPrivateKey(path, func() ([]byte, error) { return ask(path) }); err != nil {
			return nil, err
		}
	} else if opts.IdentityToken, err = identityToken(c, world); err != nil {
		return nil, err
	}
	return sign.NewSigstore(opts)
}

// identityToken reads the token where --identity-token says; it never reaches an error.
func identityToken(c *cli.Context, world *console) (string, error) {
	value := c.String("identity-token")
	switch {
	case value == "":
		return "", usagef("--keyless needs --identity-token").hint("--identity-token @FILE, or '-' for standard input")
	case value == "-":
		data, err := limits.Read(world.stdin, limits.IdentityToken, "the identity token")
		return strings.TrimSpace(string(data)), err
	case strings.HasPrefix(value, "@"):
		data, err := limits.ReadFile(value[1:], limits.IdentityToken)
		return strings.TrimSpace(string(data)), err
	default:
		return value, nil
	}
}

func readChart(archive []byte) (*chartsign.Chart, error) {
	return chartsign.ReadChart(bytes.NewReader(archive), chartsign.ReadOptions{})
}
