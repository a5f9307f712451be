// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"sync"
	"sync/atomic"

	"github.com/chartsign/chartsign/internal/limits"
)

// group runs functions at once. A panic in one of them becomes that of whoever waits: left
// to itself it would end the process with Go's status 2, past everyone who recovers.
type group struct {
	running sync.WaitGroup
	cause   atomic.Pointer[any]
}

// start runs do.
func (g *group) start(do func()) {
	g.running.Go(func() {
		defer func() {
			if cause := recover(); cause != nil {
				g.cause.CompareAndSwap(nil, &cause)
			}
		}()
		do()
	})
}

// wait waits for all functions that were started.
func (g *group) wait() {
	g.running.Wait()
	if cause := g.cause.Load(); cause != nil {
		panic(*cause)
	}
}

// each calls do for 0 to n-1, some at a time, and waits for all of them.
func each(n int, do func(i int)) {
	var workers group
	var next atomic.Int64
	for range min(n, limits.OCIConcurrency) {
		workers.start(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.wait()
}
