// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// addToFallback lists entry in the index of subject's fallback tag. Registries have no
// compare-and-swap for tags: a writer that read the index before ours writes it after us,
// and our entry is gone. So we watch until the index has stood with our entry for longer
// than a write takes, and add it again whenever it is lost. Old indexes are left behind;
// to delete them needs a permission of its own.
func (r repository) addToFallback(ctx context.Context, subject chartsign.Digest, entry descriptor) error {
	watch := settling{window: r.client.settle}
	for range limits.OCIFallbackRounds {
		started := r.client.clock()
		current, err := r.fallbackIndex(ctx, subject)
		if err != nil {
			return err
		}
		pause := watch.step()
		if current.has(entry.digest) {
			if watch.stood(current.digest) {
				return nil
			}
		} else {
			if err := r.writeFallback(ctx, subject, current.index, entry); err != nil {
				return err
			}
			watch.wrote(r.client.clock().Sub(started))
			// So that writers do not march in step.
			pause = rand.N(pause) + time.Millisecond //nolint:gosec // G404: nothing secret depends on it
		}
		if err := sleep(ctx, pause); err != nil {
			return chartsign.Reasonf(chartsign.ReasonUnavailable, "tag %s of %s: %w", referrersTag(subject), r.origin.Host, err)
		}
		watch.waited(pause)
	}
	return chartsign.Reasonf(chartsign.ReasonUnavailable, "tag %s of %s: others keep changing it: gave up after %d attempts", referrersTag(subject), r.origin.Host, limits.OCIFallbackRounds)
}

// settling knows for how long an index has stood unchanged, and for how long it should.
type settling struct {
	window time.Duration
	since  time.Duration
	last   chartsign.Digest
}

// slowWriter is how many times longer than ours the write of another may take.
const slowWriter = 4

// wrote notes that we wrote, and how long it took from reading to writing.
func (s *settling) wrote(took time.Duration) {
	s.window = max(s.window, slowWriter*took)
	s.last, s.since = chartsign.Digest{}, 0
}

// stood reports whether the index has been seen with this digest for long enough.
func (s *settling) stood(digest chartsign.Digest) bool {
	if s.last != digest {
		s.last, s.since = digest, 0
	}
	return s.since >= s.window
}

func (s *settling) waited(d time.Duration) { s.since += d }

func (s *settling) step() time.Duration { return max(s.window/3, time.Millisecond) }

// clock returns the time, or always the same one where the client has no clock; the
// window is then the least one.
func (c *Client) clock() time.Time {
	if c.now == nil {
		return time.Time{}
	}
	return c.now()
}

func (i index) has(digest chartsign.Digest) bool {
	listed, _ := i.digests()
	return slices.Contains(listed, digest)
}

// writeFallback writes the index with one entry more; everything else stays as it was.
func (r repository) writeFallback(ctx context.Context, subject chartsign.Digest, current index, entry descriptor) error {
	raw, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("%w: %w", errAttach, err)
	}
	body, err := json.Marshal(index{
		SchemaVersion: 2,
		MediaType:     mediaTypeIndex,
		Manifests:     append(slices.Clone(current.Manifests), raw),
		Annotations:   current.Annotations,
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errAttach, err)
	}
	if len(current.Manifests) >= limits.OCIReferrers || int64(len(body)) > limits.OCIManifest {
		return fmt.Errorf("%w: the index of tag %s is full: %w: want at most %d entries", errAttach, referrersTag(subject), limits.ErrTooLarge, limits.OCIReferrers)
	}
	_, err = r.putManifest(ctx, referrersTag(subject), mediaTypeIndex, body)
	return err
}
