// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package limits holds every cap of chartsign with its reason, the bounded readers that
// enforce them, and the atomic writer that every output goes through.
//
// Whatever reads bytes that somebody else wrote MUST read them through Read or ReadFile
// with one of the caps below. A cap that is reached is an error that wraps ErrTooLarge; a
// short result is never returned in its place. Every package may import this one; it
// imports nothing of chartsign.
//
//	data, err := limits.ReadFile(path, limits.Provenance)
//	if errors.Is(err, limits.ErrTooLarge) { … }
package limits

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// The caps, in bytes unless the name says otherwise.
const (
	// ChartCompressed bounds the .tgz itself. Helm bounds only the unpacked size; an archive
	// that does not shrink is at most as large as its contents plus headers.
	ChartCompressed int64 = 128 << 20
	// ChartUnpacked is Helm's MaxDecompressedChartSize: a larger chart cannot be installed.
	ChartUnpacked int64 = 100 << 20
	// ChartEntries bounds the headers of an archive. The largest public charts have about
	// 3,000 files; each remembered name costs memory.
	ChartEntries = 20_000
	// ChartPathLength is PATH_MAX of Linux: a longer name cannot be unpacked.
	ChartPathLength = 4096
	// ChartNames bounds the bytes of all names together, so that memory does not grow with
	// the archive: duplicates are found by remembering names.
	ChartNames = 2 << 20
	// ChartYAML bounds Chart.yaml and requirements.yaml. Those of large umbrella charts
	// are below 100 KiB; a config blob of a registry is the same data.
	ChartYAML int64 = 1 << 20
	// Provenance bounds a .prov file: Chart.yaml, one digest and a few signatures.
	Provenance int64 = 2 << 20
	// Bundle bounds a Sigstore bundle. A signature bundle is about 10 KiB; attestations
	// carry an SBOM of some MiB.
	Bundle int64 = 16 << 20
	// Keyring bounds a file of OpenPGP keys: the Debian keyring, 1,000 keys, is 30 MiB.
	Keyring int64 = 64 << 20
	// KeyringEntities bounds the number of keys in one keyring.
	KeyringEntities = 10_000
	// PublicKey bounds a PEM public key or an encrypted private key file.
	PublicKey int64 = 64 << 10
	// TrustedRoot bounds trusted_root.json and signing_config.json.
	TrustedRoot int64 = 4 << 20
	// TrustPolicy bounds a trust policy file.
	TrustPolicy int64 = 1 << 20
	// IdentityToken bounds an OIDC token. Fulcio accepts about 20 KiB (CVE-2025-66506 is
	// about what longer ones cost).
	IdentityToken int64 = 20 << 10
	// Passphrase bounds a passphrase file.
	Passphrase int64 = 4 << 10
)

// ErrTooLarge is wrapped by every error about a cap that was reached.
var ErrTooLarge = errors.New("too large")

// Read reads r to its end and returns at most limit bytes. One byte more is an error
// (ErrTooLarge) and yields no data. What names the content in the error.
func Read(r io.Reader, limit int64, what string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is %w: got more than %d bytes", what, ErrTooLarge, limit)
	}
	return data, nil
}

// ReadFile reads the regular file at path within limit. Devices, pipes and directories
// are refused: a path that a file names may point anywhere.
func ReadFile(path string, limit int64) ([]byte, error) {
	file, err := OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return Read(file, limit, path)
}

// OpenRegular opens the file at path for reading and refuses all but regular files.
func OpenRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file: got %s", path, info.Mode().Type())
	}
	return os.Open(path)
}
