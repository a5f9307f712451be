// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// ErrTagExists is wrapped by the error of a Push whose tag names another manifest already.
// The error wraps limits.ErrExists, too.
var ErrTagExists = errors.New("the tag names another manifest already")

// PushRequest is one packaged chart.
type PushRequest struct {
	// Archive is the .tgz, and Chart what chartsign.ReadChart read from it. The bytes are
	// held against Chart's digest again while they are sent.
	Archive io.ReaderAt
	Chart   *chartsign.Chart
	// Prov becomes a layer of the chart, if set. It is not verified here.
	Prov []byte
	// Created is written as annotation; Helm takes the time that the archive's file was
	// modified. Zero means now, by the client's clock.
	Created time.Time
	// Force replaces a tag that names another manifest.
	Force bool
}

// Pushed is what a Push stored.
type Pushed struct {
	// Reference names the chart by repository and tag.
	Reference chartsign.Reference
	// Manifest is its digest.
	Manifest chartsign.Digest
	// Existed reports that the tag named exactly this manifest before.
	Existed bool
}

// Push stores a chart as helm push does, byte for byte: ref names the repository above the
// chart, without tag or digest, to which the chart's name is added; the tag is the version
// with '_' for '+'. A tag that names another manifest is refused unless it is forced.
// Registries have no compare-and-swap: of two pushes at once the last one has the tag.
func (c *Client) Push(ctx context.Context, ref chartsign.Reference, req PushRequest) (Pushed, error) {
	target, err := pushTarget(ref, req)
	if err != nil {
		return Pushed{}, err
	}
	config, body, err := c.pushManifest(req)
	if err != nil {
		return Pushed{}, err
	}
	pushed := Pushed{Reference: target, Manifest: chartsign.DigestOf(body)}
	repo := c.repository(target)
	ctx = repo.asWriter(ctx)
	switch existing, err := repo.manifest(ctx, target.Tag, chartsign.Digest{}, limits.OCIManifest); {
	case err == nil && existing.digest == pushed.Manifest:
		pushed.Existed = true
		return pushed, nil
	case err == nil && !req.Force:
		return Pushed{}, fmt.Errorf("%s:%s: %w: got %s, want %s: %w", target.Name(), target.Tag, ErrTagExists, existing.digest, pushed.Manifest, limits.ErrExists)
	case err != nil && !mayBeNew(err, req.Force):
		return Pushed{}, err
	}
	if err := repo.pushBlobs(ctx, req, config); err != nil {
		return Pushed{}, err
	}
	if _, err := repo.putManifest(ctx, target.Tag, mediaTypeManifest, body); err != nil {
		return Pushed{}, err
	}
	if err := repo.readBack(ctx, target.Tag, body); err != nil {
		return Pushed{}, err
	}
	return pushed, nil
}

// mayBeNew: what is not there is new. With Force it does not matter what is there.
func mayBeNew(err error, force bool) bool {
	return hasCode(err, chartsign.ReasonNotFound) || force && hasCode(err, chartsign.ReasonInvalidResponse)
}

var errPush = errors.New("cannot push")

func pushTarget(ref chartsign.Reference, req PushRequest) (chartsign.Reference, error) {
	switch {
	case req.Chart == nil || req.Archive == nil || !req.Chart.FromArchive():
		return chartsign.Reference{}, fmt.Errorf("%w: want an archive and the chart that was read from it", errPush)
	case !ref.IsOCI() || ref.Tag != "" || !ref.Digest.IsZero():
		return chartsign.Reference{}, fmt.Errorf("%w to %.200q: want oci://REGISTRY/REPOSITORY without tag and digest", errPush, ref.Given)
	case int64(len(req.Prov)) > limits.Provenance:
		return chartsign.Reference{}, fmt.Errorf("%w: the .prov is %w: want at most %d bytes", errPush, limits.ErrTooLarge, limits.Provenance)
	}
	name := ref.Name() + "/" + req.Chart.Name() + ":" + chartsign.TagOfVersion(req.Chart.Version())
	target, err := chartsign.ParseReference(name)
	if err != nil {
		return chartsign.Reference{}, fmt.Errorf("%w: %w", errPush, err)
	}
	return target, nil
}

// pushManifest returns the config blob and the manifest as Helm writes them.
func (c *Client) pushManifest(req PushRequest) (config, body []byte, err error) {
	metadata := req.Chart.Metadata()
	if config, err = metadata.JSON(); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errPush, err)
	}
	layers := []descriptor{chartLayer(req)}
	if req.Prov != nil {
		layers = append(layers, describe(chartsign.MediaTypeProvenance, req.Prov))
	}
	slices.SortFunc(layers, func(a, b descriptor) int { return cmp.Compare(a.Digest, b.Digest) })
	created := req.Created
	if created.IsZero() && c.now != nil {
		created = c.now().UTC()
	}
	body, err = json.Marshal(manifest{
		SchemaVersion: 2,
		Config:        describe(MediaTypeConfig, config),
		Layers:        layers,
		Annotations:   annotations(metadata, created),
	})
	return config, body, err
}

func chartLayer(req PushRequest) descriptor {
	digest := req.Chart.Digest()
	return descriptor{MediaType: MediaTypeChart, Digest: digest.String(), Size: req.Chart.Size(), digest: digest}
}

func (r repository) pushBlobs(ctx context.Context, req PushRequest, config []byte) error {
	if err := r.push(ctx, source{descriptor: chartLayer(req), content: req.Archive}, "chart layer"); err != nil {
		return err
	}
	if req.Prov != nil {
		if err := r.push(ctx, bytesSource(chartsign.MediaTypeProvenance, req.Prov), ".prov layer"); err != nil {
			return err
		}
	}
	return r.push(ctx, bytesSource(MediaTypeConfig, config), "config")
}
