// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strconv"
	"strings"

	"github.com/chartsign/chartsign/sandbox/internal/ctlog"
	"github.com/chartsign/chartsign/sandbox/internal/oidc"
	"github.com/chartsign/chartsign/sandbox/internal/rekor"
	"github.com/chartsign/chartsign/sandbox/internal/state"
	"github.com/chartsign/chartsign/sandbox/internal/trust"
	"github.com/chartsign/chartsign/sandbox/internal/tsa"
)

// variable is one entry of the environment that clients use.
type variable struct{ name, value string }

// environment says where everything stands.
func (s *stack) environment() []variable {
	return []variable{
		{"SANDBOX_STATE", s.dir.Path()},
		{"SANDBOX_PID", strconv.Itoa(os.Getpid())},
		{"SANDBOX_REGISTRY", s.registry.address()},
		{"SANDBOX_REGISTRY_REFERRERS", s.referrers.address()},
		{"SANDBOX_OIDC_ISSUER", s.issuer.url()},
		{"SANDBOX_OIDC_ISSUER_GITHUB", s.issuer.url() + "/" + oidc.RealmGitHub},
		{"SANDBOX_FULCIO_URL", s.fulcio.url()},
		{"SANDBOX_REKOR_URL", s.rekor.url()},
		{"SANDBOX_TSA_URL", s.tsa.url() + tsa.Path},
		{"SANDBOX_CT_URL", s.ctlog.url() + "/" + ctlog.Prefix},
		{"SANDBOX_TRUSTED_ROOT", s.dir.Path(state.TrustedRootFile)},
		{"SANDBOX_SIGNING_CONFIG", s.dir.Path(state.SigningConfigFile)},
	}
}

// writeTrust writes the trusted root and the signing configuration.
func (s *stack) writeTrust() error {
	services := trust.Services{
		Since:       s.keys.since,
		FulcioURL:   s.fulcio.url(),
		Fulcio:      s.keys.fulcio,
		TSAURL:      s.tsa.url() + tsa.Path,
		TSA:         s.keys.tsa,
		CTURL:       s.ctlog.url() + "/" + ctlog.Prefix,
		CTKey:       s.keys.ctlog.Public(),
		RekorURL:    s.rekor.url(),
		RekorKey:    s.keys.rekor.Public(),
		RekorOrigin: rekor.Origin,
		OIDCURL:     s.issuer.url(),
	}
	for file, build := range map[string]func(trust.Services) ([]byte, error){
		state.TrustedRootFile:   trust.Root,
		state.SigningConfigFile: trust.SigningConfig,
	} {
		text, err := build(services)
		if err != nil {
			return err
		}
		if err := state.WriteFile(s.dir.Path(file), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// exports is the environment as lines for a shell.
func exports(variables []variable) string {
	var b strings.Builder
	for _, v := range variables {
		b.WriteString("export " + v.name + "=" + quote(v.value) + "\n")
	}
	return b.String()
}

// quote leaves a value as it is when no shell would read anything into it.
func quote(value string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("/._:-@%+=,", r)
	}
	if strings.TrimFunc(value, plain) == "" && value != "" {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
