// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
)

const digestPrefix = "sha256:"

// ErrDigest is wrapped by every error about the textual form of a digest.
var ErrDigest = errors.New("malformed digest")

// Digest is a SHA-256 digest. It is the only algorithm that charts, manifests and
// evidence are named by: the OCI image specification permits others, chartsign does not.
// Digests are comparable; the zero value means 'unknown' and never equals real content.
type Digest [sha256.Size]byte

// DigestOf returns the digest of data.
func DigestOf(data []byte) Digest { return sha256.Sum256(data) }

// SumDigest returns the digest that h, a SHA-256 hash, has accumulated.
func SumDigest(h hash.Hash) Digest {
	var d Digest
	copy(d[:], h.Sum(nil))
	return d
}

// ParseDigest reads the canonical form 'sha256:' followed by 64 lower-case hexadecimal
// digits. Other algorithms, upper case and surrounding space are errors (ErrDigest), and so
// are 64 zeros: they would read as 'unknown', and a pin would silently be none.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	digits, ok := strings.CutPrefix(s, digestPrefix)
	if !ok || len(digits) != hex.EncodedLen(len(d)) || strings.ToLower(digits) != digits {
		return d, fmt.Errorf("%w: got %.80q, want sha256: and 64 lower-case hexadecimal digits", ErrDigest, s)
	}
	if _, err := hex.Decode(d[:], []byte(digits)); err != nil {
		return Digest{}, fmt.Errorf("%w: got %.80q: %w", ErrDigest, s, err)
	}
	if d.IsZero() {
		return d, fmt.Errorf("%w: got zeros only", ErrDigest)
	}
	return d, nil
}

// IsZero reports whether d is the zero value, 'unknown'.
func (d Digest) IsZero() bool { return d == Digest{} }

// Hex returns the 64 lower-case hexadecimal digits without the algorithm.
func (d Digest) Hex() string { return hex.EncodeToString(d[:]) }

// String returns the canonical form, or the empty string for the zero value.
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return digestPrefix + d.Hex()
}

// MarshalText writes the canonical form; the zero value becomes the empty string.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Digest{}
		return nil
	}
	parsed, err := ParseDigest(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
