// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign

import "fmt"

// ReasonCode names one way in which a chart or its evidence can fail. Codes are
// kebab-case, documented in docs/spec/reasons.md, and never change their meaning.
// Package verify declares those about evidence, this file those about the chart itself
// and about the places that it comes from.
type ReasonCode string

// The reasons about charts and where they are kept.
const (
	// ReasonNotAChart: the archive or the manifest is not exactly one Helm chart.
	ReasonNotAChart ReasonCode = "not-a-chart"
	// ReasonChartTooLarge: a cap of the chart reader was reached.
	ReasonChartTooLarge ReasonCode = "chart-too-large"
	// ReasonReferenceMismatch: the reference and the chart disagree on name or version.
	ReasonReferenceMismatch ReasonCode = "reference-mismatch"
	// ReasonContentMismatch: fetched content is not what its digest or descriptor promised.
	ReasonContentMismatch ReasonCode = "content-mismatch"
	// ReasonNotFound: the file, repository or tag does not exist.
	ReasonNotFound ReasonCode = "not-found"
	// ReasonUnauthorized: the registry refused the credentials, or wanted some.
	ReasonUnauthorized ReasonCode = "unauthorized"
	// ReasonRateLimited: the registry asked to come back later.
	ReasonRateLimited ReasonCode = "rate-limited"
	// ReasonUnavailable: the registry or service could not be reached or failed.
	ReasonUnavailable ReasonCode = "unavailable"
	// ReasonInvalidResponse: the registry answered, but not as the specification says.
	ReasonInvalidResponse ReasonCode = "invalid-response"
	// ReasonListingIncomplete: some evidence may exist that could not be listed.
	ReasonListingIncomplete ReasonCode = "listing-incomplete"
)

// Reason is a failure that a program can tell apart and a person can read. It is an error;
// find it with errors.As. Err is the cause and may be nil.
type Reason struct {
	Code    ReasonCode
	Message string
	Err     error
}

// Reasonf returns a *Reason whose message is formatted; a %w verb sets its cause.
func Reasonf(code ReasonCode, format string, args ...any) *Reason {
	err := fmt.Errorf(format, args...)
	return &Reason{Code: code, Message: err.Error(), Err: err}
}

// Error returns the message followed by the code in brackets.
func (r *Reason) Error() string { return r.Message + " [" + string(r.Code) + "]" }

// Unwrap returns the cause.
func (r *Reason) Unwrap() error { return r.Err }
