// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"sync"
	"time"
)

// Epoch is the time at which everything here happens unless a test says otherwise. The keys
// of testdata are valid then.
func Epoch() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

// Clock is a clock that stands still until it is told to move. It is safe for concurrent
// use; the zero value shows Epoch.
type Clock struct {
	mu     sync.Mutex
	passed time.Duration
}

// Now returns the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Epoch().Add(c.passed)
}

// Advance moves the clock forward, or back if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
}

// Set makes the clock show t.
func (c *Clock) Set(t time.Time) { c.Advance(t.Sub(c.Now())) }
