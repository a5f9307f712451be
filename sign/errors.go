// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"errors"
	"fmt"
	"net/http"
)

// The kinds of failure; found with errors.Is.
var (
	// ErrOptions: what the caller asked for is incomplete or contradicts itself.
	ErrOptions = errors.New("cannot sign as asked")
	// ErrArchive: the chart was not read from this archive.
	ErrArchive = errors.New("not the chart's archive")
	// ErrPrivateKey: a private key cannot be read or used.
	ErrPrivateKey = errors.New("unusable private key")
	// ErrToken: the identity token is malformed, expired, or says nobody's name.
	ErrToken = errors.New("unusable identity token")
	// ErrService: a service failed or refused; it comes with a *ServiceError.
	ErrService = errors.New("signing service failed")
	// ErrSelfCheck: evidence was made, but it does not verify under the signer's own trust.
	ErrSelfCheck = errors.New("what was signed does not verify")
)

// The services that sign with us, as ServiceError names them.
const (
	ServiceFulcio    = "fulcio"
	ServiceRekor     = "rekor"
	ServiceTimestamp = "timestamp-authority"
)

// ServiceError says which service failed. It is ErrService, too, and wraps its cause, for
// example context.DeadlineExceeded.
type ServiceError struct {
	// Service is one of the Service constants.
	Service string
	// URL is where it was asked.
	URL string
	// Status is the HTTP status, or zero if there was no answer or the answer was garbage.
	Status int
	// Message is what the service says, shortened and without anything like a token. It is
	// somebody else's text.
	Message string

	cause error
}

// Error names service, place and status.
func (e *ServiceError) Error() string {
	text := fmt.Sprintf("%s: %s at %s", ErrService, e.Service, e.URL)
	if e.Status != 0 {
		text += fmt.Sprintf(": got HTTP status %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Message != "" {
		text += fmt.Sprintf(": %q", e.Message)
	}
	return text
}

// Unwrap returns ErrService and the cause.
func (e *ServiceError) Unwrap() []error {
	if e.cause == nil {
		return []error{ErrService}
	}
	return []error{ErrService, e.cause}
}
