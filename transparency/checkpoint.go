// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package transparency

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sigstore/rekor/pkg/util"
)

// maxCheckpoint bounds a checkpoint: an origin, two numbers and the signatures of a log and
// a handful of witnesses are below 4 KiB.
const maxCheckpoint = 64 << 10

// ErrCheckpoint is wrapped by every error about a malformed checkpoint.
var ErrCheckpoint = errors.New("malformed checkpoint")

// Checkpoint is the state of a log that a log claims: its name, its size and its root.
type Checkpoint struct {
	// Origin names the log and, for Rekor v1, its tree.
	Origin string
	// Size is the number of leaves.
	Size uint64
	// Root is the Merkle tree hash of all leaves (RFC 6962, 2.1).
	Root []byte
}

// ParseCheckpoint reads a signed checkpoint without checking its signatures.
func ParseCheckpoint(text string) (Checkpoint, error) {
	if len(text) > maxCheckpoint {
		return Checkpoint{}, fmt.Errorf("%w: got %d bytes, want at most %d", ErrCheckpoint, len(text), maxCheckpoint)
	}
	var signed util.SignedCheckpoint
	if err := signed.UnmarshalText([]byte(text)); err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	if len(signed.Hash) != sha256.Size {
		return Checkpoint{}, fmt.Errorf("%w: the root has %d bytes, want %d", ErrCheckpoint, len(signed.Hash), sha256.Size)
	}
	// C2SP signed-note: no control characters but newline; and what is logged or printed
	// must not act on a terminal.
	if !utf8.ValidString(signed.Origin) || strings.ContainsFunc(signed.Origin, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return Checkpoint{}, fmt.Errorf("%w: the origin %.80q is not printable", ErrCheckpoint, signed.Origin)
	}
	return Checkpoint{Origin: signed.Origin, Size: signed.Size, Root: signed.Hash}, nil
}
