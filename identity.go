// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ErrFingerprint is wrapped by every error about the form of an OpenPGP fingerprint.
var ErrFingerprint = errors.New("malformed fingerprint")

// Fingerprint is a full OpenPGP fingerprint in upper-case hexadecimal: 40 digits for
// version 4 keys (RFC 4880, 12.2), 64 for version 6 (RFC 9580, 5.5.4). Key IDs are not
// fingerprints: collisions of short names are cheap to make.
type Fingerprint string

// ParseFingerprint accepts 40 or 64 hexadecimal digits in either case, with blanks or
// colons between groups as gpg prints them, and an optional '0x'.
func ParseFingerprint(s string) (Fingerprint, error) {
	digits := strings.NewReplacer(" ", "", ":", "").Replace(s)
	digits = strings.TrimPrefix(strings.TrimPrefix(digits, "0x"), "0X")
	if _, err := hex.DecodeString(digits); err != nil || (len(digits) != 40 && len(digits) != 64) {
		return "", fmt.Errorf("%w: got %.100q, want the full 40 (v4) or 64 (v6) hexadecimal digits", ErrFingerprint, s)
	}
	return Fingerprint(strings.ToUpper(digits)), nil
}

// FingerprintOf returns the fingerprint with the given raw bytes.
func FingerprintOf(raw []byte) Fingerprint {
	return Fingerprint(strings.ToUpper(hex.EncodeToString(raw)))
}

// IdentityKind says by what a signer is known.
type IdentityKind string

// The kinds of identity.
const (
	// IdentityPGP is known by the fingerprint of an OpenPGP primary key.
	IdentityPGP IdentityKind = "pgp"
	// IdentityKeyless is known by the issuer and subject of a short-lived certificate.
	IdentityKeyless IdentityKind = "keyless"
	// IdentityKey is known by the SHA-256 of a public key (DER, SubjectPublicKeyInfo).
	IdentityKey IdentityKind = "key"
)

// Identity is who made a signature. Only the fields of its kind are set. The JSON form is
// that of 'signer' in the report and in the policy input.
type Identity struct {
	Kind IdentityKind `json:"kind,omitempty"`
	// Fingerprint of the OpenPGP primary key.
	Fingerprint Fingerprint `json:"fingerprint,omitempty"`
	// UserID is the primary user ID of the OpenPGP key: for people, never for decisions.
	UserID string `json:"userID,omitempty"`
	// Issuer and Subject of the certificate: the OIDC issuer and the subject alternative name.
	Issuer  string `json:"issuer,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Extensions of the Fulcio certificate by the names of Fulcio's OID list, in lowerCamelCase.
	Extensions map[string]string `json:"extensions,omitempty"`
	// Key is 'sha256:' and the hexadecimal digest of the public key.
	Key string `json:"key,omitempty"`
}

// ID returns a string that is equal for two identities exactly when they are the same
// signer: extensions and user IDs do not count. The zero identity has the empty ID.
func (i Identity) ID() string {
	switch i.Kind {
	case IdentityPGP:
		return "pgp:" + string(i.Fingerprint)
	case IdentityKeyless:
		return fmt.Sprintf("keyless:%q %q", i.Issuer, i.Subject)
	case IdentityKey:
		return "key:" + i.Key
	default:
		return ""
	}
}

// String returns the identity for people, on one line.
func (i Identity) String() string {
	switch i.Kind {
	case IdentityPGP:
		if i.UserID != "" {
			return i.UserID + " " + string(i.Fingerprint)
		}
		return string(i.Fingerprint)
	case IdentityKeyless:
		return i.Subject + " (" + i.Issuer + ")"
	case IdentityKey:
		return i.Key
	default:
		return ""
	}
}
