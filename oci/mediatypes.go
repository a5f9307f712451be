// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import "strings"

// The media types of charts in registries, as Helm pushes and reads them.
const (
	// MediaTypeConfig is that of the config blob: Chart.yaml as JSON.
	MediaTypeConfig = "application/vnd.cncf.helm.config.v1+json"
	// MediaTypeChart is that of the chart layer: the .tgz.
	MediaTypeChart = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	// MediaTypeChartLegacy is that of the chart layer in charts of before Helm 3.7.
	MediaTypeChartLegacy = "application/tar+gzip"
)

// The media types of the OCI image specification v1.1, and of Docker where registries
// still answer with them.
const (
	mediaTypeManifest       = "application/vnd.oci.image.manifest.v1+json"
	mediaTypeIndex          = "application/vnd.oci.image.index.v1+json"
	mediaTypeEmpty          = "application/vnd.oci.empty.v1+json"
	mediaTypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	mediaTypeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	mediaTypeBlob           = "application/octet-stream"
)

// acceptManifests names indexes too: a registry that has one must say so, and must not
// choose one of its manifests for us.
const acceptManifests = mediaTypeManifest + ", " + mediaTypeIndex + ", " + mediaTypeDockerManifest + ", " + mediaTypeDockerList

// The annotations that chartsign reads or writes.
const (
	annotationCreated       = "org.opencontainers.image.created"
	annotationPredicateType = "dev.sigstore.bundle.predicateType"
)

func isIndexType(mediaType string) bool {
	return mediaType == mediaTypeIndex || mediaType == mediaTypeDockerList
}

// isBundleType reports whether mediaType is that of a Sigstore bundle: the older form
// 'bundle+json;version=0.1' and the newer 'bundle.v0.3+json'. Which versions are good is
// for the judge to say: one that we do not know yet must not pass for no evidence.
func isBundleType(mediaType string) bool {
	const family = "application/vnd.dev.sigstore.bundle"
	rest, ok := strings.CutPrefix(mediaType, family)
	return ok && (strings.HasPrefix(rest, ".v") || strings.HasPrefix(rest, "+json"))
}
