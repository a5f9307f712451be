// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"sync"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// statusError is the cause of a Reason that a status code led to.
type statusError struct {
	code   int
	detail string // the registry's error code, such as NAME_UNKNOWN
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("got HTTP status %d", e.code)
	if e.detail != "" {
		text += " (" + e.detail + ")"
	}
	return text
}

// statusOf returns the status code that err is about, or zero.
func statusOf(err error) int {
	if status, ok := errors.AsType[*statusError](err); ok {
		return status.code
	}
	return 0
}

// hasCode reports whether err is a Reason of the given code.
func hasCode(err error, code chartsign.ReasonCode) bool {
	var reason *chartsign.Reason
	return errors.As(err, &reason) && reason.Code == code
}

func codeOfStatus(status int) chartsign.ReasonCode {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return chartsign.ReasonUnauthorized
	case status == http.StatusNotFound:
		return chartsign.ReasonNotFound
	case status == http.StatusTooManyRequests:
		return chartsign.ReasonRateLimited
	case status >= 500 || status == http.StatusRequestTimeout:
		return chartsign.ReasonUnavailable
	default:
		return chartsign.ReasonInvalidResponse
	}
}

// errorCodeForm is that of the codes in the distribution specification; nothing else that
// a registry says about an error is repeated, for it may be anything.
var errorCodeForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\A[A-Z][A-Z_]{2,39}\z`) })

const errorBody = 8 << 10 // far above the JSON of an error

// badStatus turns a response that was not wanted into a Reason.
func badStatus(resp *http.Response, host, what string) error {
	cause := &statusError{code: resp.StatusCode}
	var body struct {
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	data, err := limits.Read(resp.Body, errorBody, "error")
	if err == nil && json.Unmarshal(data, &body) == nil && len(body.Errors) > 0 && errorCodeForm().MatchString(body.Errors[0].Code) {
		cause.detail = body.Errors[0].Code
	}
	return chartsign.Reasonf(codeOfStatus(resp.StatusCode), "%s of %s: %w", what, host, cause)
}

// noResponse turns an error of the HTTP client or of authentication into a Reason. URLs are
// dropped: those of redirects hold signatures.
func noResponse(err error, host, what string) error {
	var reason *chartsign.Reason
	if errors.As(err, &reason) && reason.Err != nil {
		return chartsign.Reasonf(reason.Code, "%s of %s: %w", what, host, withoutURL(reason.Err))
	}
	if token, ok := errors.AsType[*errcode.ErrorResponse](err); ok {
		return chartsign.Reasonf(codeOfToken(token.StatusCode), "%s of %s: the token service refused: %w", what, host, &statusError{code: token.StatusCode})
	}
	return chartsign.Reasonf(codeOfFailure(err), "%s of %s: %w", what, host, withoutURL(err))
}

// codeOfToken is about the token service: not finding it there says nothing of the chart.
func codeOfToken(status int) chartsign.ReasonCode {
	code := codeOfStatus(status)
	if code == chartsign.ReasonNotFound || status == http.StatusBadRequest {
		return chartsign.ReasonUnauthorized
	}
	return code
}

func codeOfFailure(err error) chartsign.ReasonCode {
	var (
		transport *url.Error
		syntax    *json.SyntaxError
	)
	switch {
	case errors.Is(err, auth.ErrBasicCredentialNotFound), errors.Is(err, errLeak):
		return chartsign.ReasonUnauthorized
	case errors.Is(err, errDowngrade), errors.Is(err, errWriteRedirect), errors.As(err, &syntax):
		return chartsign.ReasonInvalidResponse
	case errors.As(err, &transport), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, io.ErrUnexpectedEOF):
		return chartsign.ReasonUnavailable
	default: // a credential helper that failed, or a token service that is refused
		return chartsign.ReasonUnauthorized
	}
}

func withoutURL(err error) error {
	var transport *url.Error
	for errors.As(err, &transport) {
		err = transport.Err
	}
	return err
}
