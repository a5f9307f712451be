// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	reports "github.com/chartsign/chartsign/report"
)

// progress is one line on a terminal that is written over; elsewhere it is silent.
type progress struct {
	w    io.Writer // nil: silent
	name string
	now  func() time.Time
	last time.Time
}

// progressInterval is short enough to look alive and long enough to cost nothing.
const progressInterval = 100 * time.Millisecond

func newProgress(c *cli.Context, world *console, name string) *progress {
	p := &progress{name: name, now: world.now}
	if world.stderrIsTerminal && !c.Bool("no-progress") && !c.Bool("quiet") {
		p.w = world.stderr
	}
	return p
}

func (p *progress) update(done, total int64) {
	if p.w == nil {
		return
	}
	if now := p.now(); done == total || now.Sub(p.last) >= progressInterval {
		p.last = now
		fmt.Fprintf(p.w, "\r\x1b[K%s  %s of %s", reports.Clean(p.name), reports.Size(done), reports.Size(total))
	}
}

func (p *progress) end() {
	if p.w != nil && !p.last.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
