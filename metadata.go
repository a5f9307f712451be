// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/Masterminds/semver/v3"
	sigsjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/internal/strictyaml"
)

// Metadata is the content of Chart.yaml in the fields, names and order that Helm 3 and 4
// read (the chart file of apiVersion v1 and v2). Fields that Helm does not know are
// dropped, as Helm drops them before it signs or pushes.
type Metadata struct {
	Name         string            `json:"name,omitempty"`
	Home         string            `json:"home,omitempty"`
	Sources      []string          `json:"sources,omitempty"`
	Version      string            `json:"version,omitempty"`
	Description  string            `json:"description,omitempty"`
	Keywords     []string          `json:"keywords,omitempty"`
	Maintainers  []*Maintainer     `json:"maintainers,omitempty"`
	Icon         string            `json:"icon,omitempty"`
	APIVersion   string            `json:"apiVersion,omitempty"`
	Condition    string            `json:"condition,omitempty"`
	Tags         string            `json:"tags,omitempty"`
	AppVersion   string            `json:"appVersion,omitempty"`
	Deprecated   bool              `json:"deprecated,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	KubeVersion  string            `json:"kubeVersion,omitempty"`
	Dependencies []*Dependency     `json:"dependencies,omitempty"`
	Type         string            `json:"type,omitempty"`
}

// Maintainer is one entry of maintainers in Chart.yaml.
type Maintainer struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	URL   string `json:"url,omitempty"`
}

// Dependency is one entry of dependencies in Chart.yaml.
type Dependency struct {
	Name         string   `json:"name"`
	Version      string   `json:"version,omitempty"`
	Repository   string   `json:"repository"`
	Condition    string   `json:"condition,omitempty"`
	Tags         []string `json:"tags,omitempty"`
	Enabled      bool     `json:"enabled,omitempty"`
	ImportValues []any    `json:"import-values,omitempty"`
	Alias        string   `json:"alias,omitempty"`
}

// ParseMetadata reads a Chart.yaml. It is stricter than Helm where Helm's answer depends on
// luck: duplicate keys (strictyaml.ErrDuplicateKey), keys that differ from a known one in
// case only, and several documents are errors. Everything it accepts it reads as Helm does,
// unquoted numbers in text fields and clean-up of unprintable characters included.
func ParseMetadata(data []byte) (*Metadata, error) {
	md := new(Metadata)
	if err := decodeYAML(data, md); err != nil {
		return nil, err
	}
	return md.complete()
}

// ParseMetadataJSON reads Chart.yaml in the JSON form that registries keep as config blob,
// as strictly as ParseMetadata reads YAML.
func ParseMetadataJSON(data []byte) (*Metadata, error) {
	md := new(Metadata)
	keys := make(map[string]json.RawMessage)
	strict, err := sigsjson.UnmarshalStrict(data, &keys, sigsjson.DisallowDuplicateFields)
	if err = errors.Join(append(strict, err)...); err != nil {
		return nil, err
	}
	if err := refuseCaseTwins(keys); err != nil {
		return nil, err
	}
	strict, err = sigsjson.UnmarshalStrict(data, md, sigsjson.DisallowDuplicateFields)
	if err = errors.Join(append(strict, err)...); err != nil {
		return nil, err
	}
	return md.complete()
}

// complete does what Helm does after it has decoded the fields.
func (m *Metadata) complete() (*Metadata, error) {
	if m.APIVersion == "" {
		m.APIVersion = "v1" // Helm 2 charts have none
	}
	m.sanitize()
	if err := m.validate(); err != nil {
		return nil, err
	}
	return m, nil
}

var utf8BOM = []byte{0xEF, 0xBB, 0xBF}

func decodeYAML(data []byte, into *Metadata) error {
	data = bytes.TrimPrefix(data, utf8BOM)
	keys, err := topLevel(data)
	if err != nil {
		return err
	}
	if err := refuseCaseTwins(keys); err != nil {
		return err
	}
	// The typed decoder sees the target's types, so that 'appVersion: 1.10' reads as Helm reads it.
	return yaml.Unmarshal(data, into)
}

// topLevel returns the fields of a YAML mapping that strictyaml has checked.
func topLevel(data []byte) (map[string]json.RawMessage, error) {
	if err := strictyaml.Check(data, limits.ChartYAML); err != nil {
		return nil, err
	}
	asJSON, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return nil, err
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(asJSON, &keys); err != nil {
		return nil, fmt.Errorf("want a mapping of fields: %w", err)
	}
	return keys, nil
}

// knownFields are the fields of Chart.yaml and of the entries of its lists.
var knownFields = map[string][]string{
	"": {
		"name", "home", "sources", "version", "description", "keywords", "maintainers", "icon", "apiVersion", "condition",
		"tags", "appVersion", "deprecated", "annotations", "kubeVersion", "dependencies", "type",
	},
	"maintainers":  {"name", "email", "url"},
	"dependencies": {"name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"},
}

// refuseCaseTwins refuses 'Name' beside or instead of 'name': Go's JSON decoder matches
// names without regard to case, other readers do not.
func refuseCaseTwins(keys map[string]json.RawMessage) error {
	if err := refuseTwinsOf(knownFields[""], keys); err != nil {
		return err
	}
	for _, list := range []string{"maintainers", "dependencies"} {
		var entries []map[string]json.RawMessage
		if json.Unmarshal(keys[list], &entries) != nil {
			continue // the typed decoder says what is wrong
		}
		for _, entry := range entries {
			if err := refuseTwinsOf(knownFields[list], entry); err != nil {
				return fmt.Errorf("field %s: %w", list, err)
			}
		}
	}
	return nil
}

func refuseTwinsOf(known []string, keys map[string]json.RawMessage) error {
	for key := range keys {
		for _, name := range known {
			if key != name && strings.EqualFold(key, name) {
				return fmt.Errorf("field %.80q differs from %q in case only", key, name)
			}
		}
	}
	return nil
}

// FileName returns the name that Helm gives the packaged chart: NAME-VERSION.tgz.
func (m *Metadata) FileName() string { return m.Name + "-" + m.Version + ".tgz" }

// YAML returns the bytes that Helm marshals: fields in alphabetical order, as they stand
// in a .prov file.
func (m *Metadata) YAML() ([]byte, error) { return yaml.Marshal(m) }

// JSON returns the bytes that Helm pushes as config blob.
func (m *Metadata) JSON() ([]byte, error) { return json.Marshal(m) }

// Equal reports whether both say the same in every field that Helm knows.
func (m *Metadata) Equal(other *Metadata) bool {
	if m == nil || other == nil {
		return m == other
	}
	mine, err := m.JSON()
	if err != nil {
		return false
	}
	theirs, err := other.JSON()
	return err == nil && bytes.Equal(mine, theirs)
}

func (m *Metadata) sanitize() {
	for _, field := range []*string{&m.Name, &m.Description, &m.Home, &m.Icon, &m.Condition, &m.Tags, &m.AppVersion, &m.KubeVersion} {
		*field = printable(*field)
	}
	for _, list := range [][]string{m.Sources, m.Keywords} {
		for i := range list {
			list[i] = printable(list[i])
		}
	}
	for _, maintainer := range m.Maintainers {
		if maintainer != nil {
			maintainer.Name, maintainer.Email, maintainer.URL = printable(maintainer.Name), printable(maintainer.Email), printable(maintainer.URL)
		}
	}
	for _, dep := range m.Dependencies {
		if dep != nil {
			dep.Name, dep.Version, dep.Repository, dep.Condition = printable(dep.Name), printable(dep.Version), printable(dep.Repository), printable(dep.Condition)
			for i := range dep.Tags {
				dep.Tags[i] = printable(dep.Tags[i])
			}
		}
	}
}

// printable turns every kind of space into a blank and drops what cannot be printed, as
// Helm does when it loads a chart (CVE-2021-21303: terminal escapes in metadata).
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r):
			return r
		default:
			return -1
		}
	}, s)
}

func (m *Metadata) validate() error {
	if m.Name == "" || m.Name == "." || m.Name == ".." || m.Name != path.Base(m.Name) || strings.ContainsAny(m.Name, `/\`) {
		return fmt.Errorf("field name: got %.80q, want a name that is no path", m.Name)
	}
	if m.Version == "" || m.Version != printable(m.Version) {
		return fmt.Errorf("field version: got %.80q, want a semantic version", m.Version)
	}
	if _, err := semver.NewVersion(m.Version); err != nil {
		return fmt.Errorf("field version: got %.80q: %w", m.Version, err)
	}
	if m.Type != "" && m.Type != "application" && m.Type != "library" {
		return fmt.Errorf("field type: got %.80q, want application or library", m.Type)
	}
	for i, maintainer := range m.Maintainers {
		if maintainer == nil {
			return fmt.Errorf("field maintainers[%d]: got null", i)
		}
	}
	return m.validateDependencies()
}

func (m *Metadata) validateDependencies() error {
	seen := make(map[string]bool, len(m.Dependencies))
	for i, dep := range m.Dependencies {
		if dep == nil {
			return fmt.Errorf("field dependencies[%d]: got null", i)
		}
		if dep.Alias != "" && !consistsOf(dep.Alias, isAliasLetter) {
			return fmt.Errorf("field dependencies[%d].alias: got %.80q, want letters, digits, '_' and '-'", i, dep.Alias)
		}
		key := dep.Name
		if dep.Alias != "" {
			key = dep.Alias
		}
		if seen[key] {
			return fmt.Errorf("field dependencies: two entries are named %.80q", key)
		}
		seen[key] = true
	}
	return nil
}

// merge adds the dependencies that requirements.yaml of an apiVersion v1 chart lists. Helm
// lets that file overwrite every field of Chart.yaml, and mixes the fields of two lists of
// dependencies; here it may name dependencies only, and only those of Chart.yaml if that
// has some.
func (m *Metadata) merge(requirements []byte) error {
	requirements = bytes.TrimPrefix(requirements, utf8BOM)
	if len(requirements) == 0 {
		return nil
	}
	keys, err := topLevel(requirements)
	if err != nil {
		return err
	}
	for key := range keys {
		if key != "dependencies" {
			return fmt.Errorf("field %.80q: want dependencies only", key)
		}
	}
	if err := refuseCaseTwins(keys); err != nil || len(keys) == 0 {
		return err
	}
	listed := new(Metadata)
	if err := yaml.Unmarshal(requirements, listed); err != nil {
		return err
	}
	listed.sanitize()
	if len(m.Dependencies) > 0 && !listed.Equal(&Metadata{Dependencies: m.Dependencies}) {
		return errors.New("field dependencies: Chart.yaml has other ones")
	}
	m.Dependencies = listed.Dependencies
	return m.validateDependencies()
}
