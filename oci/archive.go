// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"io"

	"github.com/chartsign/chartsign"
)

// Archive downloads the chart layer and reads it without keeping it. The digest and size
// of what it returns are those that the manifest promised; its Chart.yaml is not compared
// with the config blob, which is for the caller that judges.
func (c *Chart) Archive(ctx context.Context) (*chartsign.Chart, error) {
	found, err := c.resolved(ctx)
	if err != nil {
		return nil, err
	}
	return c.stream(ctx, found.chart, nil)
}

// stream reads the chart layer and hands every byte to copies, if that is set.
func (c *Chart) stream(ctx context.Context, layer descriptor, copies io.Writer) (*chartsign.Chart, error) {
	content, done, err := c.repository.open(ctx, layer, "chart layer")
	if err != nil {
		return nil, err
	}
	defer done()
	var reader io.Reader = content
	if copies != nil {
		reader = io.TeeReader(content, copies)
	}
	chart, err := chartsign.ReadChart(reader, c.repository.client.read)
	if err != nil {
		return nil, instead(err, content)
	}
	if err := content.drain(); err != nil {
		return nil, err
	}
	if chart.Digest() != layer.digest || chart.Size() != layer.Size {
		return nil, chartsign.Reasonf(chartsign.ReasonContentMismatch, "the chart layer: got %s of %d bytes, want %s of %d", chart.Digest(), chart.Size(), layer.digest, layer.Size)
	}
	return chart, nil
}

// instead returns the reason that comes before err: content that is no chart may just not
// be what was promised.
func instead(err error, content *promised) error {
	if !hasCode(err, chartsign.ReasonNotAChart) {
		return err
	}
	if drained := content.drain(); drained != nil {
		return drained
	}
	return err
}
