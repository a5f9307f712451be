// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	sigsjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/internal/strictyaml"
)

// ErrTrustPolicy is wrapped by every error about a trust policy file.
var ErrTrustPolicy = errors.New("invalid trust policy")

const (
	apiVersion = "chartsign.dev/v1"
	kindTrust  = "TrustPolicy"
)

// TrustPolicy is the trust policy file, format chartsign.dev/v1. Unknown fields and
// duplicate keys are errors; paths are relative to the file and stay below its folder.
type TrustPolicy struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Rules are tried in order; the first that matches applies. A rule that can never match
	// is an error.
	Rules []Rule `json:"rules"`
	// TrustedRoot is a Sigstore trusted_root.json.
	TrustedRoot string `json:"trustedRoot,omitempty"`
}

// Rule says who must have signed the charts that it matches.
type Rule struct {
	Name string `json:"name"`
	// Match lists patterns: oci://HOST/PATH without tag or digest, or file:PATH.
	Match []string `json:"match"`
	// Signers lists who may sign. One entry is one signer, whatever it matches.
	Signers []Signer `json:"signers"`
	// Require is any (the default), all, or the number of distinct signers.
	Require Require `json:"require,omitempty"`
	// Policies are Rego files or folders.
	Policies []string `json:"policies,omitempty"`
	// PolicyData are files of data for the policies.
	PolicyData []string `json:"policyData,omitempty"`
	Waivers    []Waiver `json:"waivers,omitempty"`
	// Attesters and AcceptDecisions belong to the format; this version judges neither, so
	// that they must be empty.
	Attesters       []json.RawMessage `json:"attesters,omitempty"`
	AcceptDecisions []json.RawMessage `json:"acceptDecisions,omitempty"`
	// Mode is enforce (the default) or warn, which lets denied charts pass with a warning.
	Mode string `json:"mode,omitempty"`
	// WarnUnsigned lets unsigned charts pass too where the mode is warn.
	WarnUnsigned bool `json:"warnUnsigned,omitempty"`
	// AnyTag and AnyName except from the check that tag and repository name the chart.
	AnyTag  bool `json:"anyTag,omitempty"`
	AnyName bool `json:"anyName,omitempty"`
}

// Signer is one entry of a rule's signers.
type Signer struct {
	Name    string    `json:"name"`
	Keyless *Keyless  `json:"keyless,omitempty"`
	PGP     *PGPKeys  `json:"pgp,omitempty"`
	Key     *KeyFiles `json:"key,omitempty"`
	// Transparency is required or optional: whether the signature must be in a
	// transparency log. Default: required for keyless and keys, optional for OpenPGP.
	Transparency string `json:"transparency,omitempty"`
}

// Keyless names a certificate's issuer and subject, exactly or as anchored expressions.
type Keyless struct {
	Issuer        string            `json:"issuer,omitempty"`
	IssuerRegexp  string            `json:"issuerRegexp,omitempty"`
	Subject       string            `json:"subject,omitempty"`
	SubjectRegexp string            `json:"subjectRegexp,omitempty"`
	Extensions    map[string]string `json:"extensions,omitempty"`
}

// PGPKeys names OpenPGP keys: the fingerprints listed, or every key of the keyring.
type PGPKeys struct {
	Keyring      string   `json:"keyring"`
	Fingerprints []string `json:"fingerprints,omitempty"`
}

// KeyFiles names a PEM public key.
type KeyFiles struct {
	File string `json:"file"`
}

// Waiver lets one rule's denial pass as a warning for some charts until a day.
type Waiver struct {
	Rule   string   `json:"rule"`
	Charts []string `json:"charts"`
	Reason string   `json:"reason"`
	// Until is the last day, YYYY-MM-DD in UTC, on which the waiver holds.
	Until string `json:"until"`
}

// Require is any, all or a number; in YAML the number may stand unquoted.
type Require string

// UnmarshalJSON accepts a text that is not empty, or a number.
func (r *Require) UnmarshalJSON(data []byte) error {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	switch value := value.(type) {
	case json.Number:
		*r = Require(value)
	case string:
		*r = Require(value)
	}
	if *r == "" {
		return fmt.Errorf("require: got %.40s, want any, all or a number", data)
	}
	return nil
}

// ParseTrustPolicy reads a trust policy strictly: unknown fields, also those of features
// that this version does not have, duplicate keys and another kind are errors.
func ParseTrustPolicy(data []byte) (*TrustPolicy, error) {
	if int64(len(data)) > limits.TrustPolicy {
		return nil, fmt.Errorf("%w: %d bytes are %w, want at most %d", ErrTrustPolicy, len(data), limits.ErrTooLarge, limits.TrustPolicy)
	}
	if err := strictyaml.Check(data, limits.TrustPolicy); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustPolicy, err)
	}
	trust := new(TrustPolicy)
	if err := decodeStrict(data, trust); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustPolicy, err)
	}
	if trust.APIVersion != apiVersion || trust.Kind != kindTrust {
		return nil, fmt.Errorf("%w: got apiVersion %.80q and kind %.80q, want %q and %q", ErrTrustPolicy, trust.APIVersion, trust.Kind, apiVersion, kindTrust)
	}
	if len(trust.Rules) == 0 {
		return nil, fmt.Errorf("%w: got no rules, want at least one", ErrTrustPolicy)
	}
	return trust, nil
}

// decodeStrict knows fields by their exact spelling only: to Go's own decoder, 'Require'
// beside 'require' is the same field and the last one counts. A field without a value is an
// error too: what a template left empty must not become the default.
func decodeStrict(data []byte, into *TrustPolicy) error {
	text, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return err
	}
	var document any
	if err := json.Unmarshal(text, &document); err != nil {
		return err
	}
	if document == nil {
		return errors.New("got an empty file")
	}
	if path, found := findNull(document); found {
		return fmt.Errorf("field %s: got no value", strings.TrimPrefix(path, "."))
	}
	strict, err := sigsjson.UnmarshalStrict(text, into)
	return errors.Join(append(strict, err)...)
}

// findNull returns the path of a null in value.
func findNull(value any) (path string, found bool) {
	switch value := value.(type) {
	case nil:
		return "", true
	case []any:
		for i, item := range value {
			if path, found := findNull(item); found {
				return fmt.Sprintf("[%d]%s", i, path), true
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if path, found := findNull(value[key]); found {
				return "." + key + path, true
			}
		}
	}
	return "", false
}
