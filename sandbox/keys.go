// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/chartsign/chartsign/sandbox/internal/pki"
	"github.com/chartsign/chartsign/sandbox/internal/state"
)

// Files in the key folder.
const (
	fulcioKey   = "fulcio.key"
	fulcioChain = "fulcio.pem"
	fulcioRoot  = "fulcio-root.pem"
	tsaKey      = "tsa.key"
	tsaChain    = "tsa.pem"
	rekorKey    = "rekor.key"
	rekorPublic = "rekor.pub"
	ctPublic    = "ctlog.pub"
)

// keys are what the servers sign with; they are made anew for each run.
type keys struct {
	dir    *state.Dir
	since  time.Time
	fulcio *pki.Authority
	tsa    *pki.Authority
	ctlog  *ecdsa.PrivateKey
	rekor  ed25519.PrivateKey
}

func newKeys(dir *state.Dir, now time.Time) (*keys, error) {
	k := &keys{dir: dir, since: now.UTC().Truncate(time.Second).Add(-pki.Backdate)}
	var errs [4]error
	k.fulcio, errs[0] = pki.NewCodeSigning(now)
	k.tsa, errs[1] = pki.NewTimestamping(now)
	k.ctlog, errs[2] = pki.NewECDSA()
	_, k.rekor, errs[3] = ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	if err := k.write(); err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	return k, nil
}

func (k *keys) path(name string) string { return k.dir.Path(state.KeyFolder, name) }

// write stores what servers read from files, and public parts for people who want a look.
func (k *keys) write() error {
	return errors.Join(
		pki.WriteKey(k.path(fulcioKey), k.fulcio.Key),
		pki.WriteChain(k.path(fulcioChain), k.fulcio.Chain),
		pki.WriteChain(k.path(fulcioRoot), []*x509.Certificate{k.fulcio.Root()}),
		pki.WriteKey(k.path(tsaKey), k.tsa.Key),
		pki.WriteChain(k.path(tsaChain), k.tsa.Chain),
		pki.WriteKey(k.path(rekorKey), crypto.PrivateKey(k.rekor)),
		pki.WritePublicKey(k.path(rekorPublic), k.rekor.Public()),
		pki.WritePublicKey(k.path(ctPublic), k.ctlog.Public()),
	)
}
