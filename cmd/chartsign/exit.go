// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/policy"
	reports "github.com/chartsign/chartsign/report"
	"github.com/chartsign/chartsign/sign"
	"github.com/chartsign/chartsign/verify"
)

// The exit codes: a contract with scripts.
const (
	exitAllowed      = 0
	exitUsage        = 1 // or an internal error
	exitDenied       = 2
	exitUnsigned     = 3
	exitRejected     = 4
	exitInconclusive = 5
	exitAuth         = 6
)

// severity orders exit codes: over several charts the worst wins.
var severity = map[int]int{exitRejected: 7, exitInconclusive: 6, exitAuth: 5, exitUnsigned: 4, exitDenied: 3, exitUsage: 2, exitAllowed: 0}

// failure is an error with an exit code and a hint.
type failure struct {
	err  error
	code int
	next string
	// shown says that the report has told the reason already.
	shown bool
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func (f *failure) hint(next string) *failure {
	f.next = next
	return f
}

func usageError(err error) *failure { return &failure{err: err, code: exitUsage} }

func usagef(format string, args ...any) *failure { return usageError(fmt.Errorf(format, args...)) }

// report prints err, if any, with what to do next, and returns its exit code.
func report(world *console, err error) int {
	if err == nil {
		return exitAllowed
	}
	code, next := classify(err)
	if known, ok := errors.AsType[*failure](err); ok && known.shown {
		return code
	}
	fmt.Fprintf(world.stderr, "chartsign: error: %s\n", reports.Clean(err.Error()))
	if next != "" {
		fmt.Fprintf(world.stderr, "hint: %s\n", next)
	}
	return code
}

func classify(err error) (code int, next string) {
	if known, ok := errors.AsType[*failure](err); ok {
		return known.code, known.next
	}
	if service, ok := errors.AsType[*sign.ServiceError](err); ok {
		return codeOfService(service)
	}
	if reason, ok := errors.AsType[*chartsign.Reason](err); ok {
		return codeOfReason(reason.Code), reports.NextStep(string(reason.Code))
	}
	for _, known := range hints {
		if errors.Is(err, known.err) {
			return known.code, known.next
		}
	}
	return exitUsage, ""
}

// codeOfService says what a Sigstore service that refused or failed means.
func codeOfService(service *sign.ServiceError) (code int, next string) {
	if service.Service == sign.ServiceFulcio && service.Status == http.StatusBadRequest {
		return exitAuth, "get a fresh identity token: this one was refused"
	}
	switch service.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitAuth, "the identity token is not for this service: its audience must be 'sigstore' and its issuer one that Fulcio knows"
	case http.StatusTooManyRequests:
		return exitInconclusive, "try again later"
	case http.StatusConflict:
		return exitInconclusive, "the log has this very signature already: a key whose signatures do not differ signs the same content once"
	default:
		return exitInconclusive, "check the addresses in --signing-config"
	}
}

// hints maps errors that are about the caller's own files and flags.
var hints = []struct {
	err  error
	code int
	next string
}{
	{gate.ErrNobodyTrusted, exitUsage, "name who may sign: --trust FILE, --keyring FILE, --key FILE, or --certificate-identity with --certificate-oidc-issuer and --trusted-root"},
	{gate.ErrTrustPolicy, exitUsage, "the format is described in docs/spec/trust-policy.md"},
	{gate.ErrRequirement, exitUsage, ""},
	{policy.ErrNoDeny, exitUsage, "a policy must define 'deny contains …' in package chartsign"},
	{keys.ErrKeyAmbiguous, exitUsage, "name the key by its full fingerprint"},
	{keys.ErrKeyNotFound, exitUsage, "gpg --list-secret-keys shows what there is; --keyring names the file of secret keys"},
	{keys.ErrKeyUnusable, exitUsage, "gpg --edit-key KEY expire prolongs a key; gpg --quick-add-key FINGERPRINT ed25519 sign adds a signing subkey"},
	{keys.ErrPassphrase, exitUsage, "give it with --passphrase-file FILE, '-' for standard input, or CHARTSIGN_PASSPHRASE"},
	{keys.ErrKeyring, exitUsage, "gpg --export --armor KEY > keyring.asc makes one"},
	{keys.ErrTrustedRoot, exitUsage, "it is the trusted_root.json of the Sigstore deployment"},
	{keys.ErrPublicKey, exitUsage, "it is a PEM public key such as cosign.pub"},
	{verify.ErrSigner, exitUsage, ""},
	{sign.ErrToken, exitAuth, "get a fresh token: --identity-token @FILE, or '-' for standard input"},
	{sign.ErrPrivateKey, exitUsage, "--key takes a PEM private key, or cosign's encrypted one"},
	{sign.ErrOptions, exitUsage, "--signing-config FILE names the services to sign with"},
	{limits.ErrExists, exitUsage, "--force replaces it"},
	{os.ErrNotExist, exitUsage, "check the path"},
	{context.DeadlineExceeded, exitInconclusive, "--timeout raises the limit"},
}

// codeOfReason is for commands other than verify: what a failed registry or chart means.
func codeOfReason(code chartsign.ReasonCode) int {
	switch code {
	case chartsign.ReasonUnauthorized:
		return exitAuth
	case chartsign.ReasonNotFound, chartsign.ReasonRateLimited, chartsign.ReasonUnavailable, chartsign.ReasonInvalidResponse,
		chartsign.ReasonListingIncomplete, verify.ReasonNoTrustedRoot, verify.ReasonEvidenceUnavailable, verify.ReasonUnsupported:
		return exitInconclusive
	default:
		return exitRejected
	}
}

// codeOfJudgement maps a verdict.
func codeOfJudgement(judgement gate.Judgement) int {
	if judgement.Passes() {
		return exitAllowed
	}
	switch judgement.Verdict {
	case gate.Denied:
		return exitDenied
	case gate.Unsigned:
		return exitUnsigned
	case gate.Rejected:
		return exitRejected
	case gate.Inconclusive, gate.Allowed:
	}
	if judgement.Reason != nil && judgement.Reason.Code == chartsign.ReasonUnauthorized {
		return exitAuth
	}
	return exitInconclusive
}

func worst(codes ...int) int {
	result := exitAllowed
	for _, code := range codes {
		if _, known := severity[code]; !known {
			code = exitUsage
		}
		if severity[code] > severity[result] {
			result = code
		}
	}
	return result
}
