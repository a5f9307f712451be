// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strings"
)

// ErrReference is wrapped by every error about the form of a reference.
var ErrReference = errors.New("malformed reference")

// SchemeOCI is the prefix of references to charts in OCI registries.
const SchemeOCI = "oci://"

// Reference names a chart: a local file, or oci://REGISTRY/REPOSITORY[:TAG][@DIGEST] with
// the grammar of the OCI distribution specification. It holds no secret.
type Reference struct {
	// Given is what the user wrote.
	Given string
	// File is the path of a local chart; the other fields are empty then.
	File string
	// Registry is the canonical host and, unless it is 443, the port: lower case, docker.io
	// for all names of Docker Hub.
	Registry string
	// Repository is the path within the registry.
	Repository string
	// Tag is the tag as written, with '_' where the version has '+'.
	Tag string
	// Digest of the manifest, if the reference pins one.
	Digest Digest
}

const maxReferenceLength = 1024 // far above 255 of a repository, 128 of a tag and 71 of a digest

// ParseReference reads s: with the prefix oci:// as a registry reference, otherwise as the
// path of a local file. Other schemes, user information and queries are errors.
func ParseReference(s string) (Reference, error) {
	rest, isOCI := strings.CutPrefix(s, SchemeOCI)
	switch {
	case s == "" || len(s) > maxReferenceLength:
		return Reference{}, fmt.Errorf("%w: got %d bytes, want 1 to %d", ErrReference, len(s), maxReferenceLength)
	case isOCI:
		return parseOCI(s, rest)
	case strings.Contains(s, "://"):
		scheme, _, _ := strings.Cut(s, "://") // no more of it: URLs hold passwords
		return Reference{}, fmt.Errorf("%w: got scheme %.20q, want a file or oci://REGISTRY/REPOSITORY[:TAG][@DIGEST]", ErrReference, scheme)
	default:
		return Reference{Given: s, File: s}, nil
	}
}

func parseOCI(given, rest string) (Reference, error) {
	ref := Reference{Given: given}
	if name, digest, pinned := strings.Cut(rest, "@"); pinned {
		parsed, err := ParseDigest(digest)
		if err != nil {
			return Reference{}, fmt.Errorf("%w: %w", ErrReference, err)
		}
		rest, ref.Digest = name, parsed
	}
	host, repository, _ := strings.Cut(rest, "/")
	if at := strings.LastIndex(repository, ":"); at >= 0 {
		repository, ref.Tag = repository[:at], repository[at+1:]
		if !isTag(ref.Tag) {
			return Reference{}, fmt.Errorf("%w: tag %.130q of %.100q", ErrReference, ref.Tag, given)
		}
	}
	if !validHost(host) {
		return Reference{}, fmt.Errorf("%w: host %.100q of %.100q", ErrReference, host, given)
	}
	if len(repository) > 255 || !isRepository(repository) {
		return Reference{}, fmt.Errorf("%w: repository %.260q of %.100q: want lower-case path components", ErrReference, repository, given)
	}
	ref.Registry, ref.Repository = CanonicalRegistry(host), repository
	return ref, nil
}

func validHost(host string) bool {
	if !isHost(host) {
		return false
	}
	literal, isIPv6 := strings.CutPrefix(host, "[")
	if !isIPv6 {
		return true
	}
	literal, _, _ = strings.Cut(literal, "]")
	address, err := netip.ParseAddr(literal)
	return err == nil && address.String() == strings.ToLower(literal) // one spelling, so that one rule matches
}

// CanonicalRegistry returns the one spelling of a registry's host that trust policies
// match: lower case, without port 443, and docker.io for every name of Docker Hub.
func CanonicalRegistry(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ":443")
	switch host {
	case "index.docker.io", "registry-1.docker.io":
		return "docker.io"
	default:
		return host
	}
}

// IsOCI reports whether the reference names a chart in a registry.
func (r Reference) IsOCI() bool { return r.Registry != "" }

// Name returns oci://REGISTRY/REPOSITORY without tag and digest, or the file's path.
func (r Reference) Name() string {
	if !r.IsOCI() {
		return r.File
	}
	return SchemeOCI + r.Registry + "/" + r.Repository
}

// BaseName returns the last component of the repository, which Helm uses as chart name.
func (r Reference) BaseName() string { return path.Base(r.Repository) }

// Pinned returns the immutable form oci://REGISTRY/REPOSITORY@DIGEST of manifest.
func (r Reference) Pinned(manifest Digest) string {
	if !r.IsOCI() || manifest.IsZero() {
		return r.Name()
	}
	return r.Name() + "@" + manifest.String()
}

// TagOfVersion returns the tag under which Helm pushes version: OCI tags have no '+'.
func TagOfVersion(version string) string { return strings.ReplaceAll(version, "+", "_") }

// Subject is what evidence is judged about: how it was named, and what is known of it.
type Subject struct {
	// Reference is how the chart was named.
	Reference Reference
	// Chart holds the facts that were read from the archive or from the config blob.
	Chart *Chart
	// Manifest is the digest of the OCI manifest; zero for a local file.
	Manifest Digest
}

// Listing is the evidence that a source found for one chart. Problem is nil if the list is
// known to be complete; otherwise more may exist, and Problem says why it could not be seen.
type Listing struct {
	Evidence []Evidence
	Problem  error
}

// Resolved returns the immutable name of the subject.
func (s Subject) Resolved() string { return s.Reference.Pinned(s.Manifest) }
