// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// Chart is one remote chart: what its reference named when it was first asked for.
type Chart struct {
	repository repository
	ref        chartsign.Reference
	contents   *memo[*contents]
	subject    *memo[chartsign.Subject]
	provenance *memo[[]byte]
	ahead      prefetch
}

// prefetch is a listing that is fetched while something else is done.
type prefetch struct {
	wanted  bool
	started atomic.Bool
	taken   atomic.Bool
	listing chan chartsign.Listing
}

// Prefetch makes Resolve ask for the evidence as soon as the manifest is known, while it
// waits for the config blob; the next Evidence returns that. It is for those who will ask
// for both, saves them a round trip, and returns c.
func (c *Chart) Prefetch() *Chart {
	c.ahead.wanted, c.ahead.listing = true, make(chan chartsign.Listing, 1)
	return c
}

// Start begins to resolve at once, and with Prefetch to list the evidence; Resolve and
// Evidence wait for what it has begun. What goes wrong they find out for themselves.
func (c *Chart) Start(ctx context.Context) {
	go func() {
		defer func() { _ = recover() }() // whoever calls Resolve meets the same
		_, _ = c.Resolve(ctx)
	}()
}

// fetchAhead starts to list the evidence, once.
func (c *Chart) fetchAhead(ctx context.Context, found *contents) {
	if c.ahead.wanted && c.ahead.started.CompareAndSwap(false, true) {
		go func() {
			defer func() {
				if cause := recover(); cause != nil {
					c.ahead.listing <- chartsign.Listing{Problem: incomplete(fmt.Errorf("internal error: %v", cause))}
				}
			}()
			c.ahead.listing <- c.list(ctx, found)
		}()
	}
}

// fetchedAhead returns what fetchAhead has listed, to the first who asks.
func (c *Chart) fetchedAhead(ctx context.Context) (chartsign.Listing, bool) {
	if !c.ahead.started.Load() || !c.ahead.taken.CompareAndSwap(false, true) {
		return chartsign.Listing{}, false
	}
	select {
	case listing := <-c.ahead.listing:
		return listing, true
	case <-ctx.Done():
		return chartsign.Listing{Problem: incomplete(ctx.Err())}, true
	}
}

// Resolve returns what the reference names: one request for the manifest, one for the
// config blob, and none the next time. The facts are Chart.yaml as the config blob has it.
func (c *Chart) Resolve(ctx context.Context) (chartsign.Subject, error) {
	return c.subject.get(ctx, func(ctx context.Context) (chartsign.Subject, error) {
		found, err := c.resolved(ctx)
		if err != nil {
			return chartsign.Subject{}, err
		}
		c.fetchAhead(ctx, found)
		config, err := c.repository.blob(ctx, found.config, "config")
		if err != nil {
			return chartsign.Subject{}, err
		}
		chart, err := chartsign.ChartFromConfig(config, found.chart.digest, found.chart.Size)
		if err != nil {
			return chartsign.Subject{}, err
		}
		return chartsign.Subject{Reference: c.ref, Chart: chart, Manifest: found.manifest.digest}, nil
	})
}

// resolved returns the contents of the manifest, which is requested once. A reference with
// a digest is asked for by digest; its tag is then only a name.
func (c *Chart) resolved(ctx context.Context) (*contents, error) {
	return c.contents.get(ctx, func(ctx context.Context) (*contents, error) {
		if !c.ref.IsOCI() || c.ref.Tag == "" && c.ref.Digest.IsZero() {
			return nil, chartsign.Reasonf(chartsign.ReasonNotFound, "%.200q: %w: want oci:// with a tag or a digest", c.ref.Given, chartsign.ErrReference)
		}
		got, err := c.repository.manifest(ctx, c.ref.Tag, c.ref.Digest, limits.OCIManifest)
		if err != nil {
			return nil, err
		}
		return parseContents(got.header, got.body, c.maxChart())
	})
}

// maxChart is the cap of chartsign.ReadChart on the archive.
func (c *Chart) maxChart() int64 {
	if unpacked := c.repository.client.read.MaxUnpacked; unpacked > 0 {
		return limits.ChartCompressed + unpacked - limits.ChartUnpacked
	}
	return limits.ChartCompressed
}

// prov returns the bytes of the .prov layer, which are requested once.
func (c *Chart) prov(ctx context.Context, layer descriptor) ([]byte, error) {
	return c.provenance.get(ctx, func(ctx context.Context) ([]byte, error) {
		return c.repository.blob(ctx, layer, ".prov layer")
	})
}

// memo remembers the first success. Callers that come meanwhile wait for it; a failure is
// not remembered, because it may be that of one caller's context.
type memo[T any] struct {
	turn  chan struct{}
	done  bool
	value T
}

func newMemo[T any]() *memo[T] { return &memo[T]{turn: make(chan struct{}, 1)} }

func (m *memo[T]) get(ctx context.Context, fetch func(context.Context) (T, error)) (T, error) {
	var none T
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return none, chartsign.Reasonf(chartsign.ReasonUnavailable, "waiting for the registry: %w", ctx.Err())
	}
	if m.done {
		return m.value, nil
	}
	value, err := fetch(ctx)
	if err != nil {
		return none, err
	}
	m.value, m.done = value, true
	return value, nil
}
