// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
)

// Report is the judgements on one or many charts.
type Report struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Results    []Result `json:"results"`
	Summary    Summary  `json:"summary"`
	// Insecure names the --insecure-… flags that whoever asked has given.
	Insecure []string `json:"insecure,omitempty"`
}

// Summary counts the verdicts.
type Summary struct {
	Allowed      int `json:"allowed"`
	Denied       int `json:"denied"`
	Unsigned     int `json:"unsigned"`
	Rejected     int `json:"rejected"`
	Inconclusive int `json:"inconclusive"`
}

// Result is the judgement on one chart.
type Result struct {
	Reference Reference `json:"reference"`
	// Chart is absent if the chart could not be read.
	Chart   *Chart `json:"chart,omitempty"`
	Verdict string `json:"verdict"`
	// Enforced is false where the rule only warns.
	Enforced bool       `json:"enforced"`
	Rule     string     `json:"rule"`
	Evidence []Evidence `json:"evidence"`
	Denials  []Finding  `json:"denials"`
	Warnings []Finding  `json:"warnings"`
	Policy   *Policy    `json:"policy,omitempty"`
	Trust    Trust      `json:"trust"`
	// Reason says why the verdict is not allowed.
	Reason *Reason `json:"reason,omitempty"`
}

// Reference is how the chart was named and what it resolved to.
type Reference struct {
	Given          string `json:"given"`
	Resolved       string `json:"resolved"`
	ManifestDigest string `json:"manifestDigest"`
}

// Chart is what the chart says about itself, and the digest and size of its archive.
type Chart struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion"`
	Digest     string `json:"digest"`
	Size       int64  `json:"size"`
}

// Evidence is the judgement on one signature.
type Evidence struct {
	Kind          string      `json:"kind"`
	Source        string      `json:"source"`
	Location      string      `json:"location,omitempty"`
	Digest        string      `json:"digest"`
	Binds         string      `json:"binds"`
	Verdict       string      `json:"verdict"`
	Signer        *Signer     `json:"signer,omitempty"`
	SignedAt      *time.Time  `json:"signedAt,omitempty"`
	Timestamps    []Timestamp `json:"timestamps"`
	Log           *Log        `json:"log,omitempty"`
	PredicateType string      `json:"predicateType,omitempty"`
	Relaxed       []string    `json:"relaxed,omitempty"`
	Reason        *Reason     `json:"reason,omitempty"`
}

// Signer is who signed, under the name that the rule gives; a claim unless verified.
type Signer struct {
	Name string `json:"name,omitempty"`
	chartsign.Identity
}

// Timestamp is a trusted time over the signature.
type Timestamp struct {
	Kind   string    `json:"kind"`
	Source string    `json:"source,omitempty"`
	Time   time.Time `json:"time"`
}

// Log is where a transparency log has recorded the signature.
type Log struct {
	Origin string     `json:"origin"`
	Index  int64      `json:"index"`
	Time   *time.Time `json:"time,omitempty"`
}

// Reason is a code of docs/spec/reasons.md with its message.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Finding is one denial or warning of a policy.
type Finding struct {
	Rule     string `json:"rule"`
	Message  string `json:"message"`
	Solution string `json:"solution,omitempty"`
}

// Policy names the policies that decided.
type Policy struct {
	Digest  string   `json:"digest"`
	Sources []string `json:"sources"`
}

// Trust names rule, signers and keys that were trusted.
type Trust struct {
	Digest string `json:"digest"`
}

// New returns the report on judgements, in their order.
func New(judgements []gate.Judgement) *Report {
	document := &Report{APIVersion: "chartsign.dev/v1", Kind: "Report", Results: []Result{}}
	for _, judgement := range judgements {
		document.Results = append(document.Results, newResult(judgement))
		document.Summary.count(judgement.Verdict)
	}
	return document
}

func (s *Summary) count(verdict gate.Verdict) {
	switch verdict {
	case gate.Allowed:
		s.Allowed++
	case gate.Denied:
		s.Denied++
	case gate.Unsigned:
		s.Unsigned++
	case gate.Rejected:
		s.Rejected++
	case gate.Inconclusive:
		s.Inconclusive++
	default:
		s.Inconclusive++
	}
}

// WriteJSON writes the report as EncodeJSON does.
func (r *Report) WriteJSON(w io.Writer) error { return EncodeJSON(w, r) }

// WriteYAML writes the report as EncodeYAML does.
func (r *Report) WriteYAML(w io.Writer) error { return EncodeYAML(w, r) }

// EncodeJSON writes a document as indented JSON. Characters that cannot be printed are
// escaped.
func EncodeJSON(w io.Writer, document any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		return err
	}
	_, err := w.Write(escapeJSON(out.Bytes()))
	return err
}

// EncodeYAML writes the same document as YAML, which cannot escape everywhere: characters
// that cannot be printed are replaced.
func EncodeYAML(w io.Writer, document any) error {
	data, err := json.Marshal(document)
	if err != nil {
		return err
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	if data, err = yaml.Marshal(blot(value)); err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}
