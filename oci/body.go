// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

var errStalled = errors.New("no more data came in time")

// watched is the body of a response. It ends the request when no byte arrives for too
// long, and when it is closed.
type watched struct {
	body   io.ReadCloser
	wait   time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

func newWatched(body io.ReadCloser, cancel context.CancelCauseFunc, wait time.Duration) *watched {
	timer := time.AfterFunc(wait, func() { cancel(errStalled) })
	timer.Stop()
	return &watched{body: body, wait: wait, cancel: cancel, timer: timer}
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(w.wait)
	defer w.timer.Stop() // what the caller does between two reads is its own time
	return w.body.Read(p)
}

func (w *watched) Close() error {
	w.timer.Stop()
	err := w.body.Close()
	w.cancel(nil)
	return err
}

// promised reads content that a descriptor promised. Its end is an error unless exactly
// the promised bytes came, and not one byte above the promised size is passed on.
type promised struct {
	r    io.Reader
	want descriptor
	what string
	hash hash.Hash
	seen int64
	err  error
}

func newPromised(r io.Reader, want descriptor, what string) *promised {
	return &promised{r: r, want: want, what: what, hash: sha256.New()}
}

func (p *promised) Read(buffer []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.r.Read(buffer)
	p.seen += int64(n)
	if p.seen > p.want.Size {
		p.err = chartsign.Reasonf(chartsign.ReasonContentMismatch, "%s: got more than the %d bytes of its descriptor", p.what, p.want.Size)
		return 0, p.err
	}
	p.hash.Write(buffer[:n])
	switch {
	case errors.Is(err, io.EOF):
		p.err = p.finish()
	case err != nil:
		p.err = chartsign.Reasonf(chartsign.ReasonUnavailable, "%s: %w", p.what, withoutURL(err))
	}
	return n, p.err
}

func (p *promised) finish() error {
	if p.seen != p.want.Size {
		return chartsign.Reasonf(chartsign.ReasonContentMismatch, "%s: got %d bytes, want the %d of its descriptor", p.what, p.seen, p.want.Size)
	}
	if got := chartsign.SumDigest(p.hash); got != p.want.digest {
		return chartsign.Reasonf(chartsign.ReasonContentMismatch, "%s: got %s, want %s", p.what, got, p.want.digest)
	}
	return io.EOF
}

// drain reads to the end. Its error says whether the content is what was promised.
func (p *promised) drain() error {
	_, err := io.Copy(io.Discard, p)
	return err
}

// all reads to the end. The size of the descriptor bounds it.
func (p *promised) all() ([]byte, error) {
	data, err := limits.Read(p, p.want.Size, p.what)
	if p.err != nil && !errors.Is(p.err, io.EOF) {
		return nil, p.err
	}
	return data, err
}
