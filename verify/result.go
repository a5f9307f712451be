// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/chartsign/chartsign"
)

// Binding says which content evidence speaks about.
type Binding string

// What evidence binds. Manifest-bound evidence covers config blob and layers; layer-bound
// evidence covers the archive only.
const (
	BindsManifest Binding = "manifest"
	BindsLayer    Binding = "layer"
)

// Timestamp is a time over a signature that a trusted authority or log vouches for.
type Timestamp struct {
	// Kind is 'timestamp-authority' or 'log'.
	Kind string `json:"kind"`
	// Source is the address of the authority or log in the trusted root.
	Source string    `json:"source,omitempty"`
	Time   time.Time `json:"time"`
}

// LogEntry is where a trusted log has recorded a signature.
type LogEntry struct {
	Origin string `json:"origin"`
	Index  int64  `json:"index"`
	// Time is the log's own time of the entry; zero where the log vouches for none.
	Time time.Time `json:"time,omitzero"`
}

// Result is the judgement on one signature. Only this package makes one; the zero value is
// inconclusive. All of its claims were verified if, and only if, the outcome is Verified.
type Result struct {
	evidence      chartsign.Evidence
	kind          chartsign.EvidenceKind
	outcome       Outcome
	reason        *chartsign.Reason
	binds         Binding
	identity      chartsign.Identity
	signers       []string
	signedAt      time.Time
	timestamps    []Timestamp
	log           *LogEntry
	predicateType string
	metadata      bool
	relaxed       []string
}

// Evidence returns what was judged.
func (r Result) Evidence() chartsign.Evidence { return r.evidence }

// Kind returns the kind that the evidence turned out to be.
func (r Result) Kind() chartsign.EvidenceKind { return r.kind }

// Outcome returns verified, rejected or inconclusive.
func (r Result) Outcome() Outcome { return r.outcome }

// Reason returns why the outcome is not Verified; nil if it is.
func (r Result) Reason() *chartsign.Reason { return r.reason }

// Binds returns what the evidence speaks about.
func (r Result) Binds() Binding { return r.binds }

// Identity returns who signed. It is a proven fact if the outcome is Verified or the
// reason is ReasonSignerNotTrusted after the signature was checked; otherwise a claim.
func (r Result) Identity() chartsign.Identity { return r.identity }

// Signers returns the names of the caller's signers that the identity fits; empty unless
// the outcome is Verified.
func (r Result) Signers() []string { return slices.Clone(r.signers) }

// SignedAt returns the time of the signature: the earliest trusted time if there is one,
// otherwise what the signature itself says.
func (r Result) SignedAt() time.Time { return r.signedAt }

// Timestamps returns the trusted times over the signature.
func (r Result) Timestamps() []Timestamp { return slices.Clone(r.timestamps) }

// Log returns the verified log entry, or nil.
func (r Result) Log() *LogEntry {
	if r.log == nil {
		return nil
	}
	entry := *r.log
	return &entry
}

// PredicateType returns that of the in-toto statement, if the evidence is one.
func (r Result) PredicateType() string { return r.predicateType }

// CoversMetadata reports whether the verified evidence itself vouches for the chart's name,
// version and metadata: a .prov file, whose signed metadata was compared, or manifest-bound
// evidence. Where it is false and the facts come from a config blob, the archive must be
// read and compared before they are believed.
func (r Result) CoversMetadata() bool {
	return r.outcome == Verified && (r.metadata || r.binds == BindsManifest)
}

// Relaxed names the checks that Options.HelmCompat let pass.
func (r Result) Relaxed() []string { return slices.Clone(r.relaxed) }

// fail returns r as failed with reason.
func (r Result) fail(reason *chartsign.Reason) Result {
	reason.Message = printable(reason.Message)
	r.outcome, r.reason, r.signers = outcomeOf(reason.Code), reason, nil
	return r
}

// maxMessage bounds a reason's message: libraries quote what they could not read.
const maxMessage = 1000

// printable makes a message out of text that an attacker may have had a hand in: nothing
// that a terminal acts on, and not endless.
func printable(message string) string {
	if len(message) > maxMessage {
		message = message[:maxMessage] + " …"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		default:
			return -1
		}
	}, strings.ToValidUTF8(message, ""))
}

func (r Result) failf(code chartsign.ReasonCode, format string, args ...any) Result {
	return r.fail(chartsign.Reasonf(code, format, args...))
}
