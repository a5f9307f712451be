// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign

import "fmt"

// Chart is what is known of one chart: facts that a strict, bounded parser has read. Only
// ReadChart and ChartFromConfig make one, and it does not change afterwards.
type Chart struct {
	metadata *Metadata
	digest   Digest
	size     int64
	archive  bool
}

// ChartFromConfig makes a Chart from the config blob of a chart's OCI manifest (media type
// application/vnd.cncf.helm.config.v1+json), which is Chart.yaml as JSON. Digest and size
// are those of the chart layer. Anything but one JSON object is a *Reason with the code
// ReasonNotAChart.
func ChartFromConfig(config []byte, layer Digest, size int64) (*Chart, error) {
	metadata, err := ParseMetadataJSON(config)
	if err != nil {
		return nil, Reasonf(ReasonNotAChart, "the chart's config blob: %w", err)
	}
	return &Chart{metadata: metadata, digest: layer, size: size}, nil
}

// readMetadata reads Chart.yaml, and requirements.yaml where a chart of apiVersion v1 has one.
func readMetadata(chartYAML, requirements []byte) (*Metadata, error) {
	metadata, err := ParseMetadata(chartYAML)
	if err != nil {
		return nil, asReason(fmt.Errorf("read Chart.yaml: %w", err))
	}
	if err := metadata.merge(requirements); err != nil {
		return nil, asReason(fmt.Errorf("read requirements.yaml: %w", err))
	}
	return metadata, nil
}

// Name returns the chart's name.
func (c *Chart) Name() string { return c.metadata.Name }

// Version returns the chart's semantic version as Chart.yaml spells it.
func (c *Chart) Version() string { return c.metadata.Version }

// AppVersion returns the version of what the chart installs; it may be empty.
func (c *Chart) AppVersion() string { return c.metadata.AppVersion }

// Digest returns the digest of the archive, which is that of the chart layer too.
func (c *Chart) Digest() Digest { return c.digest }

// Size returns the number of bytes of the archive.
func (c *Chart) Size() int64 { return c.size }

// FromArchive reports whether the facts were read from the archive itself; otherwise they
// come from a config blob, which only manifest-bound evidence covers.
func (c *Chart) FromArchive() bool { return c.archive }

// Metadata returns what Chart.yaml says. It must not be changed.
func (c *Chart) Metadata() *Metadata { return c.metadata }

// FileName returns the name that Helm gives the packaged chart: NAME-VERSION.tgz.
func (c *Chart) FileName() string { return c.metadata.FileName() }
