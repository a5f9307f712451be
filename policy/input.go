// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"fmt"
	"time"
)

// Input is what Rego sees as `input`: verified facts only, but for Chart and the rejected
// rows of Evidence, which are claims. The JSON encoding is exactly the document that is
// evaluated: lists that are nil are written as [], and what does not apply is absent.
// input.schema.json describes it, and policies are compiled against that schema.
type Input struct {
	Name           string    `json:"name"`
	Version        string    `json:"version"`
	AppVersion     string    `json:"appVersion"`
	Digest         string    `json:"digest"`
	ManifestDigest string    `json:"manifestDigest,omitempty"`
	Reference      Reference `json:"reference"`
	// Signers are those that the trust rule names, and no others.
	Signers []Signer `json:"signers"`
	// Evidence is every row of the report, rejected ones included: decide by Signers.
	Evidence []Evidence `json:"evidence"`
	// Attestations are those by attesters that the trust rule names.
	Attestations []Attestation `json:"attestations"`
	// Chart is Chart.yaml.
	Chart map[string]any `json:"chart"`
	// Time is the effective time; it must be set.
	Time    time.Time `json:"time"`
	Context Context   `json:"context"`
}

// Reference says where the chart is; it is empty for a local file.
type Reference struct {
	Registry   string `json:"registry,omitempty"`
	Repository string `json:"repository,omitempty"`
	Tag        string `json:"tag,omitempty"`
}

// Identity is who signed: a name of the trust rule and what it was recognised by. Only the
// fields of its kind are there.
type Identity struct {
	Name        string            `json:"name,omitempty"`
	Kind        string            `json:"kind,omitempty"`
	Fingerprint string            `json:"fingerprint,omitempty"`
	UserID      string            `json:"userID,omitempty"`
	Issuer      string            `json:"issuer,omitempty"`
	Subject     string            `json:"subject,omitempty"`
	Extensions  map[string]string `json:"extensions,omitempty"`
	Key         string            `json:"key,omitempty"`
}

// Signer is a trusted identity together with the signature that it made.
type Signer struct {
	Identity

	SignedAt time.Time `json:"signedAt,omitzero"`
	Logged   bool      `json:"logged"`
	Binds    string    `json:"binds,omitempty"`
}

// Evidence is one row of the report.
type Evidence struct {
	Kind          string    `json:"kind"`
	Source        string    `json:"source"`
	Digest        string    `json:"digest,omitempty"`
	Binds         string    `json:"binds,omitempty"`
	Verdict       string    `json:"verdict"`
	Signer        *Identity `json:"signer,omitempty"`
	SignedAt      time.Time `json:"signedAt,omitzero"`
	Log           *Log      `json:"log,omitempty"`
	PredicateType string    `json:"predicateType,omitempty"`
	Reason        *Reason   `json:"reason,omitempty"`
}

// Log is where a transparency log has the evidence.
type Log struct {
	Origin string `json:"origin"`
	Index  int64  `json:"index"`
}

// Reason says why evidence was not verified.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Attestation is a verified statement about the chart. Predicate is anything that
// encoding/json encodes; json.RawMessage is taken as it is.
type Attestation struct {
	PredicateType string   `json:"predicateType"`
	Predicate     any      `json:"predicate"`
	Signer        Identity `json:"signer"`
}

// Context is the occasion of the judgement; what is not known is absent.
type Context struct {
	Operation string `json:"operation,omitempty"`
	User      string `json:"user,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
}

// MarshalJSON encodes the document that Rego sees.
func (in Input) MarshalJSON() ([]byte, error) {
	type plain Input
	out := plain(in)
	if out.Signers == nil {
		out.Signers = []Signer{}
	}
	if out.Evidence == nil {
		out.Evidence = []Evidence{}
	}
	if out.Attestations == nil {
		out.Attestations = []Attestation{}
	}
	if out.Chart == nil {
		out.Chart = map[string]any{}
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode policy input: %w", err)
	}
	return data, nil
}
