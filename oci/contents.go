// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"errors"
	"fmt"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// contents is what the manifest of a chart names.
type contents struct {
	manifest descriptor
	config   descriptor
	chart    descriptor
	prov     *descriptor
	layers   []descriptor // all of them, in the order of the manifest
}

var errIndex = errors.New("got an index of several manifests, want the manifest of one chart")

// parseContents reads the manifest of a chart: exactly one Helm config, exactly one chart
// layer, at most one .prov layer, nothing else, SHA-256 only. Every other document is an
// error of code ReasonNotAChart or ReasonInvalidResponse. MaxChart bounds the archive.
func parseContents(header string, body []byte, maxChart int64) (*contents, error) {
	m, mediaType, err := parseManifest(header, body)
	switch {
	case err != nil:
		return nil, chartsign.Reasonf(chartsign.ReasonInvalidResponse, "the manifest: %w", err)
	case m == nil:
		return nil, chartsign.Reasonf(chartsign.ReasonNotAChart, "the manifest: %w", errIndex)
	case mediaType != mediaTypeManifest:
		return nil, chartsign.Reasonf(chartsign.ReasonNotAChart, "the manifest has media type %.100q, want %s", mediaType, mediaTypeManifest)
	case m.Config.MediaType != MediaTypeConfig:
		return nil, chartsign.Reasonf(chartsign.ReasonNotAChart, "the config has media type %.100q, want %s", m.Config.MediaType, MediaTypeConfig)
	}
	found := &contents{manifest: describe(mediaType, body), config: m.Config, layers: m.Layers}
	if err := found.config.check("the config", limits.ChartYAML); err != nil {
		return nil, notAChart(err)
	}
	if err := found.sort(m.Layers, maxChart); err != nil {
		return nil, notAChart(err)
	}
	return found, nil
}

func notAChart(err error) error {
	if errors.Is(err, limits.ErrTooLarge) {
		return chartsign.Reasonf(chartsign.ReasonChartTooLarge, "the manifest: %w", err)
	}
	return chartsign.Reasonf(chartsign.ReasonNotAChart, "the manifest: %w", err)
}

// sort gives each layer its role. Their order says nothing: Helm sorts them by digest.
func (c *contents) sort(layers []descriptor, maxChart int64) error {
	charts, provs := 0, 0
	for i := range layers {
		layer := &layers[i]
		switch layer.MediaType {
		case MediaTypeChart, MediaTypeChartLegacy:
			if err := layer.check("the chart layer", maxChart); err != nil {
				return err
			}
			c.chart, charts = *layer, charts+1
		case chartsign.MediaTypeProvenance:
			if err := layer.check("the .prov layer", limits.Provenance); err != nil {
				return err
			}
			c.prov, provs = layer, provs+1
		default:
			return fmt.Errorf("layer %d has media type %.100q, want a chart or a .prov", i, layer.MediaType)
		}
	}
	if charts != 1 || provs > 1 {
		return fmt.Errorf("got %d chart layers and %d .prov layers, want one chart and at most one .prov", charts, provs)
	}
	return nil
}
