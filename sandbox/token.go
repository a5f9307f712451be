// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	tokenTimeout = 10 * time.Second
	// maxToken is far more than any identity token; HTTP headers end well before.
	maxToken = 64 << 10
)

var errClaim = errors.New("want NAME=VALUE")

// token asks the issuer for an identity token and prints it bare, without a newline: there
// are programs that take a file as the token to the last byte.
func token(args []string, stdout, stderr io.Writer) error {
	query := url.Values{"raw": {"1"}}
	flags := flag.NewFlagSet("token", flag.ContinueOnError)
	issuer := flags.String("issuer", os.Getenv("SANDBOX_OIDC_ISSUER"), "`URL` of the issuer; default $SANDBOX_OIDC_ISSUER")
	set := func(name string) func(string) error {
		return func(value string) error {
			query.Set(name, value)
			return nil
		}
	}
	flags.Func("email", "e-mail `address` to vouch for", set("email"))
	flags.Func("ttl", "`duration` of validity (default 10m)", set("ttl"))
	flags.Func("claim", "any claim as `name=value`; may be repeated", func(text string) error {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return errClaim
		}
		query.Set(name, value)
		return nil
	})
	if err := parse(flags, args, stderr); err != nil {
		return err
	}
	if *issuer == "" {
		return misuse(stderr, "token: --issuer is required")
	}
	jwt, err := fetch(strings.TrimSuffix(*issuer, "/") + "/token?" + query.Encode())
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	_, err = io.WriteString(stdout, jwt)
	return err
}

func fetch(address string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), tokenTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxToken))
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("issuer answers %s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	return string(body), nil
}
