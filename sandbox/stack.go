// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/chartsign/chartsign/sandbox/internal/ctlog"
	"github.com/chartsign/chartsign/sandbox/internal/fulcio"
	"github.com/chartsign/chartsign/sandbox/internal/oidc"
	"github.com/chartsign/chartsign/sandbox/internal/pki"
	"github.com/chartsign/chartsign/sandbox/internal/registry"
	"github.com/chartsign/chartsign/sandbox/internal/rekor"
	"github.com/chartsign/chartsign/sandbox/internal/state"
	"github.com/chartsign/chartsign/sandbox/internal/tsa"
)

// rekorLog is the log of the Rekor process; "rekor" is that of the front.
const rekorLog = "rekor-server"

// stack is a running sandbox.
type stack struct {
	dir    *state.Dir
	keys   *keys
	cancel context.CancelFunc
	// failed yields the first server that ends by itself.
	failed chan error

	registry, referrers               *endpoint
	issuer, ctlog, fulcio, tsa, rekor *endpoint
	all                               []*endpoint
}

// start brings every server up, and returns when all of them answer and the files for
// clients are written. The servers run until ctx ends or close is called.
func start(ctx context.Context, dir *state.Dir, now time.Time) (*stack, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &stack{dir: dir, cancel: cancel, failed: make(chan error, 1)}
	if err := s.start(ctx, now); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *stack) start(ctx context.Context, now time.Time) (err error) {
	if err := s.listen(ctx); err != nil {
		return err
	}
	if s.keys, err = newKeys(s.dir, now); err != nil {
		return err
	}
	var group errgroup.Group
	group.Go(func() error { return s.startRekor(ctx) })
	group.Go(func() error { return s.startCertificates(ctx) })
	group.Go(s.startTimestamps)
	s.registry.serve(registry.Handler(false), s.failed)
	s.referrers.serve(registry.Handler(true), s.failed)
	if err := group.Wait(); err != nil {
		return err
	}
	if err := awaitAll(ctx, s.all); err != nil {
		return err
	}
	return s.writeTrust()
}

// listen opens a port for each server, so that all URLs are known before any is served.
func (s *stack) listen(ctx context.Context) error {
	for _, server := range []struct {
		name, probe string
		endpoint    **endpoint
	}{
		{"registry", "/v2/", &s.registry},
		{"registry-referrers", "/v2/", &s.referrers},
		{"oidc", "/.well-known/openid-configuration", &s.issuer},
		{"ctlog", "/" + ctlog.Prefix + "/ct/v1/get-sth", &s.ctlog},
		{"fulcio", "/api/v2/trustBundle", &s.fulcio},
		{"tsa", tsa.Path + "/certchain", &s.tsa},
		{"rekor", "/api/v2/checkpoint", &s.rekor},
	} {
		e, err := newEndpoint(ctx, s.dir, server.name, server.probe)
		if err != nil {
			return err
		}
		*server.endpoint = e
		s.all = append(s.all, e)
	}
	return nil
}

// startCertificates starts the issuer of identities, the log and the certificate authority,
// each of which needs the one before.
func (s *stack) startCertificates(ctx context.Context) error {
	issuer, err := oidc.New(s.issuer.url(), time.Now)
	if err != nil {
		return err
	}
	s.issuer.serve(issuer.Handler(), s.failed)

	log, err := ctlog.Handler(ctx, ctlog.Config{
		Key: s.keys.ctlog, RootsFile: s.keys.path(fulcioChain), Log: s.ctlog.log,
	})
	if err != nil {
		return explain(err, s.ctlog.log.Name())
	}
	s.ctlog.serve(log, s.failed)

	ctKey, err := pki.PublicKeyPEM(s.keys.ctlog.Public())
	if err != nil {
		return err
	}
	ca, err := fulcio.Handler(ctx, fulcio.Config{
		ChainFile: s.keys.path(fulcioChain), KeyFile: s.keys.path(fulcioKey),
		Issuer: s.issuer.url(), CTLog: s.ctlog.url() + "/" + ctlog.Prefix, CTKey: ctKey, Log: s.fulcio.log,
	})
	if err != nil {
		return explain(err, s.fulcio.log.Name())
	}
	s.fulcio.serve(ca, s.failed)
	return nil
}

func (s *stack) startTimestamps() error {
	authority, err := tsa.Handler(tsa.Config{
		KeyFile: s.keys.path(tsaKey), ChainFile: s.keys.path(tsaChain), Log: s.tsa.log,
	})
	if err != nil {
		return explain(err, s.tsa.log.Name())
	}
	s.tsa.serve(authority, s.failed)
	return nil
}

// startRekor starts the log's own process and, before it, the front.
func (s *stack) startRekor(ctx context.Context) error {
	log, err := s.dir.Log(rekorLog)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own copy
	storage := s.dir.Path(state.RekorFolder)
	server, err := rekor.Start(ctx, rekor.Config{Storage: storage, KeyFile: s.keys.path(rekorKey), Log: log})
	if err != nil {
		return explain(err, log.Name())
	}
	front, err := rekor.Front(storage, server.URL, s.rekor.log)
	if err != nil {
		return err
	}
	go func() { report(s.failed, explain(<-server.Done, log.Name())) }()
	s.rekor.serve(front, s.failed)
	return nil
}

// close stops every server.
func (s *stack) close() {
	s.cancel()
	for _, e := range s.all {
		e.close()
	}
}

// report passes a failure on unless there is one already: the first is the cause.
func report(failed chan<- error, err error) {
	select {
	case failed <- err:
	default:
	}
}

// explain adds the end of a server's log to its error.
func explain(err error, logFile string) error {
	last := tail(logFile)
	if err == nil || errors.Is(err, context.Canceled) || last == "" {
		return err
	}
	return fmt.Errorf("%w; end of %s:\n%s", err, logFile, last)
}
